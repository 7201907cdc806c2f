# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory names of imported hubs and clusters."""

from __future__ import annotations

from ..schema.model import TIERS
from .catalogues import short_name, unique_name

#: Names of groups with a meaning of their own.
_TAKEN = ("all", "ungrouped", "clusters", *TIERS)


def group_names(clusters: list[str]) -> dict[str, str]:
    """Return cluster -> a valid Ansible group name."""
    found: dict[str, str] = {}
    for cluster in clusters:
        if cluster in found:
            continue
        name = short_name(cluster, "_")
        if name[0].isdigit():
            name = short_name(f"cluster_{name}", "_")
        found[cluster] = unique_name(name, [*found.values(), *_TAKEN], "_")
    return found


def host_names(preferred: list[str], groups: list[str]) -> list[str]:
    """Return a name for each hub, distinct from other hubs and groups."""
    found: list[str] = []
    for name in preferred:
        found.append(unique_name(short_name(name), [*found, *groups, *_TAKEN, "localhost"]))
    return found
