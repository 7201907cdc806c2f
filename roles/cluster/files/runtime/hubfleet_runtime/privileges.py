# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command of root as an account, and pass on files that only root can read. Standard library only.

Sources: setpriv(1), capabilities(7), memfd_create(2).
"""

from __future__ import annotations

import fcntl
import os
import pwd
from collections.abc import Mapping
from pathlib import Path

_SETPCAP = 8  # number of the capability to change capabilities


def command_as(entry: pwd.struct_passwd, low_ports: bool, command: list[str]) -> list[str]:
    """Return the command line that runs ``command`` as an account, without capabilities or a way to gain any.

    low_ports: keep the capability to listen on ports below 1024.
    """
    capabilities = "-all,+net_bind_service" if low_ports else "-all"
    kinds = ["inh-caps", "ambient-caps"]
    # in a container whose root lacks it, only --no-new-privs prevents that capabilities are gained
    effective = Path("/proc/self/status").read_text(encoding="ascii").partition("CapEff:")[2].split()[0]
    if int(effective, 16) >> _SETPCAP & 1:
        kinds.append("bounding-set")
    options = [f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--no-new-privs"]
    return ["/usr/bin/setpriv", *options, *(f"--{kind}={capabilities}" for kind in kinds), "--", *command]


def substitute_files(command: list[str], files: Mapping[str, bytes], entry: pwd.struct_passwd | None) -> list[str]:
    """Replace paths in options of a command, as in ``--option=PATH``, by private copies of these files.

    files: path -> content. entry: the account that can open the copies, else that of this process. A copy is in memory,
    and ends with the process.
    """
    previous = os.geteuid()
    os.seteuid(entry.pw_uid if entry else previous)
    try:
        copies = {path: f"/proc/self/fd/{_private_copy(content)}" for path, content in files.items()}
    finally:
        os.seteuid(previous)
    words = (word.partition("=") for word in command)
    return [f"{option}{equals}{copies.get(value, value)}" for option, equals, value in words]


def _private_copy(content: bytes) -> int:
    """Return the descriptor of an unnamed, immutable file, which stays open on exec."""
    descriptor = os.memfd_create("private-copy", os.MFD_ALLOW_SEALING)
    with os.fdopen(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.fchmod(descriptor, 0o400)
    seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor
