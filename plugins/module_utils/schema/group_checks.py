# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the groups of an inventory: clusters and tiers."""

from __future__ import annotations

import os
import re

from .catalogue_options import NAME_PATTERN, NAME_TEXT
from .model import LOCALHOST, TIERS, FleetInput
from .problems import Problems

#: Groups that have a meaning of their own, for Ansible or for this collection.
_RESERVED_GROUPS = ("all", "ungrouped", "clusters", *TIERS)
#: Start of the names of groups that playbooks make.
_OUR_GROUPS = "hubfleet_"


def check_groups(inventory: FleetInput, problems: Problems) -> None:
    """Every hub is in one cluster and one tier; names are usable for files and services; no file is read as hosts."""
    for path, stray in inventory.strays.items():
        moved = f"../files/{os.path.basename(path)}"
        message = (
            f"Ansible reads this file as an inventory, and took {stray!r} for a host; move it out of the inventory "
            f"directory, to {moved} as seen from there"
        )
        problems.add((), message, path)
    cluster_of: dict[str, list[str]] = {name: [] for name in inventory.hosts}
    for cluster, members in inventory.clusters.items():
        if not re.fullmatch(NAME_PATTERN.replace("-a-z0-9", "-_a-z0-9"), cluster):
            problems.add((), f"cluster {cluster!r}: the name of a cluster must be {NAME_TEXT} or '_'")
        elif cluster in _RESERVED_GROUPS or cluster.startswith(_OUR_GROUPS):
            problems.add((), f"cluster {cluster!r}: the name is that of a group with another meaning; use another name")
        for member in members:
            cluster_of[member].append(cluster)
    for name, host in inventory.hosts.items():
        if not cluster_of[name]:
            problems.add((), "is not in a cluster; add it to a child group of the group clusters", hub=name)
            continue
        if not re.fullmatch(NAME_PATTERN, name):
            problems.add((), f"the name of a hub must be {NAME_TEXT}, at most 32 characters", hub=name)
        elif name in inventory.groups:
            message = (
                "is the name of a group as well, so that --limit would mean both; use another name for one of them"
            )
            problems.add((), message, hub=name)
        elif name == LOCALHOST:
            problems.add((), "is Ansible's name of the machine that it runs on; use another name for the hub", hub=name)
        if len(cluster_of[name]) > 1:
            problems.add(
                (),
                f"is in several clusters ({', '.join(sorted(cluster_of[name]))}); a hub must be in exactly one",
                hub=name,
            )
        tiers = [tier for tier in TIERS if tier in host.groups]
        if len(tiers) != 1:
            problems.add(
                (),
                f"is in {' and '.join(tiers) or 'no tier'}; add it to exactly one of the groups {' or '.join(TIERS)}",
                hub=name,
            )
