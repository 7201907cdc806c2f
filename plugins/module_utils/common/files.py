# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write files the safe way: whole or not at all, private unless said otherwise."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile

#: Bytes that are read at once.
_CHUNK = 1 << 20


def write(path: str, content: bytes, mode: int = 0o600) -> bool:
    """Make ``path`` hold ``content`` with ``mode``; return whether anything changed."""
    if not differs(path, content, mode):
        return False
    if read(path) == content:
        os.chmod(path, mode)
        return True
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return True


def differs(path: str, content: bytes, mode: int = 0o600) -> bool:
    """Return whether write() would change anything."""
    return read(path) != content or os.stat(path).st_mode & 0o7777 != mode


def create(path: str, content: bytes) -> None:
    """Create a private file; an existing file, even one created at the same time, is kept."""
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        os.unlink(temporary)


def read(path: str) -> bytes | None:
    """Return the content of a file, or None where there is none."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def sha256(path: str) -> str:
    """Return the SHA-256 of a file; raises OSError."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def tree(root: str) -> dict[str, bytes]:
    """Return every file below a directory: path from there -> content; {} where there is none."""
    found = {}
    for directory, _folders, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            found[os.path.relpath(path, root)] = read(path) or b""
    return found


def directory(path: str, mode: int) -> bool:
    """Make ``path`` a directory of ours with ``mode``; return whether anything changed.

    Raises OSError if another account owns it, which would be an attack in a shared directory such as /tmp.
    """
    if is_directory(path, mode):
        return False
    os.makedirs(path, mode=mode, exist_ok=True)
    if not is_directory(path, mode):
        os.chmod(path, mode)
    return True


def is_directory(path: str, mode: int) -> bool:
    """Tell whether ``path`` is what directory() makes of it; raises what that raises."""
    if not os.path.isdir(path):
        return False
    status = os.lstat(path)
    if status.st_uid != os.geteuid():
        raise OSError(f"{path} belongs to another account (uid {status.st_uid}); it is not used")
    return status.st_mode & 0o7777 == mode
