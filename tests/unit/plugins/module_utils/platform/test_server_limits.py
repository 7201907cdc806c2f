# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.control_groups import (
    end_groups,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.limits import (
    find_cgroups,
    limits_in_words,
)


def mounts(directory: Path, first: str, second: str, *, root: bool = True) -> str:
    """Write a mountinfo: trees of version 1 with these controllers, and one of version 2."""
    lines = []
    for name in first.split():
        (directory / name).mkdir()
        lines.append(f"35 31 0:32 / {directory}/{name} rw,relatime shared:9 - cgroup cgroup rw,{name}")
    (directory / "unified").mkdir()
    (directory / "unified" / "cgroup.controllers").write_text(second)
    (directory / "unified" / "cgroup.subtree_control").write_text("")
    if not root:
        (directory / "unified" / "cgroup.type").write_text("domain")
    lines.append(f"41 31 0:38 / {directory}/unified rw,relatime - cgroup2 cgroup2 rw")
    path = directory / "mountinfo"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_the_version_with_all_controllers_is_found(tmp_path: Path) -> None:
    assert find_cgroups(mounts(tmp_path, "memory cpu,cpuacct pids", "hugetlb")) == "v1"


def test_the_second_version_is_found(tmp_path: Path) -> None:
    assert find_cgroups(mounts(tmp_path, "", "cpuset cpu io memory pids")) == "v2"


def test_a_controller_that_is_missing_is_no_limit(tmp_path: Path) -> None:
    assert find_cgroups(mounts(tmp_path, "cpu pids", "memory")) == ""


def test_a_container_cannot_give_controllers(tmp_path: Path) -> None:
    assert find_cgroups(mounts(tmp_path, "", "cpu memory pids", root=False)) == ""


def test_the_words_say_what_is_enforced() -> None:
    words = {
        ("system-users", "v2", "6.1.0-18-amd64"): "memory, CPU and processes limited per server by cgroup v2",
        ("system-users", "", "6.1.0-18-amd64"): "memory limited per process, processes per user",
        ("bubblewrap", "", "5.14.0-427.el9"): "memory limited per process, processes per sandbox",
        ("bubblewrap", "", "5.10.0-28-amd64"): "memory limited per process",
        ("none", "", "6.1.0-18-amd64"): "memory limited per process",
    }
    assert {asked: limits_in_words(*asked) for asked in words} == words


def test_what_is_left_in_the_groups_of_a_hub_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = mounts(tmp_path, "", "")
    hub, other = (hashlib.sha256(name).hexdigest()[:8] for name in (b"/srv/hubs/a", b"/srv/hubs/b"))
    left, stays = subprocess.Popen(["sleep", "60"]), subprocess.Popen(["sleep", "60"])
    try:
        for key, process in ((hub, left), (other, stays)):
            group = tmp_path / "unified" / "hubfleet" / f"hf-{key}-ada-1"
            group.mkdir(parents=True)
            (group / "pids.max").write_text("max")
            (group / "cgroup.procs").write_text(f"{process.pid}\n")
        (tmp_path / "unified" / "hubfleet" / f"hf-{hub}-ben-2").mkdir()
        monkeypatch.setattr(os, "rmdir", rmdir_as_in_cgroups)
        assert end_groups("/srv/hubs/a", path) == 1
        assert left.wait(10) == -9 and stays.poll() is None
        assert [each.name for each in (tmp_path / "unified" / "hubfleet").iterdir()] == [f"hf-{other}-ada-1"]
    finally:
        for process in (left, stays):
            process.kill()
            process.wait()


def rmdir_as_in_cgroups(path: str, remove: Callable[[str], None] = os.rmdir) -> None:
    """The kernel's files vanish with their directory."""
    for each in Path(path).iterdir():
        each.unlink()
    remove(path)
