# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find and kill the servers of a hub's users and its managed services, when the hub is stopped or does not know them.

The spawner sets HUBFLEET_HUB, the hub's directory, in the environment of every server, and the hub's configuration
HUBFLEET_SERVICE_OF in that of every managed service, so that they are found whether or not the hub runs.
"""

from __future__ import annotations

import os
import signal
import time
from collections import defaultdict
from typing import Callable

from .control_groups import end_groups, processes_of_groups

GRACE = 10.0


def has_servers(directory: str) -> bool:
    """Return whether :func:`end_servers` would end any process."""
    return bool(_servers(directory)) or bool(processes_of_groups(directory))


def end_servers(directory: str) -> int:
    """Kill all processes of users' servers of the hub in ``directory``; return how many there were.

    Sends TERM, then KILL. If servers have control groups, this includes processes that cleared their environment.
    """
    return _end(lambda: list(_servers(directory))) + end_groups(directory)


def has_managed_services(directory: str) -> bool:
    """Return whether :func:`end_managed_services` would end any process."""
    return bool(_marked("HUBFLEET_SERVICE_OF", directory))


def end_managed_services(directory: str) -> int:
    """Kill all processes of managed services of the hub in ``directory``; return how many there were."""
    return _end(lambda: list(_marked("HUBFLEET_SERVICE_OF", directory)))


def end_unknown_servers(directory: str, known: dict[tuple[str, str], int]) -> int:
    """Kill servers of the hub in ``directory`` that it does not know; return how many processes there were.

    known: user and name of each known server -> its pid, 0 if unknown.
    """

    def unknown() -> list[int]:
        groups: dict[tuple[str, str], list[int]] = defaultdict(list)
        for pid, variables in _servers(directory).items():
            groups[_variable(variables, "JUPYTERHUB_USER"), _variable(variables, "JUPYTERHUB_SERVER_NAME")].append(pid)
        return [
            pid
            for server, pids in groups.items()
            for pid in pids
            if server not in known or known[server] not in (0, *pids)
        ]

    return _end(unknown)


def _end(find: Callable[[], list[int]]) -> int:
    found = left = find()
    _signal(found, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left = find()
    _signal(left, signal.SIGKILL)
    return len(found)


def users_of_servers(directory: str) -> list[str]:
    """Return the users of the hub in ``directory`` whose servers run, by JupyterHub's user name, sorted."""
    return sorted({_variable(variables, "JUPYTERHUB_USER") for variables in _servers(directory).values()} - {""})


def _variable(variables: list[bytes], name: str) -> str:
    """Return an environment variable of a process, "" if it is not set."""
    start = f"{name}=".encode()
    return next((line[len(start) :].decode(errors="replace") for line in variables if line.startswith(start)), "")


def _servers(directory: str) -> dict[int, list[bytes]]:
    """Return pid -> environment of the hub's servers."""
    return _marked("HUBFLEET_HUB", directory)


def _marked(variable: str, directory: str) -> dict[int, list[bytes]]:
    """Return pid -> environment of processes with this variable; processes of other accounts only as root."""
    mark = f"{variable}={directory}".encode()
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
