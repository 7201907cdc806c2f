# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give restored homes to the accounts of this machine. Standard library only.

Accounts have other numbers on another machine, and an old number may belong to somebody else now. So owners and groups
that are not accounts of this hub become root, and entries of access control lists for them are removed.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from hubfleet_runtime import acl


@dataclass
class Owners:
    """Numbers of accounts and groups: in the backup -> on this machine."""

    users: dict[int, int] = field(default_factory=dict)
    groups: dict[int, int] = field(default_factory=dict)

    def user(self, number: int) -> int:
        """Return the account on this machine; root for unknown ones."""
        return self.users.get(number, 0)

    def group(self, number: int) -> int:
        """Return the group on this machine; root for unknown ones."""
        return self.groups.get(number, 0)


def set_owners(homes: Path, folders: dict[str, dict[str, Any]], account: Callable[[str], tuple[int, int]]) -> None:
    """Give every home to its user's account. folders: as in the manifest. account: user -> uid and gid."""
    accounts = {
        name: account(about["user"]) for name, about in folders.items() if about["user"] and (homes / name).is_dir()
    }
    unique = _unique_owners(folders, accounts)
    for entry in os.scandir(homes):
        owners = Owners(dict(unique.users), dict(unique.groups))
        if entry.name in accounts:
            uid, gid = accounts[entry.name]
            owners.users[folders[entry.name]["uid"]] = uid
            owners.groups[folders[entry.name]["gid"]] = gid
        _set_all(entry.path, owners)


def _unique_owners(folders: dict[str, dict[str, Any]], accounts: dict[str, tuple[int, int]]) -> Owners:
    """Return the owners of exactly one home, who may own files in other homes too."""
    owners = Owners()
    uids = [about["uid"] for about in folders.values()]
    gids = [about["gid"] for about in folders.values()]
    for name, (uid, gid) in accounts.items():
        if uids.count(folders[name]["uid"]) == 1:
            owners.users[folders[name]["uid"]] = uid
        if gids.count(folders[name]["gid"]) == 1:
            owners.groups[folders[name]["gid"]] = gid
    return owners


def _set_all(top: str, owners: Owners) -> None:
    done: set[tuple[int, int]] = set()  # files with several links
    _set(top, owners, done)
    for place, folders, names in os.walk(top):
        for name in (*folders, *names):
            _set(os.path.join(place, name), owners, done)


def _set(path: str, owners: Owners, done: set[tuple[int, int]]) -> None:
    status = os.lstat(path)
    if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
        if (status.st_dev, status.st_ino) in done:
            return
        done.add((status.st_dev, status.st_ino))
    # this clears set-user-id bits as well, as it must for files that become root's
    os.chown(path, owners.user(status.st_uid), owners.group(status.st_gid), follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        return
    for name in (acl.ACCESS, acl.DEFAULT):
        try:
            before = os.getxattr(path, name)
        except OSError as error:
            if error.errno in (errno.ENODATA, errno.ENOTSUP):
                continue
            raise
        after = translate(before, owners)
        if after != before:
            os.setxattr(path, name, after)


def translate(attribute: bytes, owners: Owners) -> bytes:
    """Return an access control list with the numbers of this machine, without entries for unknown accounts."""
    kept = []
    for kind, permissions, number in acl.entries(attribute):
        if kind == acl.USER:
            number = owners.users.get(number, -1)
        elif kind == acl.GROUP:
            number = owners.groups.get(number, -1)
        if number >= 0:
            kept.append((kind, permissions, number))
    return acl.attribute(kept)
