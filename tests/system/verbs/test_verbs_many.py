# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users who come at once, as in the benchmarks, but fewer of them."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from conftest import Deployed
from verbs_fleet import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "tests" / "bench"))
from processes import memory_of_users
from users import Session, arrive, client_of, hub_api, new_name


async def crowd(directory: Path, count: int) -> tuple[list[Session], int, int]:
    """What became of users who came at once, how often the hub told them to wait, and how many kernels there were."""
    async with client_of(directory) as client:
        names = [new_name(client) for _each in range(count)]
        try:
            sessions = await arrive(client, names)
            kernels = len(memory_of_users(directory).kernels)
        finally:
            for name in names:
                assert await hub_api.remove_user(client, name, 60) is None
        return sessions, client.throttled, kernels


def test_five_users_come_at_once(deployed: Deployed) -> None:
    """All get a server and a kernel that computes, and none is told to come again later."""
    sessions, throttled, kernels = asyncio.run(crowd(deployed.fleet.hub("trial").directory, 5))
    assert [session.error for session in sessions] == [""] * 5
    assert throttled == 0
    assert kernels == 5
