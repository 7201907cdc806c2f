# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a state directory is: a deploy only uses one that it created or found empty, and remove only what lies in it.

The first deploy marks it before it creates anything else, so that one that was interrupted can be completed.
"""

from __future__ import annotations

import os
import pwd

from ...common.errors import HubfleetError, reason
from ...common.text import abbreviated
from .layout import Layout

#: Directories that other programs expect to be theirs, even where they are empty.
_SYSTEM = frozenset(
    (
        *("/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/proc", "/root"),
        *("/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/bin", "/usr/lib", "/usr/local", "/usr/sbin"),
        *("/usr/share", "/var", "/var/cache", "/var/lib", "/var/log", "/var/mail", "/var/spool", "/var/tmp"),
    )
)
#: What a new file system contains.
_OF_FILE_SYSTEM = {"lost+found"}


class ForeignDirectoryError(HubfleetError):
    """The state directory holds what no deploy made."""


def foreign(layout: Layout) -> str:
    """Return why a directory cannot be used as state directory, "" if it can."""
    path = os.path.realpath(layout.root)
    if path in _SYSTEM:
        return "is a directory of the system"
    if os.path.exists(layout.marker):
        return ""
    if not os.path.isdir(path):
        return "is not a directory" if os.path.lexists(path) else ""
    account = next((entry.pw_name for entry in pwd.getpwall() if os.path.realpath(entry.pw_dir) == path), "")
    if account:
        return f"is the home directory of {account}"
    try:
        there = sorted(set(os.listdir(path)) - _OF_FILE_SYSTEM)
    except OSError as error:
        return f"cannot be read: {reason(error)}"
    return f"contains {abbreviated(list(map(repr, there)), 3)}, which no deploy made" if there else ""


def require_own(layout: Layout) -> None:
    """Raise ForeignDirectoryError if the state directory exists, and no deploy made it."""
    problem = foreign(layout)
    if problem:
        raise ForeignDirectoryError(f"the state directory {layout.root} {problem}; nothing in it is changed")


def claim(layout: Layout) -> None:
    """Mark an existing state directory as made by a deploy."""
    # Not by replacing a temporary file, which would make the directory foreign if that is interrupted.
    os.close(os.open(layout.marker, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))


def release(layout: Layout) -> None:
    """Remove the mark, and the directory unless it is a mount point; keep both if anything else is there."""
    if set(os.listdir(layout.root)) - _OF_FILE_SYSTEM - {os.path.basename(layout.marker)}:
        return
    if os.path.exists(layout.marker):
        os.unlink(layout.marker)
    if not os.path.ismount(layout.root):
        os.rmdir(layout.root)


def lies_inside(layout: Layout, path: str) -> bool:
    """Return whether a path below the state directory leads to a place in it, and not elsewhere by a symbolic link."""
    inside = os.path.relpath(path, layout.root)
    return os.path.realpath(path) == os.path.join(os.path.realpath(layout.root), inside)
