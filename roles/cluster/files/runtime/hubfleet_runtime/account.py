# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns a process of root into one of an account, for good, and hands it files that only root can read.

Standard library only. Sources: capabilities(7), prctl(2), capset(2), memfd_create(2).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import pwd
import struct
from collections.abc import Mapping

_SET_KEEPCAPS, _CAPBSET_READ, _CAPBSET_DROP, _SET_NO_NEW_PRIVS, _CAP_AMBIENT = 8, 23, 24, 38, 47
_AMBIENT_RAISE, _AMBIENT_CLEAR_ALL = 2, 4
#: The right to listen on ports below 1024.
_NET_BIND_SERVICE = 10
_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def become(entry: pwd.struct_passwd, low_ports: bool) -> None:
    """Drops to an account and its own group, and moves to where it may be.

    low_ports: it keeps the right to listen on ports below 1024, which what it becomes has as well. Beside that
    it has no right, and can gain none. Raises OSError.
    """
    right = 1 << _NET_BIND_SERVICE if low_ports else 0
    os.chdir("/")
    _limit_rights(right)
    _must(_prctl(_SET_KEEPCAPS, 1))
    os.setgroups([])
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    _set_rights(right)
    _must(_prctl(_CAP_AMBIENT, _AMBIENT_CLEAR_ALL))
    if right:
        _must(_prctl(_CAP_AMBIENT, _AMBIENT_RAISE, _NET_BIND_SERVICE))
    _must(_prctl(_SET_NO_NEW_PRIVS, 1))


def _limit_rights(kept: int) -> None:
    """Takes all others out of the rights that a program could ever gain.

    In a container whose root lacks CAP_SETPCAP they stay, and it is no_new_privs alone that lets nobody gain them.
    """
    number = 0
    while (held := _prctl(_CAPBSET_READ, number)) >= 0:  # behind the last right, the kernel knows none
        if held and not kept >> number & 1:
            _prctl(_CAPBSET_DROP, number)
        number += 1


def _set_rights(rights: int) -> None:
    """Has exactly these, and may hand them on."""
    header = struct.pack("Ii", _VERSION_3, 0)
    low = (rights, rights, rights)  # effective, permitted, inheritable
    _must(_libc.capset(header, struct.pack("6I", *low, 0, 0, 0)))


def _prctl(option: int, first: int, second: int = 0) -> int:
    return int(_libc.prctl(option, *map(ctypes.c_ulong, (first, second, 0, 0))))


def _must(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"root may not set the rights of an account: {os.strerror(number)}")


def handed(command: list[str], files: Mapping[str, bytes]) -> list[str]:
    """The command with private copies in place of files that are words of it, as ``--option=PATH``.

    files: path -> content. A copy is in memory, only this account can open it, and it is gone with the process.
    """
    copies = {path: f"/proc/self/fd/{_private_copy(content)}" for path, content in files.items()}
    words = (word.partition("=") for word in command)
    return [f"{option}{equals}{copies.get(value, value)}" for option, equals, value in words]


def _private_copy(content: bytes) -> int:
    """A descriptor, open in what this process becomes, of an unchangeable file without a name."""
    descriptor = os.memfd_create("handed", os.MFD_ALLOW_SEALING)
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.fchmod(descriptor, 0o400)
    seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor
