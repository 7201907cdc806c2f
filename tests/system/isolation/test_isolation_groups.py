# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control groups of version 1 without a hub."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hubfleet_runtime.isolation import IsolationError, cgroups
from hubfleet_runtime.isolation.base import Limits

NOWHERE = Path("/nonexistent")
LIMITS = Limits(memory=300 << 20, cpu=0.5, cpu_guarantee=0.25, processes=50)
FIRST = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /cg/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /cg/memory rw,relatime shared:9 - cgroup cgroup rw,memory
39 31 0:36 / /cg/with\\040blank rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /cg/systemd rw,relatime - cgroup cgroup rw,name=systemd
"""
SECOND = "41 31 0:38 / /cg/unified rw,relatime - cgroup2 cgroup2 rw\n"


def test_hierarchies_of_all_controllers_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups.ControlGroups, "usable", lambda _self: True)
    mounts = tmp_path / "mountinfo"
    mounts.write_text(FIRST + SECOND)
    found = cgroups.find_control_groups(mounts, NOWHERE)
    assert found and found.folders("x") == [
        Path("/cg", each, "hubfleet/x") for each in ("memory", "cpu,cpuacct", "with blank")
    ]
    for text in (SECOND, FIRST.replace("rw,memory", "rw,freezer")):
        mounts.write_text(text)
        assert cgroups.find_control_groups(mounts, NOWHERE) is None
    # systemd manages its own
    mounts.write_text(FIRST)
    assert cgroups.find_control_groups(mounts, tmp_path) is None


def test_hierarchies_that_cannot_be_written_are_not_used(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    for controller in ("memory", "cpu", "pids"):
        (tmp_path / controller).mkdir()
        with mounts.open("a") as file:
            file.write(f"35 31 0:32 / {tmp_path}/{controller} rw - cgroup cgroup rw,{controller}\n")
    assert cgroups.find_control_groups(mounts, NOWHERE) is None
    assert not list(tmp_path.glob("*/hubfleet/*"))


#: Detaches itself and forks all the time, so that a list of its processes is never whole.
RESTLESS = """
import os, time
if os.fork():
    os._exit(0)
os.setsid()
while True:
    if os.fork():
        time.sleep(0.01)
        os._exit(0)
"""


def test_limits_and_end_of_a_real_group() -> None:
    groups = cgroups.find_control_groups(systemd=NOWHERE)
    if groups is None:
        pytest.skip("needs control groups of version 1")
    name = f"test-{os.getpid()}"
    groups.create(name, LIMITS)
    groups.limit_cpu(name, LIMITS.cpu or 0)
    names = ("memory.limit_in_bytes", "cpu.shares", "cpu.cfs_quota_us", "pids.max")
    found = {path.name: path.read_text().strip() for path in files_in(groups.folders(name)) if path.name in names}
    assert found == {
        "memory.limit_in_bytes": str(300 << 20),
        "cpu.shares": "256",
        "cpu.cfs_quota_us": "50000",
        "pids.max": "50",
    }
    # ended processes count until init has reaped them, which may take long
    groups.create(name, Limits(processes=2000))
    ends_all(groups, name)


def files_in(folders: list[Path]) -> list[Path]:
    """Return all files in some directories."""
    return [path for folder in folders for path in folder.iterdir()]


def ends_all(groups: cgroups.ControlGroups, name: str) -> None:
    """Check that no process of a group escapes its removal."""
    command = [sys.executable, "-S", "-c", RESTLESS]
    assert subprocess.run(command, preexec_fn=lambda: groups.join(name), check=False).returncode == 0
    time.sleep(0.3)
    assert groups.members(name)
    groups.remove(name)
    assert not groups.members(name)
    assert not [folder for folder in groups.folders(name) if folder.exists()]
    assert not restless()


def restless() -> list[str]:
    """Return running processes of this test."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if RESTLESS.encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def test_processes_that_do_not_end_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = cgroups.ControlGroups({each: tmp_path / each for each in ("memory", "cpu", "pids")})
    for folder in groups.folders("one"):
        folder.mkdir(parents=True)
    (tmp_path / "pids/hubfleet/one/cgroup.procs").write_text("7\n8\n")

    def busy(_path: Path) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "rmdir", busy)
    monkeypatch.setattr(os, "kill", lambda _pid, _signal: None)
    monkeypatch.setattr(cgroups, "_TIMEOUT", 0.1)
    with pytest.raises(IsolationError, match=r"processes of one do not end: \[7, 8\]"):
        groups.remove("one")
