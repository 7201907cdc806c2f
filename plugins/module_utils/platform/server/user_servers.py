# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the servers of a hub's users, and end them when the hub itself is stopped for good.

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


def users_of_servers(directory: str) -> list[str]:
    """Return the users of the hub in ``directory`` whose servers run, by JupyterHub's own name for them, sorted."""
    found: set[str] = set()
    for variables in _servers(directory).values():
        named = [line.partition(b"=")[2] for line in variables if line.startswith(b"JUPYTERHUB_USER=")]
        found.update(name.decode(errors="replace") for name in named)
    return sorted(found)


def _processes(directory: str) -> list[int]:
    return list(_servers(directory))


def _servers(directory: str) -> dict[int, list[bytes]]:
    """Return pid -> environment of processes that name the hub in it; those of other accounts only as root."""
    mark = f"HUBFLEET_HUB={directory}".encode()
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    variables = file.read().split(b"\0")
            except OSError:
                continue
            if mark in variables:
                found[int(name)] = variables
    return found


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
