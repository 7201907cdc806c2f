# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixture: two hubs on one machine with running servers, in each mode of isolation that the machine allows."""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from isolation_modes import MODES
from isolation_shared import SHARED
from isolation_world import PROCESSES, USERS, WITH_GROUPS, WITHOUT_GROUPS, World, profiles
from runtime_rig import Hub


@pytest.fixture(scope="module", params=list(MODES))
def world(
    request: pytest.FixtureRequest,
    make_root_hub: Callable[..., Hub],
    make_user_hub: Callable[..., Hub],
) -> Iterator[World]:
    """Two hubs, for one mode after the other."""
    from hubfleet_runtime.isolation import cgroups

    name = str(request.param)
    as_root = name.startswith("system-users")
    if as_root and os.geteuid() != 0:
        pytest.skip("needs root: accounts are made")
    if name == "system-users" and cgroups.find_control_groups(systemd=Path("/nonexistent")) is None:
        pytest.skip("control groups cannot be written here")
    if name == "bubblewrap" and shutil.which("bwrap") is None:
        pytest.skip("needs bubblewrap")
    settings: dict[str, Any] = {
        "profile_list": profiles(),
        **SHARED,
        "traits": {
            "JupyterHub": {"authenticator_class": "dummy", "allow_named_servers": True},
            "Authenticator": {"allow_all": True},
            # without effect: the tests want sockets
            "Spawner": {"start_timeout": 60, "args": ["--KernelManager.transport=tcp", "--KernelManager.ip=0.0.0.0"]},
            "ServerSpawner": {"processes_limit": PROCESSES},
        },
    }
    if as_root:
        settings["admin_sudo"] = True
        settings["traits"]["Authenticator"]["admin_users"] = ["alice"]
    make = make_root_hub if as_root else make_user_hub
    if not as_root:
        settings["isolation"] = name
    hubs = [make(f"{name}-{number}", **copy.deepcopy(settings)) for number in ("one", "two")]
    for hub in hubs:
        hub.write(extra=WITHOUT_GROUPS if name == "system-users-alone" else WITH_GROUPS)
        hub.start("proxy", "hub")
    with ThreadPoolExecutor() as pool:
        events = list(pool.map(hubs[0].start_server, USERS))
    assert all(event.get("ready") for event in events), events
    yield World(name, MODES[name], hubs[0], hubs[1], {user: hubs[0].kernel(user) for user in USERS})
    for hub in hubs:
        hub.stop()
