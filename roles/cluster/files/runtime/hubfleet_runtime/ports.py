# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP ports of this machine. Standard library only."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Container
from pathlib import Path


def is_listening(port: int) -> bool:
    """Return whether something accepts connections on a port of 127.0.0.1."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False


def listener_uid(port: int) -> int | None:
    """Return the user id of the socket that listens on a port of this machine; None if there is none.

    Source: proc(5), /proc/net/tcp; the state 0A is TCP_LISTEN.
    """
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, rows):
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                return int(fields[7])
    return None


def free_port(reserved: Container[int] = ()) -> int:
    """Return a free port of 127.0.0.1 that is not reserved. Raises OSError.

    A server takes seconds until it listens, and the kernel gives ports of its ephemeral range to outgoing connections
    meanwhile: so the port is one of the 3000 below that range, if possible. Source: ip(7).
    """
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    below = range(first - 3000, first) if first > 10000 else range(0)
    for port in (*random.sample(below, len(below)), 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            if port not in reserved:
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise OSError("no TCP port of this machine is free")
