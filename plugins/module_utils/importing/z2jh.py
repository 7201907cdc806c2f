# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values files of the zero-to-jupyterhub chart, for one hub."""

from __future__ import annotations

import os
from typing import Any

from ..fleet.model import TIERS
from ..platform.kubernetes.layers import Values
from .problems import ImportProblem
from .sources import Library, Source, Tree

#: Names of files that say nothing about whose they are.
_NAMELESS = {"values", "config", "jupyterhub", "helm-values", "z2jh"}

DEFAULT_CLUSTER = "kubernetes"


def read_z2jh(paths: list[str], hub: str, cluster: str, tier: str) -> Tree:
    """Return the hub that values files in Helm's order make; raises ImportProblem.

    hub, cluster and tier name it; where they are "", the first file or its directory does.
    """
    library = Library(os.path.dirname(os.path.abspath(paths[0])))
    files = library.files([os.path.abspath(path) for path in paths])
    name = hub or name_of(paths[0])
    source = Source(cluster or DEFAULT_CLUSTER, name, tier or tier_of(name), files.values, files)
    if not files.read and not files.pending:
        raise ImportProblem(f"{paths[0]}: there is nothing to import")
    source.variables = {"hub_domain": _domain_of(files.values)}
    return Tree([source])


def name_of(path: str) -> str:
    """Return what a file says of whose it is, or its directory where it says nothing."""
    name = os.path.basename(path).split(".")[0]
    folder = os.path.basename(os.path.dirname(os.path.abspath(path)))
    return folder or name if name in _NAMELESS else name


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
    for key in path:
        values = values.get(key) if isinstance(values, dict) else None
    return [host for host in values if isinstance(host, str)] if isinstance(values, list) else []
