# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A control group per server, with enforced limits. Needs root. Standard library only.

All groups lie in one, ``hubfleet``, at the top of the tree, so that it does not matter from which
session a hub was started, or started again. Where systemd manages the groups, nobody else may: find() gives
None there, and where a group cannot have limits for memory, CPU and processes.

Sources: the kernel's documentation, admin-guide/cgroup-v1/memory, admin-guide/cgroup-v1/pids,
scheduler/sched-bwc and admin-guide/cgroup-v2; proc(5) for mountinfo.
"""

from __future__ import annotations

import abc
import contextlib
import os
import signal
import time
from pathlib import Path

from hubfleet_runtime.isolation.base import IsolationError, Limits

_PARENT = "hubfleet"
_CONTROLLERS = ("memory", "cpu", "pids")
_PERIOD = 100_000  # microseconds over which a quota of CPU counts; the kernel's default
_PATIENCE = 10.0
# What all servers together weigh, per processor; a process outside, such as a hub, weighs one. So a hub gets
# about a quarter of a processor when all users are busy, however many there are.
_TOGETHER = 4


class Groups(abc.ABC):
    """The groups of servers in a tree; names as of names.server_key()."""

    version = ""
    # the files that count kills and say how much CPU a group gets
    _memory_events = ""
    _weight = ""

    def __init__(self, trees: list[Path]) -> None:
        self.trees = trees

    def make(self, name: str, limits: Limits) -> None:
        """Makes an empty group with its limits; what an earlier start left in it is killed.

        The limit of CPU comes later, by limit_cpu(). OSError when it cannot be made.
        """
        self.remove(name)
        for folder in self._folders(name):
            self._make_folder(folder)
        self._set_limits(name, limits)

    def join(self, name: str) -> None:
        """Puts this process into the group. Runs between fork and exec."""
        for folder in self._folders(name):
            _write(folder / "cgroup.procs", "0")

    def members(self, name: str) -> list[int]:
        """The pids in the group."""
        with contextlib.suppress(OSError):
            return [int(line) for line in self._main(name, "pids").joinpath("cgroup.procs").read_text().split()]
        return []

    def memory_kills(self, name: str) -> int:
        """How many processes the kernel killed because the group reached its memory limit."""
        try:
            lines = (self._main(name, "memory") / self._memory_events).read_text().splitlines()
        except OSError:
            return 0
        events = dict(line.split(maxsplit=1) for line in lines)
        return int(events.get("oom_kill", 0))

    def remove(self, name: str) -> None:
        """Kills what is in the group and removes it; IsolationError when something does not end."""
        deadline = time.monotonic() + _PATIENCE
        for folder in self._folders(name):
            while folder.exists():
                self._kill_all(name)
                with contextlib.suppress(OSError):  # until the last one is really gone
                    folder.rmdir()
                    break
                if time.monotonic() > deadline:
                    raise IsolationError(f"processes of {name} do not end: {self.members(name)}")
                time.sleep(0.02)
            with contextlib.suppress(OSError):  # others are in it, mostly
                folder.parent.rmdir()

    def usable(self) -> bool:
        """Whether groups with all limits can be made here; tries it."""
        name = f"try-{os.getpid()}"
        try:
            self.make(name, Limits(memory=1 << 30, cpu_guarantee=1.0, processes=100))
            self.limit_cpu(name, 1.0)
        except (OSError, IsolationError):
            return False
        finally:
            with contextlib.suppress(OSError, IsolationError):
                self.remove(name)
        return True

    @abc.abstractmethod
    def limit_cpu(self, name: str, processors: float) -> None:
        """Limits the CPU that the group may use, from now on."""

    @abc.abstractmethod
    def _set_limits(self, name: str, limits: Limits) -> None: ...

    @abc.abstractmethod
    def _weigh(self, folder: Path, processors: float) -> None:
        """Says how much CPU a group gets when all want some."""

    @abc.abstractmethod
    def _kill_all(self, name: str) -> None: ...

    def _main(self, name: str, controller: str) -> Path:
        """The group's folder where that controller is."""
        return self.trees[0] / _PARENT / name

    def _folders(self, name: str) -> list[Path]:
        return [tree / _PARENT / name for tree in self.trees]

    def _make_folder(self, folder: Path) -> None:
        for _attempt in range(100):
            folder.parent.mkdir(exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # another hub removed the empty parent just now
                self._prepare_parent(folder.parent)
                folder.mkdir(exist_ok=True)
                # a server may look at its own group, and nobody learns from the names who else works
                for each in (folder.parent, folder):
                    each.chmod(0o711)
                return
        raise IsolationError(f"{folder} cannot be made")

    def _prepare_parent(self, parent: Path) -> None:
        if (parent / self._weight).exists():
            self._weigh(parent, float(_TOGETHER * (os.cpu_count() or 1)))


class FirstVersion(Groups):
    """Version 1: a tree per controller, or per few of them."""

    version = "v1"
    _memory_events = "memory.oom_control"
    _weight = "cpu.shares"

    def __init__(self, mounts: dict[str, Path]) -> None:
        self.mounts = mounts
        super().__init__(list(dict.fromkeys(mounts[each] for each in _CONTROLLERS)))

    def limit_cpu(self, name: str, processors: float) -> None:
        """Writes the quota."""
        folder = self._main(name, "cpu")
        _write(folder / "cpu.cfs_period_us", str(_PERIOD))
        _write(folder / "cpu.cfs_quota_us", str(_quota(processors)))

    def _main(self, name: str, controller: str) -> Path:
        return self.mounts[controller] / _PARENT / name

    def _set_limits(self, name: str, limits: Limits) -> None:
        memory = self._main(name, "memory")
        if limits.memory:
            _write(memory / "memory.limit_in_bytes", str(limits.memory))
            both = memory / "memory.memsw.limit_in_bytes"
            if both.exists():  # kernels that do not account swap lack it
                _write(both, str(limits.memory))
        if limits.processes:
            _write(self._main(name, "pids") / "pids.max", str(limits.processes))
        self._weigh(self._main(name, "cpu"), limits.cpu_guarantee or limits.cpu or 1.0)

    def _weigh(self, folder: Path, processors: float) -> None:
        _write(folder / self._weight, str(max(2, min(262144, round(processors * 1024)))))

    def _kill_all(self, name: str) -> None:
        # no new ones, so that none can escape by forking faster than they are looked up
        with contextlib.suppress(OSError):
            _write(self._main(name, "pids") / "pids.max", "0")
        for pid in self.members(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class SecondVersion(Groups):
    """Version 2: one tree, whose upper groups say which controllers the lower ones have."""

    version = "v2"
    _memory_events = "memory.events"
    _weight = "cpu.weight"

    def __init__(self, tree: Path) -> None:
        super().__init__([tree])

    def limit_cpu(self, name: str, processors: float) -> None:
        """Writes the quota."""
        _write(self._main(name, "cpu") / "cpu.max", f"{_quota(processors)} {_PERIOD}")

    def _prepare_parent(self, parent: Path) -> None:
        wanted = " ".join(f"+{each}" for each in _CONTROLLERS)
        for folder in (parent.parent, parent):
            given = (folder / "cgroup.subtree_control").read_text().split()
            if not set(_CONTROLLERS) <= set(given):
                _write(folder / "cgroup.subtree_control", wanted)
        super()._prepare_parent(parent)

    def _set_limits(self, name: str, limits: Limits) -> None:
        folder = self._main(name, "memory")
        if limits.memory:
            _write(folder / "memory.max", str(limits.memory))
            if (folder / "memory.swap.max").exists():
                _write(folder / "memory.swap.max", "0")
        if limits.processes:
            _write(folder / "pids.max", str(limits.processes))
        self._weigh(folder, limits.cpu_guarantee or limits.cpu or 1.0)

    def _weigh(self, folder: Path, processors: float) -> None:
        _write(folder / self._weight, str(max(1, min(10000, round(processors * 100)))))

    def _kill_all(self, name: str) -> None:
        folder = self._main(name, "pids")
        try:
            _write(folder / "cgroup.kill", "1")
        except FileNotFoundError:  # before Linux 5.14
            with contextlib.suppress(OSError):
                _write(folder / "pids.max", "0")
            for pid in self.members(name):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def find(mountinfo: Path = Path("/proc/self/mountinfo"), systemd: Path = Path("/run/systemd/system")) -> Groups | None:
    """The groups of this machine; None where this process cannot limit servers by them."""
    if systemd.is_dir():
        return None
    groups = _mounted(mountinfo)
    return groups if groups and groups.usable() else None


def _mounted(mountinfo: Path) -> Groups | None:
    first: dict[str, Path] = {}
    second = None
    for line in mountinfo.read_text().splitlines():
        left, _separator, right = line.partition(" - ")
        place = Path(left.split()[4].encode().decode("unicode_escape"))  # a blank is written as \040
        kind, _source, options = right.split()[:3]
        if kind == "cgroup":
            first.update({each: place for each in options.split(",") if each in _CONTROLLERS})
        elif kind == "cgroup2":
            second = place
    if len(first) == len(_CONTROLLERS):
        return FirstVersion(first)
    return SecondVersion(second) if second else None


def _quota(processors: float) -> int:
    """Microseconds of CPU per period; the kernel takes no less than 1000."""
    return max(1000, round(processors * _PERIOD))


def _write(path: Path, text: str) -> None:
    # in one write, and never making a file: what is missing there means no such limit
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode("ascii"))
    finally:
        os.close(descriptor)
