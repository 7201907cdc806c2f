# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of this machine, and the locks that they hold. Standard library only.

Sources: proc(5) for /proc/PID/stat and boot_id, fcntl(2) for record locks.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import struct
import time
from pathlib import Path
from typing import NamedTuple

#: Environment variable of the managed services of a hub: the hub's directory. The engine reads it as well
#: (platform/server/apply/hub_processes.py).
SERVICE_OF = "HUBFLEET_SERVICE_OF"
# struct flock of 64-bit Linux: l_type, l_whence, l_start, l_len, l_pid
_FLOCK = "hhqqi4x"


class Stat(NamedTuple):
    """Fields of /proc/PID/stat."""

    state: str
    parent: int
    start_time: str


def stat(pid: int) -> Stat | None:
    """Return the state, parent and start time of a process; None if it does not exist."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # the command name is in parentheses, and may contain blanks and parentheses
    fields = text[text.rindex(")") + 2 :].split()
    return Stat(state=fields[0], parent=int(fields[1]), start_time=fields[19])


def boot_id() -> str:
    """Return the identity of this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def identity(pid: int) -> str:
    """Return what tells a process from a later one with the same pid; "" if it ended.

    A zombie has ended, though signal 0 still finds it.
    """
    found = stat(pid) if pid > 0 else None
    if found is None or found.state in ("Z", "X"):
        return ""
    return f"{boot_id()}:{found.start_time}"


def living_processes_of(uid: int) -> list[int]:
    """Return the pids of processes with that real or effective user id, without zombies."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
        except OSError:
            continue
        status = dict(line.split(":", 1) for line in lines if ":" in line)
        uids = {int(value) for value in status.get("Uid", "").split()[:2]}
        if uid in uids and status.get("State", "").split()[:1] != ["Z"]:
            found.append(int(pid))
    return found


def end_services(directory: Path, patience: float = 10.0) -> None:
    """Kill all managed services of a hub: TERM first, KILL after ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while left := _marked(f"{SERVICE_OF}={directory}".encode()):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if time.monotonic() > deadline else signal.SIGTERM)
        time.sleep(0.1)


def _marked(variable: bytes) -> list[int]:
    """Return the processes with a variable in their environment; zombies have none."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # it belongs to another account, or ended
            if variable in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(int(pid))
    return found


def lock_holder(path: str | os.PathLike[str]) -> int:
    """Return the pid that holds the record lock on a file; 0 if it is not locked.

    The holder itself must not call this: closing any descriptor of the file would drop its lock.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        query = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, query))
    finally:
        os.close(descriptor)
    return 0 if answer[0] == fcntl.F_UNLCK else int(answer[4])
