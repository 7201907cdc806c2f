# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control groups without a hub: real ones of version 1, files of version 2 that a test plays the kernel for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
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


def test_the_version_that_has_the_controllers_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups.Groups, "usable", lambda _self: True)
    mounts = tmp_path / "mountinfo"
    mounts.write_text(FIRST + SECOND)
    first = cgroups.find(mounts, NOWHERE)
    assert isinstance(first, cgroups.FirstVersion)
    assert first.trees == [Path("/cg/memory"), Path("/cg/cpu,cpuacct"), Path("/cg/with blank")]
    mounts.write_text(SECOND)
    second = cgroups.find(mounts, NOWHERE)
    assert isinstance(second, cgroups.SecondVersion) and second.trees == [Path("/cg/unified")]
    mounts.write_text(FIRST.replace("rw,memory", "rw,freezer"))
    assert cgroups.find(mounts, NOWHERE) is None
    # systemd's own are left to systemd
    assert cgroups.find(mounts, tmp_path) is None


def test_groups_that_cannot_be_written_are_not_used(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    mounts = tmp_path / "mountinfo"
    mounts.write_text(SECOND.replace("/cg/unified", str(tree)))
    assert cgroups.find(mounts, NOWHERE) is None
    assert not list((tree / "hubfleet").iterdir()) if (tree / "hubfleet").exists() else True


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A tree of version 2: directories are made with their files, and removed with them."""
    files = {"memory": ("memory.max", "memory.swap.max", "memory.events"), "cpu": ("cpu.max", "cpu.weight")}
    files["pids"] = ("pids.max",)
    make, remove = Path.mkdir, Path.rmdir

    def mkdir(path: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        known = path.exists()
        make(path, mode, parents, exist_ok)
        if known:
            return
        given = (path.parent / "cgroup.subtree_control").read_text().replace("+", "").split()
        for name in ("cgroup.procs", "cgroup.kill", "cgroup.subtree_control"):
            (path / name).write_text("")
        for name in (name for controller in given for name in files[controller]):
            (path / name).write_text("")

    def rmdir(path: Path) -> None:
        if any(each.is_dir() for each in path.iterdir()):
            remove(path)
        shutil.rmtree(path)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr(Path, "rmdir", rmdir)
    (tmp_path / "cgroup.subtree_control").write_text("cpu memory\n")
    yield tmp_path


def test_what_is_written_in_version_2(kernel: Path) -> None:
    groups = cgroups.SecondVersion(kernel)
    groups.make("one", LIMITS)
    group = kernel / "hubfleet" / "one"
    written = {path.name: path.read_text() for path in group.iterdir() if path.read_text()}
    assert written == {"memory.max": str(300 << 20), "memory.swap.max": "0", "pids.max": "50", "cpu.weight": "25"}
    for folder in (kernel, kernel / "hubfleet"):
        assert (folder / "cgroup.subtree_control").read_text() == "+memory +cpu +pids"
    assert (kernel / "hubfleet" / "cpu.weight").read_text() == str(400 * (os.cpu_count() or 1))
    groups.limit_cpu("one", 0.5)
    assert (group / "cpu.max").read_text() == "50000 100000"
    groups.join("one")
    assert (group / "cgroup.procs").read_text() == "0"
    (group / "memory.events").write_text("low 0\nhigh 0\nmax 41\noom 2\noom_kill 2\noom_group_kill 0\n")
    assert groups.memory_kills("one") == 2 and groups.memory_kills("two") == 0
    groups.make("two", Limits())
    assert (kernel / "hubfleet" / "two" / "memory.max").read_text() == ""
    groups.remove("one")
    assert not group.exists() and (kernel / "hubfleet").exists()
    groups.remove("two")
    assert not (kernel / "hubfleet").exists()


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


def test_version_2_kills_for_real() -> None:
    mounted = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    trees = [Path(fields[1]) for fields in mounted if fields[2] == "cgroup2"]
    if os.geteuid() != 0 or not trees:
        pytest.skip("needs root and a tree of version 2")
    groups = cgroups.SecondVersion(trees[0])
    name = f"test-{os.getpid()}"
    # made by hand: where version 1 has the controllers, this group can have no limits
    (trees[0] / "hubfleet" / name).mkdir(parents=True)
    ends_all(groups, name)


def test_version_1_for_real() -> None:
    groups = cgroups.find(systemd=NOWHERE)
    if not isinstance(groups, cgroups.FirstVersion):
        pytest.skip("needs control groups of version 1")
    name = f"test-{os.getpid()}"
    groups.make(name, LIMITS)
    groups.limit_cpu(name, LIMITS.cpu or 0)
    folders = [tree / "hubfleet" / name for tree in groups.trees]
    names = ("memory.limit_in_bytes", "cpu.shares", "cpu.cfs_quota_us", "pids.max")
    found = {path.name: path.read_text().strip() for path in files_in(folders) if path.name in names}
    assert found == {
        "memory.limit_in_bytes": str(300 << 20),
        "cpu.shares": "256",
        "cpu.cfs_quota_us": "50000",
        "pids.max": "50",
    }
    # ended processes count until init has looked after them, which may take long
    groups.make(name, Limits(processes=2000))
    ends_all(groups, name)


def files_in(folders: list[Path]) -> list[Path]:
    """All files of some folders."""
    return [path for folder in folders for path in folder.iterdir()]


def ends_all(groups: cgroups.Groups, name: str) -> None:
    """Nothing in the group can escape its removal."""
    command = [sys.executable, "-S", "-c", RESTLESS]
    assert subprocess.run(command, preexec_fn=lambda: groups.join(name), check=False).returncode == 0
    time.sleep(0.3)
    assert groups.members(name)
    groups.remove(name)
    assert not groups.members(name)
    assert not [tree for tree in groups.trees if (tree / "hubfleet" / name).exists()]
    assert not restless()


def restless() -> list[str]:
    """Processes of the test that live."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if RESTLESS.encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def test_what_does_not_end_is_named(kernel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = cgroups.SecondVersion(kernel)
    groups.make("one", LIMITS)
    (kernel / "hubfleet" / "one" / "cgroup.procs").write_text("7\n8\n")

    def busy(_path: Path) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "rmdir", busy)
    monkeypatch.setattr(cgroups, "_PATIENCE", 0.1)
    with pytest.raises(IsolationError, match=r"processes of one do not end: \[7, 8\]"):
        groups.remove("one")
