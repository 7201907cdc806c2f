# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove the control groups of users' servers, with the processes in them, when a hub is stopped for good.

While the hub runs, the spawner removes them; see hubfleet_runtime/isolation/cgroups.py and names.server_id() there.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import signal
import time

from ..facts.limits import MOUNTINFO, hierarchies

_TIMEOUT = 10.0


def processes_of_groups(directory: str, mountinfo: str = MOUNTINFO) -> list[int]:
    """Return the processes in the groups of servers of the hub in ``directory``."""
    return [pid for group in _groups(directory, mountinfo) for pid in _processes(group)]


def end_groups(directory: str, mountinfo: str = MOUNTINFO) -> int:
    """Kill the processes in the control groups of the hub in ``directory``, and remove the groups.

    Return the number of processes.
    """
    ended: set[int] = set()
    deadline = time.monotonic() + _TIMEOUT
    while (left := _groups(directory, mountinfo)) and time.monotonic() < deadline:
        for group in left:
            ended.update(_kill(group))
            with contextlib.suppress(OSError):  # until the last process has ended
                os.rmdir(group)
    return len(ended)


def _groups(directory: str, mountinfo: str) -> list[str]:
    hub = hashlib.sha256(directory.encode()).hexdigest()[:8]
    mounts = [glob.escape(each.mount) for each in hierarchies(mountinfo)]
    return [path for mount in mounts for path in glob.glob(f"{mount}/hubfleet/hf-{hub}-*")]


def _kill(group: str) -> list[int]:
    limit = os.path.join(group, "pids.max")
    if os.path.exists(limit):  # only in the hierarchy of this controller
        with contextlib.suppress(OSError), open(limit, "r+", encoding="ascii") as file:
            file.write("0")  # no process can escape by forking
    found = _processes(group)
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return found


def _processes(group: str) -> list[int]:
    try:
        with open(os.path.join(group, "cgroup.procs"), encoding="ascii") as file:
            return [int(line) for line in file]
    except FileNotFoundError:
        return []
