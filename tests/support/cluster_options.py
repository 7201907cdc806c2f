# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which options were seen working on a real cluster, and with which chart.

Tests in tests/cluster name what they show: ``@pytest.mark.options("hub_title", "hub_files.mode")``. Where the variable
HUBFLEET_TEST_RECORD names the chart, a run writes down which of them passed; docs/kubernetes.md has the table.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.text import markdown_table
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.option import KUBERNETES
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.options import OPTIONS

TESTS = Path(__file__).resolve().parents[1] / "cluster"
RECORD = TESTS / "seen_options.json"

#: Chart -> options that were seen working with it.
Record = dict[str, list[str]]

#: Why -> options that no test on a cluster shows; all others are named by one.
REASONS = {
    "needs an identity provider": (
        "hub_authenticator_settings",
        "hub_allowed_organizations",
        "hub_allowed_domains",
        "hub_allowed_identity_providers",
        "hub_allowed_groups",
    ),
    "decides what is validated and rendered, not what runs": (
        "hub_ignored_problems",
        "hub_pending_secrets",
        "hub_defaults_source",
        "cluster_kubernetes_version",
    ),
    "the tests take the chart from a directory": (
        "hub_chart_version",
        "cluster_chart_version",
        "cluster_chart_repository",
    ),
    "is the same on machines, whose tests show it": (
        "cluster_package_index",
        "hub_admin_repository",
        "hub_admin_ref",
        "hub_admin_may",
        "hub_admin_limits",
    ),
    "needs an NFS server, and its client on nodes": ("hub_home_nfs", "hub_home_nfs.server", "hub_home_nfs.path"),
    "its image is in no package registry": ("hub_user_scheduler", "hub_prepull_on_deploy"),
    "its charts are in no package registry": (
        "hub_addons.repository",
        "hub_addons.settings",
    ),
    "is handed to the program that makes backups on machines, and tested there": (
        "cluster_backup_environment",
        "cluster_backup_homes",
    ),
    "needs cert-manager": ("cluster_certificate_issuer",),
    "needs the Gateway API": (
        "cluster_gateway",
        "cluster_gateway.name",
        "cluster_gateway.namespace",
        "cluster_gateway.section",
    ),
    "needs an ACME server": ("cluster_acme_contact",),
}


def kubernetes_options() -> list[str]:
    """Return the options of hubs on Kubernetes in the order of the reference, each followed by its keys."""
    found: list[str] = []
    for option in OPTIONS.values():
        if not option.applies_to(KUBERNETES):
            continue
        found.append(option.name)
        keys = option.elements.options if option.elements else option.options
        found += [f"{option.name}.{key.name}" for key in keys if key.applies_to(KUBERNETES) and not option.by_name]
    return found


def named_options() -> set[str]:
    """Return the options that the tests on clusters name, whether they were run or not."""
    return {name for file in sorted(TESTS.glob("test_*.py")) for name in _marked(ast.parse(file.read_text()))}


def _marked(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "options":
            yield from with_options(each.value for each in node.args if isinstance(each, ast.Constant))


def with_options(names: Iterator[str]) -> Iterator[str]:
    """Yield names, and for those of a key also its option."""
    for name in names:
        yield name
        if "." in name:
            yield name.partition(".")[0]


def read_record() -> Record:
    """Return what earlier runs have seen."""
    return json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}


def update_record(chart: str, passed: set[str], failed: set[str]) -> None:
    """Write down what a run has seen: an option works if no test that names it failed."""
    record = read_record()
    seen = (set(record.get(chart, ())) | passed) - failed
    record[chart] = sorted(seen & named_options())
    RECORD.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def table() -> str:
    """Return the table of the documentation, in Markdown."""
    record = read_record()
    charts = sorted(record)
    reasons = {name: reason for reason, names in REASONS.items() for name in names}
    rows = [
        (f"`{name}`", *("yes" if name in record[chart] else "" for chart in charts), reasons.get(name, ""))
        for name in kubernetes_options()
    ]
    return "\n".join(markdown_table(("Option", *charts, "Not shown, because"), rows))
