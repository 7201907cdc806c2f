# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.limits import (
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
    assert limits_in_words("system-users", "v2") == "memory, CPU and processes limited per server by cgroup v2"
    assert limits_in_words("system-users", "") == "memory limited per process, processes per user"
    assert limits_in_words("bubblewrap", "v1") == "memory limited per process, processes per sandbox"
    assert limits_in_words("none", "") == "memory limited per process"
