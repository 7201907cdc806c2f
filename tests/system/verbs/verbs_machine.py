# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine shows of hubs: processes, locks, accounts, files."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def start_time(pid: int) -> str:
    """When the process started, in ticks; "" when it does not live (a zombie does not)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in ("Z", "X") else fields[19]


def service_pid(hub: Path, service: str) -> int:
    """The pid of a hub's service, 0 when it does not run."""
    try:
        record = json.loads((hub / "run" / f"{service}.json").read_text())
    except (OSError, ValueError):
        return 0
    return record["pid"] if record["start_time"] == start_time(record["pid"]) else 0


def service_pids(hub: Path) -> dict[str, int]:
    """The pids of all services of a hub."""
    return {service: service_pid(hub, service) for service in ("proxy", "hub", "culler")}


def supervisor_pid(state: Path) -> int:
    """The pid of the cluster's supervisord, 0 when it does not run."""
    try:
        pid = int((state / "supervisor" / "supervisord.pid").read_text())
    except (OSError, ValueError):
        return 0
    return pid if start_time(pid) and str(state).encode() in read(f"/proc/{pid}/cmdline") else 0


def parent(pid: int) -> int:
    """The parent of a process, 0 when it is gone."""
    fields = read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


def read(path: str) -> bytes:
    """A file of /proc, empty when its process is gone."""
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def status(pid: int) -> dict[str, str]:
    """What the kernel says of a process, such as Uid and CapEff."""
    return as_status(Path(f"/proc/{pid}/status").read_text(errors="replace"))


def as_status(text: str) -> dict[str, str]:
    """The fields of a file /proc/PID/status."""
    return {name: value.strip() for name, _colon, value in (line.partition(":") for line in text.splitlines())}


def handed(pid: int) -> list[os.stat_result]:
    """The files without a name that the launcher handed to a service."""
    found = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            if os.readlink(path).startswith("/memfd:private-copy"):
                found.append(path.stat())
    return found


def processes_of(directory: Path) -> dict[int, str]:
    """Living processes whose command line or environment names the directory: pid -> command line."""
    name, found = str(directory).encode(), {}
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        command = read(f"/proc/{pid}/cmdline")
        if pid != os.getpid() and name in command + read(f"/proc/{pid}/environ") and start_time(pid):
            found[pid] = command.replace(b"\0", b" ").decode(errors="replace")
    return found


def end_all(find: Callable[[], dict[int, str]]) -> None:
    """SIGKILL for everything found, until nothing is."""
    deadline = time.monotonic() + 20
    while (found := find()) and time.monotonic() < deadline:
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.1)


def writers_of(file: Path) -> set[int]:
    """Processes that have the file open for writing; those that only read it, as plans do, are no hubs."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            opened = [entry for entry in os.scandir(f"/proc/{pid}/fd") if os.readlink(entry.path) == str(file)]
            flags = [Path(f"/proc/{pid}/fdinfo/{entry.name}").read_text(encoding="ascii") for entry in opened]
        except OSError:
            continue
        if any(int(text.split()[3], 8) & os.O_ACCMODE != os.O_RDONLY for text in flags):
            found.add(int(pid))
    return found


@contextmanager
def watching(file: Path) -> Iterator[list[set[int]]]:
    """Yields a list that grows: who had the file open for writing, ten times a second.

    Without children of those: a fork has all files open until it runs its own program.
    """
    seen: list[set[int]] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(0.1):
            found = writers_of(file)
            seen.append({pid for pid in found if start_time(pid) and parent(pid) not in found})

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def accounts_below(directory: Path) -> list[str]:
    """Accounts whose home is below the directory."""
    return [entry.pw_name for entry in pwd.getpwall() if entry.pw_dir.startswith(f"{directory}/")]


def mode(path: Path) -> str:
    """The permissions of a file, such as 0o700."""
    return oct(stat.S_IMODE(path.lstat().st_mode))


def picture(state: Path) -> dict[str, str]:
    """Every file of a state directory with its mode, owner, time of change and content.

    Without what running services write at any time (logs, the database) and what is big and never
    changes in place (built directories: their names stand for their contents).
    """
    found = {}
    for folder, folders, names in os.walk(state):
        place = Path(folder)
        if place.parent.name in ("environments", "tools"):
            folders.clear()
            names = [name for name in names if name == ".complete"]
        if place.name == "logs":
            folders.clear()
            continue
        for name in [*folders, *names]:
            path = place / name
            if name.startswith(("jupyterhub.sqlite", "supervisord.log")):
                continue
            status = path.lstat()
            content = ""
            if stat.S_ISREG(status.st_mode):
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(path)] = f"{status.st_mode:o} {status.st_uid}:{status.st_gid} {content}"
            if not stat.S_ISDIR(status.st_mode):
                found[str(path)] += f" {status.st_ctime_ns}"
    return found


def make_certificate(certificate: Path, key: Path) -> None:
    """Make a certificate for 127.0.0.1 that signs for itself, and its key, or put others in their places."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    key.chmod(0o600)


def contain(directory: Path, text: str) -> list[str]:
    """The files below a directory that hold a text."""
    assert directory.is_dir()
    command = ["grep", "--recursive", "--files-with-matches", "--fixed-strings", "--regexp", text, str(directory)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
