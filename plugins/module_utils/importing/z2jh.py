# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values files of the zero-to-jupyterhub chart, for one hub."""

from __future__ import annotations

import os
from typing import Any

from ..common.nested import path_text, value_at
from ..platform.kubernetes.values.layers import Values
from ..schema.model import TIERS
from .errors import FleetImportError
from .sources import Source, SourceFleet, ValuesReader
from .umbrella_chart import extract_addons, find_chart_values

#: Names of files and directories that do not identify a hub.
_GENERIC_NAMES = {"values", "config", "jupyterhub", "helm-values", "z2jh", "common", "staging", "prod", "production"}

DEFAULT_CLUSTER = "kubernetes"


def read_z2jh(paths: list[str], hub: str, cluster: str, tier: str) -> SourceFleet:
    """Return the hub of values files in Helm's order; raises FleetImportError.

    hub, cluster, tier: of the hub; "" takes them from the names of the files.
    """
    library = ValuesReader(os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in paths]))
    files = library.files([os.path.abspath(path) for path in paths])
    if not files.read and not files.encrypted:
        raise FleetImportError(f"{paths[0]}: has no values to import")
    try:
        values, place, left = find_chart_values(files.values)
    except FleetImportError as error:
        raise FleetImportError(f"{paths[0]}: {error}") from error
    name = hub or name_of(paths[0])
    staging = tier_of(" ".join([name, *map(os.path.basename, paths)]))
    source = Source(cluster or DEFAULT_CLUSTER, name, tier or staging, values, files, not_imported=left)
    source.variables = {"hub_domain": _domain_of(values), "hub_addons": extract_addons(left, {})}
    if place:
        source.notes.append(
            f"the chart's values are the part {path_text(place)} of an umbrella chart, whose own defaults are in none"
            " of these files and unknown; add its values.yaml as the first file"
        )
    for addon in source.variables["hub_addons"]:
        source.notes.append(
            f"hub_addons.{addon}: values files do not contain its version; docs/options.md lists the default"
        )
    return SourceFleet([source])


def name_of(path: str) -> str:
    """Return a name for the hub of a file: the file's own, or that of the nearest directory with a specific name."""
    *folders, file = os.path.abspath(path).strip(os.sep).split(os.sep)
    names = [*folders, file.split(".")[0]]
    return next((name for name in reversed(names) if name and name not in _GENERIC_NAMES), names[-1])


def tier_of(name: str) -> str:
    """Return the tier of a hub of this name."""
    staging, production = TIERS
    return staging if staging in name else production


def _domain_of(values: Values) -> str | None:
    """Return the domain of the hub in the chart's values; None unless there is exactly one."""
    places = (("ingress", "hosts"), ("httpRoute", "hostnames"), ("proxy", "https", "hosts"))
    found = {host for path in places for host in _hosts(values, path)}
    return found.pop() if len(found) == 1 else None


def _hosts(values: Any, path: tuple[str, ...]) -> list[str]:
    hosts = value_at(values, path)
    return [host for host in hosts if isinstance(host, str)] if isinstance(hosts, list) else []
