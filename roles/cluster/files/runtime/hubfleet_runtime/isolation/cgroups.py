# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limit servers by control groups of version 1, one per server, where systemd does not manage them. Needs root.

All groups are in ``hubfleet`` at the top of each hierarchy, whatever session a hub was started from. Standard library
only. Sources: the kernel's admin-guide/cgroup-v1/memory, admin-guide/cgroup-v1/pids and scheduler/sched-bwc; proc(5)
for mountinfo.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from hubfleet_runtime.isolation.base import IsolationError, Limits

_PARENT = "hubfleet"
_CONTROLLERS = ("memory", "cpu", "pids")
_PERIOD = 100_000  # microseconds; the kernel's default
_TIMEOUT = 10.0
# The weight of all servers together, per processor; a process outside, such as a hub, weighs one. So a hub gets about
# a quarter of a processor when all users are busy, however many there are.
_PARENT_WEIGHT = 4


class ControlGroups:
    """The control groups of servers, by the names of names.server_id(). mounts: the hierarchy of each controller."""

    def __init__(self, mounts: dict[str, Path]) -> None:
        self.mounts = mounts

    def create(self, name: str, limits: Limits) -> None:
        """Create an empty group with all limits but that of CPU, see limit_cpu(). Raises OSError.

        Processes of an earlier start are killed.
        """
        self.remove(name)
        for folder in self.folders(name):
            self._create_folder(folder)
        memory = self._folder(name, "memory")
        if limits.memory:
            _write(memory / "memory.limit_in_bytes", str(limits.memory))
            with_swap = memory / "memory.memsw.limit_in_bytes"
            if with_swap.exists():  # not on kernels without accounting of swap
                _write(with_swap, str(limits.memory))
        if limits.processes:
            _write(self._folder(name, "pids") / "pids.max", str(limits.processes))
        _set_weight(self._folder(name, "cpu"), limits.cpu_guarantee or limits.cpu or 1.0)

    def limit_cpu(self, name: str, processors: float) -> None:
        """Limit the CPU that the group may use. Raises OSError."""
        folder = self._folder(name, "cpu")
        _write(folder / "cpu.cfs_period_us", str(_PERIOD))
        # the kernel accepts no less than 1000
        _write(folder / "cpu.cfs_quota_us", str(max(1000, round(processors * _PERIOD))))

    def join(self, name: str) -> None:
        """Put this process into the group. Called between fork and exec."""
        for folder in self.folders(name):
            _write(folder / "cgroup.procs", "0")

    def members(self, name: str) -> list[int]:
        """Return the pids in the group."""
        with contextlib.suppress(OSError):
            return [int(line) for line in self._folder(name, "pids").joinpath("cgroup.procs").read_text().split()]
        return []

    def oom_kills(self, name: str) -> int:
        """Return how many processes the kernel killed because of the group's memory limit."""
        try:
            lines = (self._folder(name, "memory") / "memory.oom_control").read_text().splitlines()
        except OSError:
            return 0
        return int(dict(line.split(maxsplit=1) for line in lines).get("oom_kill", 0))

    def remove(self, name: str) -> None:
        """Kill the processes in the group and remove it. Raises IsolationError if some do not end."""
        deadline = time.monotonic() + _TIMEOUT
        for folder in self.folders(name):
            while folder.exists():
                self._kill_all(name)
                with contextlib.suppress(OSError):  # until the last process has ended
                    folder.rmdir()
                    break
                if time.monotonic() > deadline:
                    raise IsolationError(f"processes of {name} do not end: {self.members(name)}")
                time.sleep(0.02)
            with contextlib.suppress(OSError):  # unless there are other groups
                folder.parent.rmdir()

    def usable(self) -> bool:
        """Return whether groups with all limits can be created, by creating one."""
        name = f"try-{os.getpid()}"
        try:
            self.create(name, Limits(memory=1 << 30, cpu_guarantee=1.0, processes=100))
            self.limit_cpu(name, 1.0)
        except (OSError, IsolationError):
            return False
        finally:
            with contextlib.suppress(OSError, IsolationError):
                self.remove(name)
        return True

    def folders(self, name: str) -> list[Path]:
        """Return the group's folders; several controllers may share a hierarchy."""
        return [mount / _PARENT / name for mount in dict.fromkeys(self.mounts.values())]

    def _folder(self, name: str, controller: str) -> Path:
        return self.mounts[controller] / _PARENT / name

    def _create_folder(self, folder: Path) -> None:
        for _attempt in range(100):
            folder.parent.mkdir(exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # another hub removed the empty parent just now
                if (folder.parent / "cpu.shares").exists():
                    _set_weight(folder.parent, float(_PARENT_WEIGHT * (os.cpu_count() or 1)))
                folder.mkdir(exist_ok=True)
                # a server may read its own group, and nobody may list the others
                for each in (folder.parent, folder):
                    each.chmod(0o711)
                return
        raise IsolationError(f"the control group {folder} cannot be created")

    def _kill_all(self, name: str) -> None:
        # no new ones, so that none can escape by forking faster than they are looked up
        with contextlib.suppress(OSError):
            _write(self._folder(name, "pids") / "pids.max", "0")
        for pid in self.members(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def find_control_groups(
    mountinfo: Path = Path("/proc/self/mountinfo"), systemd: Path = Path("/run/systemd/system")
) -> ControlGroups | None:
    """Return the control groups of this machine; None if systemd manages them or they cannot be used."""
    if systemd.is_dir():
        return None
    mounts: dict[str, Path] = {}
    for line in mountinfo.read_text().splitlines():
        left, _separator, right = line.partition(" - ")
        kind, _source, options = right.split()[:3]
        if kind == "cgroup":
            mount = Path(left.split()[4].encode().decode("unicode_escape"))  # a blank is written as \040
            mounts.update({each: mount for each in options.split(",") if each in _CONTROLLERS})
    groups = ControlGroups({each: mounts[each] for each in _CONTROLLERS if each in mounts})
    return groups if len(groups.mounts) == len(_CONTROLLERS) and groups.usable() else None


def _set_weight(folder: Path, processors: float) -> None:
    """Set how much CPU a group gets when all processors are busy."""
    _write(folder / "cpu.shares", str(max(2, min(262144, round(processors * 1024)))))


def _write(path: Path, text: str) -> None:
    # in one write, and never creating a file: a missing one means that there is no such limit
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode("ascii"))
    finally:
        os.close(descriptor)
