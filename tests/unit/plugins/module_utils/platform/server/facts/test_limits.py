# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.limits import (
    describe_limits,
    has_control_groups,
)

SECOND_VERSION = "41 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n"


def mounts(directory: Path, *controllers: str) -> str:
    """Write a mountinfo with hierarchies of version 1 for these controllers, and one of version 2."""
    lines = [SECOND_VERSION]
    for name in controllers:
        (directory / name).mkdir()
        lines.append(f"35 31 0:32 / {directory}/{name} rw,relatime shared:9 - cgroup cgroup rw,{name}\n")
    path = directory / "mountinfo"
    path.write_text("".join(lines))
    return str(path)


def test_all_controllers_are_needed(tmp_path: Path) -> None:
    assert not has_control_groups(mounts(tmp_path, "cpu,cpuacct", "pids"))


def test_version_1_is_used(tmp_path: Path) -> None:
    assert has_control_groups(mounts(tmp_path, "memory", "cpu,cpuacct", "pids"))


def test_version_2_is_left_to_systemd(tmp_path: Path) -> None:
    assert not has_control_groups(mounts(tmp_path))


def test_the_description_says_what_is_enforced() -> None:
    expected = {
        ("system-users", True, "6.1.0-18-amd64"): "memory, CPU and processes limited per server by control groups",
        ("system-users", False, "6.1.0-18-amd64"): "memory limited per process, processes per user",
        ("bubblewrap", False, "5.14.0-427.el9"): "memory limited per process, processes per sandbox",
        ("bubblewrap", False, "5.10.0-28-amd64"): "memory limited per process",
        ("none", False, "6.1.0-18-amd64"): "memory limited per process",
    }
    assert {arguments: describe_limits(*arguments) for arguments in expected} == expected
