# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small sources, imported, and what the written inventory says of each hub."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.fleet import (
    ImportRequest,
    ImportResult,
    import_fleet,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.charts import (
    Charts,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.chart_values import (
    ChartCode,
    chart_values,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput, HostInput
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.validate import validate

CODE = ChartCode("# shows profiles to members of groups\n", "# takes back access\n")
#: What is recorded of charts; none is at hand.
CHARTS = Charts(str(Path(__file__).resolve().parents[5] / "roles" / "hub" / "files" / "charts"), "", "/nowhere")

#: What a secret in a file is looked up with.
LOOKUP = re.compile(
    r"\{\{ lookup\('ansible.builtin.file', inventory_dir ~ '/\.\./([^']+)', rstrip=False\)( \| from_json)? \}\}"
)


class Unsafe(str):
    """Text that Ansible leaves alone."""


class Loader(yaml.SafeLoader):
    """Ansible's YAML."""


Loader.add_constructor("!unsafe", lambda loader, node: Unsafe(loader.construct_scalar(node)))


def write_tree(directory: Path, clusters: dict[str, dict[str, Any]]) -> str:
    """Write cluster -> hub -> values of the chart, as a tree of 2i2c's kind; return its path."""
    for cluster, hubs in clusters.items():
        folder = directory / "clusters" / cluster
        folder.mkdir(parents=True)
        described = []
        for hub, values in hubs.items():
            files = [f"{hub}.values.yaml"]
            text = values if isinstance(values, str) else _yaml_of({"jupyterhub": values})
            (folder / files[0]).write_text(text, encoding="utf-8", newline="")
            described.append(
                {
                    "name": hub,
                    "display_name": f"The hub {hub}",
                    "domain": f"{hub}.{cluster}.example.org",
                    "helm_chart": "basehub",
                    "helm_chart_values_files": files,
                }
            )
        (folder / "cluster.yaml").write_text(json.dumps({"name": cluster, "hubs": described}), encoding="utf-8")
    return str(directory / "clusters")


def _yaml_of(values: Any) -> str:
    """Return values as JSON, which is YAML but for characters that end a line there."""
    text = json.dumps(values, ensure_ascii=False)
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def import_tree(directory: Path, clusters: dict[str, dict[str, Any]]) -> ImportResult:
    """Import a tree into ``directory``/fleet."""
    return import_fleet(
        ImportRequest([write_tree(directory, clusters)], "2i2c", str(directory / "fleet")), CODE, CHARTS
    )


def import_values(directory: Path, *texts: str, **request: str) -> ImportResult:
    """Import the values files of one hub into ``directory``/fleet."""
    paths = []
    for index, text in enumerate(texts):
        paths.append(directory / f"values-{index}.yaml")
        paths[-1].write_text(text, encoding="utf-8", newline="")
    return import_fleet(ImportRequest(list(map(str, paths)), "z2jh", str(directory / "fleet"), **request), CODE, CHARTS)


def variables_of(fleet: Path) -> dict[str, dict[str, Any]]:
    """Return the variables of every hub of a written inventory, as Ansible makes them."""
    groups = _load(fleet, "inventory/hosts.yml")["all"]["children"]
    found = {}
    for cluster, members in groups["clusters"]["children"].items():
        for host in members["hosts"]:
            names = ("group_vars/all.yml", f"group_vars/{cluster}.yml", f"inventory/host_vars/{host}.yml")
            layers = [_load(fleet, name) for name in names]
            found[host] = {name: value for layer in layers for name, value in layer.items()}
    return found


def values_of(fleet: Path) -> dict[str, dict[str, Any]]:
    """Return the values for the chart of every hub of a written inventory."""
    groups = _load(fleet, "inventory/hosts.yml")["all"]["children"]
    variables = variables_of(fleet)
    tiers = {host: tier for tier in ("staging", "production") for host in groups.get(tier, {}).get("hosts", {})}
    hosts = {name: HostInput(name, given, frozenset({tiers[name]})) for name, given in variables.items()}
    clusters = {name: list(group["hosts"]) for name, group in groups["clusters"]["children"].items()}
    hubs, problems = validate(FleetInput(hosts, clusters))
    assert [problem.line() for problem in problems.of(hosts)] == []
    return {name: chart_values(hub, "", CODE).merged for name, hub in hubs.hubs.items()}


def machine_problems(fleet: Path) -> list[str]:
    """Return what validation says of the hub lab of a written inventory, which is on a machine."""
    host = HostInput("lab", variables_of(fleet)["lab"], frozenset({"production"}))
    return [problem.line() for problem in validate(FleetInput({"lab": host}, {"machine": ["lab"]}))[1].of(["lab"])]


def _load(fleet: Path, name: str) -> Any:
    text = (fleet / name).read_text(encoding="utf-8")
    return _worked_out(yaml.load(text, Loader) or {}, fleet)


def _worked_out(value: Any, fleet: Path) -> Any:
    if isinstance(value, dict):
        return {str(key): _worked_out(item, fleet) for key, item in value.items()}
    if isinstance(value, list):
        return [_worked_out(item, fleet) for item in value]
    if isinstance(value, str) and not isinstance(value, Unsafe) and re.search(r"\{\{|\{%|\{#", value):
        place = LOOKUP.fullmatch(value)
        assert place, "a template that is none of ours"
        with open(os.path.join(fleet, place[1]), encoding="utf-8", newline="") as file:
            text = file.read()
        return json.loads(text) if place[2] else text
    return str(value) if isinstance(value, str) else value
