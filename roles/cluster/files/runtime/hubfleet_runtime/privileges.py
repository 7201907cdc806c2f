# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drop the privileges of root for those of an account, and pass on files that only root can read.

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
#: The capability to listen on ports below 1024.
_NET_BIND_SERVICE = 10
_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def drop(entry: pwd.struct_passwd, low_ports: bool) -> None:
    """Change to an account and its group, without capabilities and the possibility to gain any. Raises OSError.

    low_ports: keep the capability to listen on ports below 1024, also in the program that is executed next. The working
    directory changes to /.
    """
    capabilities = 1 << _NET_BIND_SERVICE if low_ports else 0
    os.chdir("/")
    _drop_bounding_set(capabilities)
    _check(_prctl(_SET_KEEPCAPS, 1))
    os.setgroups([])
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    _set_capabilities(capabilities)
    _check(_prctl(_CAP_AMBIENT, _AMBIENT_CLEAR_ALL))
    if capabilities:
        _check(_prctl(_CAP_AMBIENT, _AMBIENT_RAISE, _NET_BIND_SERVICE))
    _check(_prctl(_SET_NO_NEW_PRIVS, 1))


def _drop_bounding_set(kept: int) -> None:
    """Remove all other capabilities from the bounding set.

    They stay in a container whose root lacks CAP_SETPCAP; then no_new_privs alone prevents gaining them.
    """
    number = 0
    while (held := _prctl(_CAPBSET_READ, number)) >= 0:  # fails after the last capability
        if held and not kept >> number & 1:
            _prctl(_CAPBSET_DROP, number)
        number += 1


def _set_capabilities(capabilities: int) -> None:
    """Set effective, permitted and inheritable capabilities."""
    header = struct.pack("Ii", _VERSION_3, 0)
    low = (capabilities, capabilities, capabilities)
    _check(_libc.capset(header, struct.pack("6I", *low, 0, 0, 0)))


def _prctl(option: int, first: int, second: int = 0) -> int:
    return int(_libc.prctl(option, *map(ctypes.c_ulong, (first, second, 0, 0))))


def _check(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"root cannot drop its privileges: {os.strerror(number)}")


def substitute_files(command: list[str], files: Mapping[str, bytes]) -> list[str]:
    """Replace paths in options of a command, as in ``--option=PATH``, by private copies of these files.

    files: path -> content. A copy is in memory, only this account can open it, and it ends with the process.
    """
    copies = {path: f"/proc/self/fd/{_private_copy(content)}" for path, content in files.items()}
    words = (word.partition("=") for word in command)
    return [f"{option}{equals}{copies.get(value, value)}" for option, equals, value in words]


def _private_copy(content: bytes) -> int:
    """Return the descriptor of an unnamed, immutable file, which stays open on exec."""
    descriptor = os.memfd_create("private copy", os.MFD_ALLOW_SEALING)
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.fchmod(descriptor, 0o400)
    seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor
