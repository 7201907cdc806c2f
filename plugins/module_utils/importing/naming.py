# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory names of imported hubs and clusters."""

from __future__ import annotations

from ..schema.model import TIERS
from .catalogues import fitting, unique

#: Groups that are there already, or that mean something else.
_TAKEN = ("all", "ungrouped", "clusters", *TIERS)


def group_names(clusters: list[str]) -> dict[str, str]:
    """Return cluster -> group: what Ansible takes as the name of a group without a warning."""
    found: dict[str, str] = {}
    for cluster in clusters:
        if cluster in found:
            continue
        name = fitting(cluster, "_")
        if name[0].isdigit():
            name = fitting(f"cluster_{name}", "_")
        found[cluster] = unique(name, [*found.values(), *_TAKEN], "_")
    return found


def host_names(wished: list[str], groups: list[str]) -> list[str]:
    """Return a name for each hub, none of them twice nor that of a group."""
    found: list[str] = []
    for name in wished:
        found.append(unique(fitting(name), [*found, *groups, *_TAKEN, "localhost"]))
    return found
