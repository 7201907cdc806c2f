# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about processes, files and locks of this machine. Standard library only.

Sources: proc(5) for /proc/PID/stat and boot_id, fcntl(2) for record locks.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import socket
import struct
import subprocess
import sys
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any, NamedTuple

# struct flock of 64-bit Linux: l_type, l_whence, l_start, l_len, l_pid
_FLOCK = "hhqqi4x"


class Stat(NamedTuple):
    """The fields of /proc/PID/stat that are used here."""

    state: str
    parent: int
    start_time: str


def stat(pid: int) -> Stat | None:
    """The state, parent and start time of a process; None when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # the command name stands in parentheses and may hold spaces and parentheses itself
    fields = text[text.rindex(")") + 2 :].split()
    return Stat(state=fields[0], parent=int(fields[1]), start_time=fields[19])


def boot_id() -> str:
    """The identity of this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def identity(pid: int) -> str:
    """What tells a process from a later one with the same pid; empty when it does not live.

    A zombie does not live: where the init process reaps late, signal 0 still finds it.
    """
    found = stat(pid) if pid > 0 else None
    if found is None or found.state in ("Z", "X"):
        return ""
    return f"{boot_id()}:{found.start_time}"


def all_pids() -> Iterator[int]:
    """The pids of all processes that can be seen."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            yield int(name)


def living_of_user(uid: int) -> list[int]:
    """The pids of processes, zombies apart, whose real or effective user is uid."""
    found = []
    for pid in all_pids():
        try:
            lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
        except OSError:
            continue
        status = dict(line.split(":", 1) for line in lines if ":" in line)
        uids = {int(value) for value in status.get("Uid", "").split()[:2]}
        if uid in uids and status.get("State", "").split()[:1] != ["Z"]:
            found.append(pid)
    return found


def listener_uid(port: int) -> int | None:
    """The user id whose socket listens on a TCP port of this machine; None when nobody's does.

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


def free_port(besides: Container[int] = ()) -> int:
    """A TCP port of 127.0.0.1 that nobody listens on, and that is not among others promised already.

    The kernel gives ports of its own range to every outgoing connection, and a server takes seconds until it
    listens: so it is one of the 3000 below that range, where these are not other services' ports. Source: ip(7).
    """
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    below = range(first - 3000, first) if first > 10000 else range(0)
    for port in (*random.sample(below, len(below)), 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            if port not in besides:
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise OSError("no port of this machine is free")


def lock_holder(path: str | os.PathLike[str]) -> int:
    """The pid that holds the record lock on a file; 0 when nobody does.

    Must not be called by the holder: closing any descriptor of the file would drop its lock,
    and the holder's own lock never conflicts with itself. It asks by lock_holder_outside().
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    try:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
    finally:
        os.close(descriptor)
    return 0 if answer[0] == fcntl.F_UNLCK else int(answer[4])


def lock_holder_outside(path: str | os.PathLike[str]) -> int:
    """lock_holder(), asked by another process, so that the holder itself may ask."""
    command = [sys.executable, "-I", "-S", os.path.abspath(__file__), os.fspath(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
    return int(done.stdout)


def write_private(path: Path, text: str) -> None:
    """Replaces a file at once, readable by its owner only."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(fresh, path)


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file; ValueError names the file when it holds something else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path}: not a JSON object")
    return value


def open_log(path: Path) -> int:
    """Opens a log for appending, readable by its owner only; gives the file descriptor.

    Appending matters: rotation truncates the file while it is written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, 0o600)


if __name__ == "__main__":
    print(lock_holder(sys.argv[1]))
