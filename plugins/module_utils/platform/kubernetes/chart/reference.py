# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference of charts, made from what is recorded of them."""

from __future__ import annotations

from ....common.text import markdown_table
from ....schema.cluster_options import DEFAULT_CHART_VERSION
from ..values.addons import ADDONS
from . import recorded
from .charts import FIRST_UNSUPPORTED_JUPYTERHUB, OLDEST_JUPYTERHUB

_COLUMNS = ("JupyterHub", "KubeSpawner", "OAuthenticator")


def chart_reference(records: str) -> str:
    """Return docs/charts.md; ``records`` is the directory of recorded charts."""
    oldest, before = (".".join(map(str, version)) for version in (OLDEST_JUPYTERHUB, FIRST_UNSUPPORTED_JUPYTERHUB))
    lines = [
        "<!-- Generated from the recorded charts by `make generate`; do not edit. -->",
        "# Charts",
        "",
        "This release has the schemas of the following versions of the zero-to-jupyterhub chart, so that hubs can be",
        "validated without the chart. Other versions need the chart itself: set `cluster_chart` to a directory or",
        "archive, or download it with `validate_render`.",
        "",
        f"The collection's code in a hub supports JupyterHub {oldest} and newer, before {before}.",
        "Charts with other versions of JupyterHub are rejected.",
        "",
    ]
    rows = []
    for version in reversed(recorded.versions(records)):
        about = recorded.read(records, version).about
        found = [about[column.lower()] for column in _COLUMNS]
        note = "default" if version == DEFAULT_CHART_VERSION else ""
        rows.append((version, *found, f"`{about['kubeVersion']}`", note))
    lines += markdown_table(("Chart", *_COLUMNS, "Kubernetes", ""), rows)
    lines += ["", "Add-ons with a known name (`hub_addons`):", ""]
    rows = []
    for name, addon in sorted(ADDONS.items()):
        chart = addon.chart if not addon.repository else f"{addon.chart} of <{addon.repository}>"
        rows.append((name, chart, addon.version))
    lines += markdown_table(("Add-on", "Chart", "Version"), rows)
    return "\n".join(lines) + "\n"
