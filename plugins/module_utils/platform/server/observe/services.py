# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the running services of a hub by their locks and run records alone.

The launcher (roles/cluster/files/runtime) holds a POSIX record lock for as long as the service
lives, and writes down what it became. So no supervisor needs to be asked, and a service that
outlived its supervisor is seen as well. Sources: fcntl(2) for F_GETLK, proc(5) for the stat file.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import struct
import time
from dataclasses import dataclass

from ....common.processes import start_time
from ..layout import HubLayout

_FLOCK = "hhqqi4x"  # struct flock of 64-bit Linux: type, whence, start, length, pid


@dataclass(frozen=True)
class Running:
    """What runs as a service: pid 0 where nothing does, "" where the digest is not known (yet)."""

    pid: int = 0
    digest: str = ""


def running(layout: HubLayout, role: str) -> Running:
    """Return what runs as service ``role`` of the hub."""
    pid = lock_holder(layout.lock(role))
    if not pid:
        return Running()
    try:
        with open(layout.record(role), encoding="utf-8") as file:
            record = json.load(file)
    except (OSError, ValueError):
        return Running(pid)
    same = record.get("pid") == pid and record.get("start_time") == start_time(pid)
    return Running(pid, str(record.get("digest", "")) if same else "")


def failed_services(layout: HubLayout) -> dict[str, str] | None:
    """Return the managed services that ended when the running hub started -> how; None until it has finished its start.

    hubfleet_runtime/hub.py writes the record.
    """
    try:
        with open(layout.path("run", "hub-started.json"), encoding="utf-8") as file:
            record = json.load(file)
    except (OSError, ValueError):
        return None
    pid = lock_holder(layout.lock("hub"))
    same = pid and record.get("pid") == pid and record.get("start_time") == start_time(pid)
    return dict(record.get("failed_services") or {}) if same else None


def lock_holder(path: str) -> int:
    """Return the pid that holds the record lock on ``path``, or 0."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        question = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, question))
    finally:
        os.close(descriptor)
    return 0 if answer[0] == fcntl.F_UNLCK else int(answer[4])


def end(layout: HubLayout, role: str, timeout: float = 30.0) -> bool:
    """Stop the process that holds the lock of a service; return whether there was one.

    For services that outlived their supervisor. TERM first; KILL after ``timeout`` seconds.
    """
    pid = lock_holder(layout.lock(role))
    if not pid:
        return False
    deadline = time.monotonic() + timeout
    _signal(pid, signal.SIGTERM)
    while lock_holder(layout.lock(role)) == pid:
        if time.monotonic() > deadline:
            _signal(pid, signal.SIGKILL)
            deadline += timeout
        time.sleep(0.05)
    return True


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
