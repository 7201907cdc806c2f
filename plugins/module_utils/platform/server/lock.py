# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One deploy at a time on a machine, and the machine's identity.

A lock is a file that names the process that holds it, and the machine that the process is on: that of whoever
deploys. A lock whose process is gone is stale: it is told by the boot id and the process' start time, so that another
process with the same number, or one before a reboot, is not taken for it. Source: proc(5). Of a process on yet
another machine only that one can tell: :func:`is_gone`.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from ...common import files
from ...common.errors import HubfleetError
from .layout import Layout
from .observe.services import start_time

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")


class LockedError(HubfleetError):
    """Another deploy is under way; one sentence that says whose. holder: what its lock says."""

    def __init__(self, holder: dict[str, Any], path: str):
        self.holder = holder
        told = (
            f"a deploy by {holder.get('who', 'somebody')} is under way since {holder.get('when', 'a while')} "
            f"(process {holder.get('pid')}); wait for its end"
        )
        super().__init__(told if _is_here(holder) else f"{told}; if it ended without cleaning up, remove {path} there")


def machine_identity() -> str:
    """Return what tells this machine from all others, "" where it has nothing of the kind."""
    for path in _MACHINE_IDS:
        text = (files.read(path) or b"").decode(errors="replace").strip()
        if text and text != "uninitialized":
            return f"machine-id:{text}"
    return ""


def owner(pid: int, who: str, when: str) -> dict[str, Any]:
    """Return what a lock says that the process ``pid`` of this machine holds."""
    process = {"pid": pid, "start_time": start_time(pid), "boot_id": _boot_id()}
    return {**process, "machine": _this_machine(), "who": who, "when": when}


def is_gone(holder: dict[str, Any]) -> bool:
    """Tell whether the holder of a lock was a process of this machine, and does not live any more."""
    return _is_here(holder) and not _lives(holder)


def take(layout: Layout, wanting: dict[str, Any], gone: dict[str, Any] | None = None) -> bool:
    """Take the lock of a cluster for an :func:`owner`; return whether a stale one was in the way.

    gone: a holder of which the machine it was on knows that it does not live any more.
    Taken already by the same process, nothing changes. Raises LockedError while another holds it.
    """
    if not os.path.isdir(os.path.dirname(layout.root)):
        # Other accounts pass through it later on, whatever the umask is now.
        previous = os.umask(0o022)
        os.makedirs(os.path.dirname(layout.root), exist_ok=True)
        os.umask(previous)
    with _opened(layout) as file:
        holder = _holder(file)
        if _same(holder, wanting):
            return False
        if holder and holder != gone and not is_gone(holder):
            raise LockedError(holder, _path(layout))
        file.seek(0)
        file.truncate()
        file.write(json.dumps(wanting, sort_keys=True) + "\n")
        return bool(holder)


def release(layout: Layout, holding: dict[str, Any]) -> bool:
    """Give the lock back if an :func:`owner` holds it; return whether it did."""
    if not os.path.exists(_path(layout)):
        return False
    with _opened(layout) as file:
        if not _same(_holder(file), holding):
            return False
        os.unlink(_path(layout))
        return True


@contextmanager
def _opened(layout: Layout) -> Iterator[TextIO]:
    """Give the lock's file; nobody else reads or writes it meanwhile, so that two never take a stale lock at once."""
    path = _path(layout)
    while True:
        # In a place that others may write to, a link could lead to any file.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+", encoding="utf-8", errors="replace") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Who gave the lock back while we waited has removed this file; others may have made a new one.
            if os.path.exists(path) and os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                yield file
                return


def _path(layout: Layout) -> str:
    # Beside the state directory, which a first deploy is yet to make.
    return f"{layout.root}.deploy-lock"


def _holder(file: TextIO) -> dict[str, Any]:
    """Return who holds the lock; nobody where its file is empty, or was being written when a machine died."""
    try:
        found = json.loads(file.read() or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one.get(key) == other[key] for key in ("pid", "start_time", "boot_id"))


def _is_here(holder: dict[str, Any]) -> bool:
    return holder.get("machine") == _this_machine()


def _this_machine() -> str:
    """Return what tells this machine from others; containers often have nothing but a name."""
    return machine_identity() or socket.gethostname()


def _lives(holder: dict[str, Any]) -> bool:
    if holder.get("boot_id") != _boot_id() or not isinstance(holder.get("pid"), int):
        return False
    started = start_time(holder["pid"])
    return bool(started) and started == holder.get("start_time")


def _boot_id() -> str:
    return (files.read(_BOOT_ID) or b"").decode().strip()
