# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and write POSIX access control lists as the kernel stores them. Standard library only.

Sources: acl(5); linux/posix_acl_xattr.h. The program setfacl(1) is not installed everywhere.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

#: Extended attributes: the list of a file, and the one that new files in a directory get, whatever their umask.
ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
#: Kinds of entries.
OWNER, USER, OWNING_GROUP, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
READ, WRITE, EXECUTE = 4, 2, 1

_HEAD, _ENTRY = struct.Struct("<I"), struct.Struct("<HHI")
_VERSION = 2
#: Stands for the number of an entry that names nobody.
_NOBODY = 0xFFFFFFFF

Entry = tuple[int, int, int]


def entries(attribute: bytes) -> Iterator[Entry]:
    """Yield kind, permissions, and number of the user or group."""
    yield from _ENTRY.iter_unpack(attribute[_HEAD.size :])


def attribute(wanted: Iterable[Entry]) -> bytes:
    """Return the value of the extended attribute, with the entries in the order that the kernel requires."""
    ordered = sorted(wanted, key=lambda entry: (entry[0], entry[2] if entry[0] in (USER, GROUP) else 0))
    return _HEAD.pack(_VERSION) + b"".join(_ENTRY.pack(*entry) for entry in ordered)


def shared_by_groups(owner: int, writers: int, readers: int, reading_group: int) -> bytes:
    """Return the list of a file or directory that an owning group writes, and another group reads.

    owner, writers, readers: permissions of the owner, the owning group, and the group with the number reading_group.
    """
    return attribute(
        [
            (OWNER, owner, _NOBODY),
            (OWNING_GROUP, writers, _NOBODY),
            (GROUP, readers, reading_group),
            (MASK, writers | readers, _NOBODY),
            (OTHER, 0, _NOBODY),
        ]
    )
