# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a user's server from using up the machine, as far as that can be told before a hub runs."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

MOUNTINFO = "/proc/self/mountinfo"
CONTROLLERS = frozenset({"memory", "cpu", "pids"})


def find_cgroups(mountinfo: str = MOUNTINFO) -> str:
    """Return the version of control groups whose limits can be set: "v1", "v2", or "" for none.

    Only looks; hubfleet_runtime/isolation/cgroups.py does the work. Sources: proc(5) for mountinfo, and the
    kernel's admin-guide/cgroup-v2 for which groups may give controllers to those below them.
    """
    first: set[str] = set()
    second: set[str] = set()
    for kind, place, options in trees(mountinfo):
        if kind == "cgroup" and os.access(place, os.W_OK):
            first.update(options)
        elif kind == "cgroup2" and os.access(place, os.W_OK):
            # only the root of all, which has no type, may have processes and give controllers
            root = not os.path.exists(os.path.join(place, "cgroup.type"))
            second.update(_words(place, "cgroup.controllers" if root else "cgroup.subtree_control"))
    return "v1" if first >= CONTROLLERS else "v2" if second >= CONTROLLERS else ""


def limits_in_words(isolation: str, cgroups: str, kernel: str, units: bool = False) -> str:
    """Return what is enforced under an isolation, with ``units`` by systemd; docs/security.md has it at length."""
    if units:
        return "memory, CPU and processes limited per server by systemd"
    if isolation == "system-users" and cgroups:
        return f"memory, CPU and processes limited per server by cgroup {cgroups}"
    memory = "memory limited per process"
    if isolation == "system-users":
        return f"{memory}, processes per user"
    # as hubfleet_runtime/isolation/bubblewrap.py does: older ones count the processes of all sandboxes together
    if isolation == "bubblewrap" and tuple(map(int, re.findall(r"\d+", kernel)[:2])) >= (5, 14):
        return f"{memory}, processes per sandbox"
    return memory


class Tree(NamedTuple):
    """A tree of control groups: its version, "cgroup" or "cgroup2", where it is, and its options.

    In version 1, these name its controllers.
    """

    kind: str
    place: str
    options: list[str]


def trees(mountinfo: str = MOUNTINFO) -> list[Tree]:
    """Return the trees that are mounted."""
    with open(mountinfo, encoding="utf-8") as stream:
        mounts = [line.partition(" - ") for line in stream]
    found = [
        Tree(right.split()[0], left.split()[4], right.split()[-1].split(",")) for left, _separator, right in mounts
    ]
    return [tree for tree in found if tree.kind in ("cgroup", "cgroup2")]


def _words(directory: str, name: str) -> list[str]:
    with open(os.path.join(directory, name), encoding="ascii") as stream:
        return stream.read().split()
