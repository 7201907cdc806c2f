# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trees of clusters as 2i2c keeps them: ``CLUSTER/cluster.yaml`` with the hubs and their values files.

Source: ``config/clusters`` and ``helm-charts`` of github.com/2i2c-org/infrastructure. The hubs' chart there is an
umbrella: zero-to-jupyterhub is its part ``jupyterhub``, beside the add-ons and what 2i2c adds itself.
"""

from __future__ import annotations

import os
from typing import Any

from ..platform.kubernetes.addons import ADDONS
from ..platform.kubernetes.layers import Values
from .problems import ImportProblem
from .sources import Library, Source, Tree
from .z2jh import tier_of

CLUSTER_FILE = "cluster.yaml"
CHART_VERSION = "4.3.3"

#: Parts of the umbrella chart that are add-ons here, and whether it has them without being asked.
_ADDONS = {
    "dask-gateway": False,
    "binderhub-service": False,
    "jupyterhub-home-nfs": True,
    "jupyterhub-groups-exporter": True,
}
_HUB_KEYS = {"name", "display_name", "domain", "helm_chart", "helm_chart_values_files", "chart_override"}


def read_2i2c(path: str) -> Tree:
    """Return the hubs of one cluster directory, or of all below ``path``; raises ImportProblem."""
    if os.path.isfile(os.path.join(path, CLUSTER_FILE)):
        directories, base = [path], os.path.dirname(os.path.abspath(path))
    else:
        names = sorted(os.listdir(path)) if os.path.isdir(path) else []
        found = [os.path.join(path, name) for name in names]
        directories, base = [each for each in found if os.path.isfile(os.path.join(each, CLUSTER_FILE))], path
    if not directories:
        raise ImportProblem(f"{path}: there is no {CLUSTER_FILE} in it, nor in a directory below it")
    library = Library(base)
    tree = Tree([])
    for directory in directories:
        _read_cluster(library, directory, tree)
    return tree


def _read_cluster(library: Library, directory: str, tree: Tree) -> None:
    path = os.path.join(directory, CLUSTER_FILE)
    described, notes = library.mapping(path)
    where = library.name_of(path)
    if described is None:
        raise ImportProblem(f"{where}: is encrypted")
    name, hubs = described.get("name") or os.path.basename(directory), described.get("hubs")
    if not isinstance(name, str) or not isinstance(hubs or [], list):
        raise ImportProblem(f"{where}: name is no text, or hubs is no list")
    if any(source.cluster == name for source in tree.sources):
        raise ImportProblem(f"{where}: there is a cluster {name!r} already")
    for index, hub in enumerate(hubs or []):
        tree.sources.append(_read_hub(library, directory, name, hub, f"{where}: hubs[{index}]"))
    tree.cluster_notes[name] = [*notes, *_cluster_notes(described)]


def _cluster_notes(described: Values) -> list[str]:
    """Return sentences on what is not carried over of a cluster."""
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
        notes.append(f"{key}{keys}: not carried over")
    return notes


def _read_hub(library: Library, directory: str, cluster: str, hub: Any, where: str) -> Source:
    if not isinstance(hub, dict) or not isinstance(hub.get("name"), str) or not hub["name"]:
        raise ImportProblem(f"{where}: is no hub with a name")
    names = hub.get("helm_chart_values_files") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ImportProblem(f"{where}: helm_chart_values_files is no list of file names")
    files = library.files([os.path.normpath(os.path.join(directory, name)) for name in names])
    umbrella, chart = files.values, hub.get("helm_chart")
    source = Source(cluster, hub["name"], tier_of(hub["name"]), {}, files)
    if chart == "daskhub":
        source.left.update({key: value for key, value in umbrella.items() if key != "basehub"})
        umbrella = _part(umbrella, "basehub", where)
    elif chart != "basehub":
        source.notes.append(f"its chart is {chart!r}, which is read like 'basehub'")
    source.wanted = _part(umbrella, "jupyterhub", where)
    parts = {key: value for key, value in umbrella.items() if key != "jupyterhub"}
    addons = {key: parts.pop(key) for key in list(parts) if _is_wanted(key, parts[key])}
    source.left.update(parts)
    source.notes += [f"{key}: not carried over" for key in hub if key not in _HUB_KEYS]
    source.variables = {"hub_title": hub.get("display_name"), "hub_domain": hub.get("domain")}
    source.variables["hub_namespace"] = hub["name"]
    source.variables["hub_addons"] = {
        key: _addon({name: value for name, value in values.items() if name != "enabled"})
        for key, values in addons.items()
    }
    source.cluster_variables["cluster_chart_version"] = CHART_VERSION
    if hub.get("chart_override"):
        _override_chart(library, os.path.join(directory, str(hub["chart_override"])), source)
    return source


def _part(values: Values, key: str, where: str) -> Values:
    part = values.get(key)
    if part is not None and not isinstance(part, dict):
        raise ImportProblem(f"{where}: {key} of its values is no mapping")
    return part or {}


def _is_wanted(key: str, values: Any) -> bool:
    """Tell whether a part is an add-on that the umbrella chart installs."""
    if key not in _ADDONS or key not in ADDONS or not isinstance(values, dict):
        return False
    return bool(values.get("enabled", _ADDONS[key]))


def _addon(values: Values) -> dict[str, Any]:
    return {"values": values} if values else {}


def _override_chart(library: Library, path: str, source: Source) -> None:
    """Take the versions of charts from a Chart.yaml that replaces the umbrella's."""
    name = library.name_of(path)
    chart, notes = library.mapping(path)
    dependencies = (chart or {}).get("dependencies")
    if not isinstance(dependencies, list):
        raise ImportProblem(f"{name}: has no list of dependencies")
    source.notes += notes
    for dependency in dependencies:
        part, version = (dependency.get(key) if isinstance(dependency, dict) else None for key in ("name", "version"))
        if part == "jupyterhub" and isinstance(version, str) and version != CHART_VERSION:
            source.variables["hub_chart_version"] = version
        elif part in source.variables["hub_addons"] and isinstance(version, str):
            source.variables["hub_addons"][part]["version"] = version
    source.notes.append(f"its versions of charts are those of {name}")
