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
from .errors import ImportProblem
from .sources import Library, Source, Tree
from .umbrella import chart_part, take_addons

#: Names of files and directories that say nothing about whose they are.
_NAMELESS = {"values", "config", "jupyterhub", "helm-values", "z2jh", "common", "staging", "prod", "production"}

DEFAULT_CLUSTER = "kubernetes"


def read_z2jh(paths: list[str], hub: str, cluster: str, tier: str) -> Tree:
    """Return the hub that values files in Helm's order make; raises ImportProblem.

    hub, cluster and tier name it; where they are "", the first file or its directory does.
    """
    library = Library(os.path.commonpath([os.path.dirname(os.path.abspath(path)) for path in paths]))
    files = library.files([os.path.abspath(path) for path in paths])
    if not files.read and not files.pending:
        raise ImportProblem(f"{paths[0]}: there is nothing to import")
    try:
        values, place, left = chart_part(files.values)
    except ImportProblem as error:
        raise ImportProblem(f"{paths[0]}: {error}") from error
    name = hub or name_of(paths[0])
    staging = tier_of(" ".join([name, *map(os.path.basename, paths)]))
    source = Source(cluster or DEFAULT_CLUSTER, name, tier or staging, values, files, left=left)
    source.variables = {"hub_domain": _domain_of(values), "hub_addons": take_addons(left, {})}
    if place:
        source.notes.append(f"the chart's values are those of {path_text(place)}, a part of a chart around it")
    for addon in source.variables["hub_addons"]:
        source.notes.append(
            f"hub_addons.{addon}: its version is in no values file; see docs/options.md for the one taken"
        )
    return Tree([source])


def name_of(path: str) -> str:
    """Return what a file says of whose it is, or the nearest directory that does where it says nothing."""
    *folders, file = os.path.abspath(path).strip(os.sep).split(os.sep)
    names = [*folders, file.split(".")[0]]
    return next((name for name in reversed(names) if name and name not in _NAMELESS), names[-1])


def tier_of(name: str) -> str:
    """Return the tier of a hub of this name."""
    staging, production = TIERS
    return staging if staging in name else production


def _domain_of(values: Values) -> str | None:
    """Return the domain that the chart routes to the hub, where it is exactly one."""
    places = (("ingress", "hosts"), ("httpRoute", "hostnames"), ("proxy", "https", "hosts"))
    found = {host for path in places for host in _hosts(values, path)}
    return found.pop() if len(found) == 1 else None


def _hosts(values: Any, path: tuple[str, ...]) -> list[str]:
    hosts = value_at(values, path)
    return [host for host in hosts if isinstance(host, str)] if isinstance(hosts, list) else []
