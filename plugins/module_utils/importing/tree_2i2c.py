# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trees of clusters in 2i2c's layout: ``CLUSTER/cluster.yaml`` with the hubs and their values files.

Source: ``config/clusters`` and ``helm-charts`` of github.com/2i2c-org/infrastructure. The hubs' chart there is an
umbrella chart with zero-to-jupyterhub as its dependency ``jupyterhub``, beside add-ons.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from ..platform.kubernetes.values.addons import ADDONS
from ..platform.kubernetes.values.layers import Values
from .errors import FleetImportError
from .sources import Source, SourceFleet, ValuesReader
from .umbrella_chart import PART, extract_addons, find_chart_values
from .z2jh import tier_of

CLUSTER_FILE = "cluster.yaml"
CHART_VERSION = "4.3.3"
#: Where the umbrella chart is, from the top of the repository.
_UMBRELLA = os.path.join("helm-charts", "basehub")


@dataclass
class _Umbrella:
    """The umbrella chart of a tree.

    versions: add-on -> version of its chart.
    enabled_by_default: add-on -> whether the umbrella chart enables it by default.
    """

    chart_version: str = CHART_VERSION
    versions: dict[str, str] = field(default_factory=dict)
    enabled_by_default: dict[str, bool] = field(
        default_factory=lambda: {"jupyterhub-home-nfs": True, "jupyterhub-groups-exporter": True}
    )


_HUB_KEYS = {"name", "display_name", "domain", "helm_chart", "helm_chart_values_files", "chart_override"}


def read_2i2c(path: str) -> SourceFleet:
    """Return the hubs of one cluster directory, or of all below ``path``; raises FleetImportError."""
    if os.path.isfile(os.path.join(path, CLUSTER_FILE)):
        directories, base = [path], os.path.dirname(os.path.abspath(path))
    else:
        names = sorted(os.listdir(path)) if os.path.isdir(path) else []
        found = [os.path.join(path, name) for name in names]
        directories, base = [each for each in found if os.path.isfile(os.path.join(each, CLUSTER_FILE))], path
    if not directories:
        raise FleetImportError(f"{path}: has no {CLUSTER_FILE}, and neither have its subdirectories")
    library = ValuesReader(base)
    tree = SourceFleet([])
    umbrella = _read_umbrella(path, tree.notes)
    for directory in directories:
        _read_cluster(library, directory, umbrella, tree)
    return tree


def _read_umbrella(path: str, notes: list[str]) -> _Umbrella:
    """Return the umbrella chart of the repository that ``path`` is in; without one, its present defaults."""
    umbrella, top = _Umbrella(), os.path.abspath(path)
    while not os.path.isfile(os.path.join(top, _UMBRELLA, "Chart.yaml")):
        top, below = os.path.dirname(top), top
        if top == below:
            notes.append(f"There is no {_UMBRELLA} above the clusters; chart version {CHART_VERSION} is assumed.")
            return umbrella
    library, versions = ValuesReader(top), {}
    for name in ("Chart.yaml", "values.yaml"):
        file = os.path.join(top, _UMBRELLA, name)
        values = (library.mapping(file)[0] or {}) if os.path.isfile(file) else {}
        if name == "Chart.yaml":
            versions = _versions(values, library.name_of(file))
        else:
            given = {addon: values.get(addon) for addon in ADDONS}
            umbrella.enabled_by_default = {
                addon: isinstance(part, dict) and bool(part.get("enabled", False)) for addon, part in given.items()
            }
    umbrella.chart_version = versions.pop(PART, CHART_VERSION)
    umbrella.versions = {addon: version for addon, version in versions.items() if addon in ADDONS}
    alone = ", ".join(addon for addon, on in umbrella.enabled_by_default.items() if on)
    notes.append(
        f"Chart versions come from {_UMBRELLA}/Chart.yaml."
        + (f" Its defaults, which enable {alone}, are not imported." if alone else "")
    )
    return umbrella


def _versions(chart: Values | None, name: str) -> dict[str, str]:
    """Return the versions in a Chart.yaml; raises FleetImportError where it names no charts."""
    dependencies = (chart or {}).get("dependencies")
    if not isinstance(dependencies, list):
        raise FleetImportError(f"{name}: has no list of dependencies")
    found = {}
    for dependency in dependencies:
        part, version = (dependency.get(key) if isinstance(dependency, dict) else None for key in ("name", "version"))
        if isinstance(part, str) and isinstance(version, str):
            found[part] = version
    return found


def _read_cluster(library: ValuesReader, directory: str, umbrella: _Umbrella, tree: SourceFleet) -> None:
    path = os.path.join(directory, CLUSTER_FILE)
    described, notes = library.mapping(path)
    where = library.name_of(path)
    if described is None:
        raise FleetImportError(f"{where}: is encrypted")
    name, hubs = described.get("name") or os.path.basename(directory), described.get("hubs")
    if not isinstance(name, str) or not isinstance(hubs or [], list):
        raise FleetImportError(f"{where}: name is not text, or hubs is not a list")
    if any(source.cluster == name for source in tree.hubs):
        raise FleetImportError(f"{where}: the cluster name {name!r} is used twice")
    for index, hub in enumerate(hubs or []):
        source = _read_hub(library, directory, name, hub, f"{where}: hubs[{index}]")
        _extract_addons(source, umbrella)
        if hub.get("chart_override"):
            _override_chart(library, os.path.join(directory, str(hub["chart_override"])), source)
        tree.hubs.append(source)
    tree.cluster_notes[name] = [*notes, *_cluster_notes(described)]


def _cluster_notes(described: Values) -> list[str]:
    """Return sentences on settings of a cluster that are not imported."""
    notes = []
    if not described.get("hubs"):
        notes.append("has no hubs")
    for key, value in described.items():
        if key in ("name", "hubs"):
            continue
        keys = f" ({', '.join(sorted(value))})" if isinstance(value, dict) else ""
        if key == "support" and isinstance(value, dict):
            files = value.get("helm_chart_values_files") or []
            keys = f" ({', '.join(map(str, files))})" if isinstance(files, list) else keys
        notes.append(f"{key}{keys}: not imported")
    return notes


def _read_hub(library: ValuesReader, directory: str, cluster: str, hub: Any, where: str) -> Source:
    if not isinstance(hub, dict) or not isinstance(hub.get("name"), str) or not hub["name"]:
        raise FleetImportError(f"{where}: is not a hub with a name")
    names = hub.get("helm_chart_values_files") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise FleetImportError(f"{where}: helm_chart_values_files is not a list of file names")
    files = library.files([os.path.normpath(os.path.join(directory, name)) for name in names])
    values, chart = files.values, hub.get("helm_chart")
    source = Source(cluster, hub["name"], tier_of(hub["name"]), {}, files)
    if chart == "basehub":
        source.values, source.not_imported = _split(values, PART, where)
    elif chart == "daskhub":
        values, around = _split(values, "basehub", where)
        source.values, source.not_imported = _split(values, PART, where)
        source.not_imported.update(
            {f"{chart}.{key}" if key in source.not_imported else key: part for key, part in around.items()}
        )
    else:
        source.notes.append(f"its chart {chart!r} is unknown; only its part {PART} is read")
        source.values, place, source.not_imported = find_chart_values(values)
        if not place:
            source.values, source.not_imported = {}, values
    source.notes += [f"{key}: not imported" for key in hub if key not in _HUB_KEYS]
    source.variables = {"hub_title": hub.get("display_name"), "hub_domain": hub.get("domain")}
    source.variables["hub_namespace"] = hub["name"]
    return source


def _extract_addons(source: Source, umbrella: _Umbrella) -> None:
    """Turn parts of the umbrella chart that are add-ons into ``hub_addons`` with their versions."""
    addons = source.variables["hub_addons"] = extract_addons(source.not_imported, umbrella.enabled_by_default)
    for name, version in umbrella.versions.items():
        if name in addons and version != ADDONS[name].version:
            addons[name]["version"] = version
    source.cluster_variables["cluster_chart_version"] = umbrella.chart_version


def _split(values: Values, key: str, where: str) -> tuple[Values, dict[str, Any]]:
    """Return a part of the values, which may be missing, and everything else."""
    part = values.get(key)
    if part is not None and not isinstance(part, dict):
        raise FleetImportError(f"{where}: {key} of its values is not a mapping")
    return part or {}, {name: value for name, value in values.items() if name != key}


def _override_chart(library: ValuesReader, path: str, source: Source) -> None:
    """Take chart versions from a Chart.yaml that replaces the one of the umbrella chart."""
    name = library.name_of(path)
    chart, notes = library.mapping(path)
    source.notes += notes
    for part, version in _versions(chart, name).items():
        if part == PART and version != source.cluster_variables["cluster_chart_version"]:
            source.variables["hub_chart_version"] = version
        elif part in source.variables["hub_addons"]:
            source.variables["hub_addons"][part]["version"] = version
    source.notes.append(f"its chart versions come from {name}")
