# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out how a user's server can be limited, before a hub runs."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

MOUNTINFO = "/proc/self/mountinfo"
_CONTROLLERS = frozenset({"memory", "cpu", "pids"})


class Hierarchy(NamedTuple):
    """A hierarchy of control groups of version 1; its mount options include its controllers."""

    mount: str
    options: list[str]


def hierarchies(mountinfo: str = MOUNTINFO) -> list[Hierarchy]:
    """Return the mounted hierarchies of control groups of version 1. Source: proc(5)."""
    found = []
    with open(mountinfo, encoding="utf-8") as stream:
        for line in stream:
            left, _separator, right = line.partition(" - ")
            if right.split()[0] == "cgroup":
                found.append(Hierarchy(left.split()[4], right.split()[-1].split(",")))
    return found


def has_control_groups(mountinfo: str = MOUNTINFO) -> bool:
    """Return whether the spawner can limit servers by control groups without systemd.

    Only version 1, see hubfleet_runtime/isolation/cgroups.py.
    """
    writable = [each.options for each in hierarchies(mountinfo) if os.access(each.mount, os.W_OK)]
    return set().union(*writable) >= _CONTROLLERS


def describe_limits(isolation: str, control_groups: bool, kernel: str, units: bool = False) -> str:
    """Return what is enforced under an isolation, with ``units`` by systemd; see docs/security.md."""
    if units:
        return "memory, CPU and processes limited per server by systemd"
    if isolation == "system-users" and control_groups:
        return "memory, CPU and processes limited per server by control groups"
    memory = "memory limited per process"
    if isolation == "system-users":
        return f"{memory}, processes per user"
    # as hubfleet_runtime/isolation/bubblewrap.py: older kernels count the processes of all sandboxes together
    if isolation == "bubblewrap" and tuple(map(int, re.findall(r"\d+", kernel)[:2])) >= (5, 14):
        return f"{memory}, processes per sandbox"
    return memory
