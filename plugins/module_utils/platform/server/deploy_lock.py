# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One deploy at a time on a machine, and the machine's identity.

A lock is a file that names the process that holds it. A lock whose process is gone is stale: it is
told by the boot id and the process' start time, so that another process with the same number, or
one before a reboot, is not taken for it. Source: proc(5).
"""

from __future__ import annotations

import json
import os
from typing import Any

from . import files
from .layout import Layout
from .running import start_time

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")


class LockedError(Exception):
    """Another deploy is under way; one sentence that says whose."""


def machine_identity() -> str:
    """Return what tells this machine from all others, "" where it has nothing of the kind."""
    for path in _MACHINE_IDS:
        text = (files.read(path) or b"").decode(errors="replace").strip()
        if text and text != "uninitialized":
            return f"machine-id:{text}"
    return ""


def take(layout: Layout, pid: int, who: str, when: str) -> bool:
    """Take the lock of a cluster for the process ``pid``; return whether a stale one was in the way.

    Taken already by the same process, nothing changes. Raises LockedError while another holds it.
    """
    if not os.path.isdir(os.path.dirname(layout.root)):
        # Other accounts pass through it later on, whatever the umask is now.
        previous = os.umask(0o022)
        os.makedirs(os.path.dirname(layout.root), exist_ok=True)
        os.umask(previous)
    owner = {"pid": pid, "start_time": start_time(pid), "boot_id": _boot_id(), "who": who, "when": when}
    stale = False
    for _attempt in range(3):
        files.create(_path(layout), (json.dumps(owner, sort_keys=True) + "\n").encode())
        holder = _holder(layout)
        if _same(holder, owner):
            return stale
        if _lives(holder):
            raise LockedError(
                f"a deploy by {holder.get('who', 'somebody')} is under way since {holder.get('when', 'a while')} "
                f"(process {holder.get('pid')}); wait for its end"
            )
        stale = True
        _remove(layout)
    raise LockedError("somebody else takes the lock all the time; try again")


def release(layout: Layout, pid: int) -> bool:
    """Give the lock back if ``pid`` holds it; return whether it did."""
    holder = _holder(layout)
    if not holder or holder.get("pid") != pid:
        return False
    _remove(layout)
    return True


def _path(layout: Layout) -> str:
    # Beside the state directory, which a first deploy is yet to make.
    return f"{layout.root}.deploy-lock"


def _holder(layout: Layout) -> dict[str, Any]:
    try:
        found = json.loads(files.read(_path(layout)) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one.get(key) == other[key] for key in ("pid", "start_time", "boot_id"))


def _lives(holder: dict[str, Any]) -> bool:
    if holder.get("boot_id") != _boot_id() or not isinstance(holder.get("pid"), int):
        return False
    started = start_time(holder["pid"])
    return bool(started) and started == holder.get("start_time")


def _remove(layout: Layout) -> None:
    try:
        os.unlink(_path(layout))
    except FileNotFoundError:
        pass


def _boot_id() -> str:
    return (files.read(_BOOT_ID) or b"").decode().strip()
