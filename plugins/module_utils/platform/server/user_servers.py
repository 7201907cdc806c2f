# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""End the servers of a hub's users, for when the hub itself is stopped for good.

They are told by JUPYTERHUB_API_URL, which every server and kernel of a hub has in its
environment (JupyterHub's Spawner.get_env); so it works whether or not the hub still runs.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any

GRACE = 10.0


def end_servers(config: dict[str, Any]) -> int:
    """End all processes of users' servers; return how many there were. TERM first, then KILL.

    config: the hub's hub.json; ``ports`` and ``base_url`` are used.
    """
    found = _processes(config)
    if not found:
        return 0
    _signal(found, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    left = found
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left = _processes(config)
    _signal(left, signal.SIGKILL)
    return len(found)


def _processes(config: dict[str, Any]) -> list[int]:
    """Return the pids whose environment names the hub's API; those of other accounts only as root."""
    api = f"JUPYTERHUB_API_URL=http://127.0.0.1:{config['ports']['hub']}{config['base_url']}hub/api".encode()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    if api in file.read().split(b"\0"):
                        found.append(int(name))
            except OSError:
                continue
    return found


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
