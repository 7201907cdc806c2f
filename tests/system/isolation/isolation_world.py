# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hubs on one machine with running servers."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from hub_client import Kernel
from isolation_modes import Mode
from runtime_rig import PROFILES, Hub

MEMORY, PROCESSES, CPU = 500 << 20, 200, 0.5
USERS = ("alice", "bob")
#: Also where systemd manages the groups: a test may, for a moment, what a hub must not.
WITH_GROUPS = """
import functools, pathlib
from hubfleet_runtime.isolation import cgroups
cgroups.find_control_groups = functools.partial(cgroups.find_control_groups, systemd=pathlib.Path("/nonexistent"))
"""
WITHOUT_GROUPS = """
from hubfleet_runtime.isolation import cgroups
cgroups.find_control_groups = lambda: None
"""


@dataclass
class World:
    """A hub whose users are alice and bob, and another hub of the same account.

    kernels: one kernel of each user.
    """

    name: str
    mode: Mode
    hub: Hub
    other: Hub
    kernels: dict[str, Kernel]

    def new_kernel(self, user: str) -> Kernel:
        """Start a new kernel in place of a dead one."""
        self.kernels[user] = self.hub.kernel(user)
        return self.kernels[user]


def profiles() -> list[dict[str, Any]]:
    """Return a profile with the limits of these tests."""
    profile = copy.deepcopy(PROFILES[0])
    del profile["profile_options"]
    profile["kubespawner_override"] |= {"mem_limit": MEMORY, "cpu_limit": CPU}
    return [profile]
