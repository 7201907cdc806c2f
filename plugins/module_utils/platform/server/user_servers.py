# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""End the servers of a hub's users, for when the hub itself is stopped for good.

They are told by HUBFLEET_HUB, the hub's directory, which the spawner puts into the environment of
every server; so it works whether or not the hub still runs.
"""

from __future__ import annotations

import os
import signal
import time

GRACE = 10.0


def end_servers(directory: str) -> int:
    """End all processes of users' servers of the hub in ``directory``; return how many there were.

    TERM first, then KILL.
    """
    found = _processes(directory)
    if not found:
        return 0
    _signal(found, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    left = found
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left = _processes(directory)
    _signal(left, signal.SIGKILL)
    return len(found)


def _processes(directory: str) -> list[int]:
    """Return the pids whose environment names the hub; those of other accounts only as root."""
    mark = f"HUBFLEET_HUB={directory}".encode()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    if mark in file.read().split(b"\0"):
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
