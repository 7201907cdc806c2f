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


def test_processes_in_the_groups_of_a_hub_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(f"35 31 0:32 / {tmp_path}/pids rw,relatime shared:9 - cgroup cgroup rw,pids\n")
    groups = tmp_path / "pids" / "hubfleet"
    hub, other = (hashlib.sha256(name).hexdigest()[:8] for name in (b"/srv/hubs/a", b"/srv/hubs/b"))
    left, stays = subprocess.Popen(["sleep", "60"]), subprocess.Popen(["sleep", "60"])
    try:
        for key, process in ((hub, left), (other, stays)):
            group = groups / f"hf-{key}-ada-1"
            group.mkdir(parents=True)
            (group / "pids.max").write_text("max")
            (group / "cgroup.procs").write_text(f"{process.pid}\n")
        (groups / f"hf-{hub}-ben-2").mkdir()
        monkeypatch.setattr(os, "rmdir", rmdir_as_in_cgroups)
        assert end_groups("/srv/hubs/a", str(mountinfo)) == 1
        assert left.wait(10) == -9 and stays.poll() is None
        assert [each.name for each in groups.iterdir()] == [f"hf-{other}-ada-1"]
    finally:
        for process in (left, stays):
            process.kill()
            process.wait()


def rmdir_as_in_cgroups(path: str, remove: Callable[[str], None] = os.rmdir) -> None:
    """Remove the kernel's files with their directory."""
    for each in Path(path).iterdir():
        each.unlink()
    remove(path)
