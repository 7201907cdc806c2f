# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the directories that users of a hub share, and the groups of who may use them. Standard library only.

Where users have accounts, each directory has two groups of the machine, for those who write and those who read. They
have no members: a server is in the groups of its user's rights from its start on (setgroups(2), SupplementaryGroups=),
so that a right that is taken away ends with the server, whatever the files look like. Access control lists that new
files inherit give both groups their rights in spite of umasks; programs such as JupyterLab, which makes a directory
.ipynb_checkpoints beside notebooks, need not know.

Without accounts, one account owns everything, and sandboxes show each user what they may use.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import stat
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from hubfleet_runtime import acl, files, names
from hubfleet_runtime.isolation.base import HubContext, Isolation, IsolationError, private_directory
from hubfleet_runtime.isolation.system_users import PROGRAM_PATH, group_id, run_when_unlocked
from hubfleet_runtime.shared import READ, WRITE, Grant, SharedDirectory

#: Names of the groups that were made for a hub, in its shared directory; remove_data reads it as well
#: (platform/server/apply/shared_groups.py).
GROUPS = ".groups.json"
_ALL = acl.READ | acl.WRITE | acl.EXECUTE


def prepare(backend: Isolation, home_files: list[dict[str, Any]]) -> None:
    """Make directories and groups, unless they exist, and write what every home gets. Called when the hub starts.

    Directories that are not shared any more are left alone. Raises IsolationError.
    """
    hub = backend.hub
    own = [directory for directory in hub.shared_directories if not directory.source]
    check_sources(hub, hub.shared_directories)
    if own or home_files:
        private_directory(hub.shared, os.geteuid(), os.getegid(), 0o711 if backend.unix_groups else 0o700)
    for directory in own:
        path = hub.shared / directory.name
        if backend.unix_groups:
            writers, readers = (_make_group(hub, directory, right) for right in (WRITE, READ))
            _make_for_groups(path, writers, readers)
        else:
            private_directory(path, os.geteuid(), os.getegid())
    if home_files:
        files.write_public(hub.home_files, json.dumps(home_files))
    else:
        hub.home_files.unlink(missing_ok=True)


def grants(backend: Isolation, groups: Collection[str]) -> tuple[tuple[Grant, ...], list[str]]:
    """Return what a user who is in these groups may use, and what is missing on the machine.

    A missing directory, such as one whose mount failed, does not prevent that people work in their homes.
    """
    found, missing = [], []
    for directory in backend.hub.shared_directories:
        right, gid = directory.right(groups), None
        if not right:
            continue
        source = Path(directory.source) if directory.source else backend.hub.shared / directory.name
        if not source.is_dir():
            missing.append(f"{source} is missing")
            continue
        try:
            # again: a link may lead elsewhere since the hub started
            check_sources(backend.hub, [directory])
        except IsolationError as error:
            missing.append(str(error))
            continue
        if backend.unix_groups and not directory.source:
            group = _group_name(backend.hub, directory, right)
            gid = group_id(group)
            if gid is None:
                missing.append(f"group {group} is missing")
                continue
        found.append(Grant(directory.path, source, right == WRITE, gid))
    return tuple(found), missing


def check_sources(hub: HubContext, directories: Iterable[SharedDirectory]) -> None:
    """Refuse directories of the operator's that are not safe to show. Raises IsolationError."""
    for directory in directories:
        if not directory.source:
            continue
        _check_source(hub, directory)
        source = os.path.realpath(directory.source)
        for other in hub.shared_directories:
            # who can write in the outer one could replace the inner one by a link to what is private
            if other.source and os.path.realpath(other.source) in map(str, Path(source).parents):
                raise IsolationError(
                    f"shared directory {directory.name}: {directory.source} is inside of {other.source}, which is the "
                    f"shared directory {other.name}"
                )


def _check_source(hub: HubContext, directory: SharedDirectory) -> None:
    """Refuse a directory that does not exist, and one that would show what belongs to the hub."""
    if not os.path.isdir(directory.source):
        raise IsolationError(f"shared directory {directory.name}: there is no directory {directory.source}")
    source = os.path.realpath(directory.source)
    for private in (hub.state, str(hub.homes)):
        place = os.path.realpath(private)
        if os.path.commonpath([source, place]) in (source, place):
            raise IsolationError(
                f"shared directory {directory.name}: {directory.source} contains, or is in, the hub's own directory "
                f"{private}"
            )


def _group_name(hub: HubContext, directory: SharedDirectory, right: str) -> str:
    return names.group_name(hub.state, hub.name, directory.name, right)


def _make_group(hub: HubContext, directory: SharedDirectory, right: str) -> int:
    """Return the number of a group, which is created unless it exists. Raises IsolationError for a foreign one."""
    name, record = _group_name(hub, directory, right), hub.shared / GROUPS
    try:
        ours = set(files.read_json(record)["groups"])
    except FileNotFoundError:
        ours = set()
    except (OSError, ValueError, KeyError) as error:
        raise IsolationError(f"{record} cannot be read: {error}") from error
    found = group_id(name)
    if found is not None and name not in ours:
        raise IsolationError(
            f"group {name} was not created for the shared directory {directory.name}; it is not used. "
            f"If nothing else needs it, remove it with groupdel"
        )
    if found is None:
        if shutil.which("groupadd", path=PROGRAM_PATH) is None:
            raise IsolationError("shared directories need the program groupadd")
        # before the group, so that an interrupted start is repeated
        files.write_private(record, json.dumps({"groups": sorted({*ours, name})}))
        run_when_unlocked(["groupadd", name], lambda: group_id(name) is not None)
        found = group_id(name)
    if found is None:
        raise IsolationError(f"group {name} was created, but cannot be found")
    return found


def _make_for_groups(path: Path, writers: int, readers: int) -> None:
    """Make a directory whose files two groups share. Raises IsolationError if it belongs to somebody else.

    One from a backup has the groups of another machine: then everything in it is given to those of this one. The
    directory itself comes last, so that an interrupted change is repeated.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise IsolationError(f"{path} is not a directory of root; it is not changed")
    try:
        if not _is_for_groups(path, writers, readers):
            _give_to_groups(path, writers, readers)
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            raise IsolationError(
                f"the file system of {path} has no access control lists, which shared directories need"
            ) from error
        raise IsolationError(f"the permissions of {path} cannot be changed: {error}") from error


def _of_directory(readers: int) -> bytes:
    return acl.shared_by_groups(_ALL, _ALL, acl.READ | acl.EXECUTE, readers)


def _is_for_groups(path: Path, writers: int, readers: int) -> bool:
    found = os.lstat(path)
    if found.st_gid != writers or not found.st_mode & stat.S_ISGID:
        return False
    wanted, there = _of_directory(readers), set(os.listxattr(path))
    return {acl.ACCESS, acl.DEFAULT} <= there and all(
        os.getxattr(path, name) == wanted for name in (acl.ACCESS, acl.DEFAULT)
    )


def _give_to_groups(top: Path, writers: int, readers: int) -> None:
    """Give a directory and everything in it to two groups. Links are not followed, and owners stay."""
    for _place, _folders, found, directory in os.fwalk(top, topdown=False, follow_symlinks=False):
        for name in found:
            _give_file(name, directory, writers, readers)
        os.fchown(directory, -1, writers)
        os.fchmod(directory, 0o2770)
        for attribute in (acl.ACCESS, acl.DEFAULT):
            os.setxattr(directory, attribute, _of_directory(readers))


def _give_file(name: str, directory: int, writers: int, readers: int) -> None:
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return  # a link, a socket, or gone
    try:
        mode = os.fstat(file).st_mode
        if not stat.S_ISREG(mode):
            return
        run = acl.EXECUTE if mode & stat.S_IXUSR else 0
        os.fchown(file, -1, writers)
        os.setxattr(
            file,
            acl.ACCESS,
            acl.shared_by_groups(mode >> 6 & _ALL, acl.READ | acl.WRITE | run, acl.READ | run, readers),
        )
    finally:
        os.close(file)
