# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One deploy at a time on a machine: a file beside the state directory that names the owner of the lock."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from ...common.errors import HubfleetError
from ...fleet.lock_owner import ALIVE, GONE, LockOwner
from .layout import Layout


class LockedError(HubfleetError):
    """Another deploy holds the lock."""

    def __init__(self, holder: LockOwner):
        self.holder = holder
        super().__init__(f"a deploy by {holder.describe()}")


def take(layout: Layout, owner: LockOwner, replacing: LockOwner | None = None) -> bool:
    """Take the lock of a cluster; return whether the lock of another owner was replaced.

    An owner that is seen to be gone is replaced. replacing: another one that may be, unless it is seen alive.
    Nothing changes where ``owner`` has the lock already. Raises LockedError while another one holds it.
    """
    if not os.path.isdir(os.path.dirname(layout.root)):
        # Other accounts traverse it later, so the mode must not depend on the umask.
        previous = os.umask(0o022)
        os.makedirs(os.path.dirname(layout.root), exist_ok=True)
        os.umask(previous)
    with _opened(layout) as file:
        # An empty or incomplete file is left from a crash, so the lock is not held.
        holder = LockOwner.from_text(file.read())
        if owner.is_same(holder):
            return False
        state = holder.state() if holder else GONE
        if holder and state != GONE and (state == ALIVE or holder != replacing):
            raise LockedError(holder)
        file.seek(0)
        file.truncate()
        file.write(owner.to_text() + "\n")
        return holder is not None


def release(layout: Layout, owner: LockOwner) -> bool:
    """Release the lock if ``owner`` holds it; return whether it did."""
    if not os.path.exists(lock_path(layout)):
        return False
    with _opened(layout) as file:
        if not owner.is_same(LockOwner.from_text(file.read())):
            return False
        os.unlink(lock_path(layout))
        return True


def lock_path(layout: Layout) -> str:
    """Return the path of the lock: beside the state directory, which a first deploy is yet to make."""
    return f"{layout.root}.deploy-lock"


@contextmanager
def _opened(layout: Layout) -> Iterator[TextIO]:
    """Open the lock's file exclusively, so that two processes never take a stale lock at once."""
    path = lock_path(layout)
    while True:
        # In a place that others may write to, a link could lead to any file.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+", encoding="utf-8", errors="replace") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Whoever released the lock while we waited has removed this file; others may have made a new one.
            if os.path.exists(path) and os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                yield file
                return
