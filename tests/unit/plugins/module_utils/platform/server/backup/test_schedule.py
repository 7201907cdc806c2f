# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.model import Build
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.tools import Tools
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.builder import (
    Builder,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.backup import schedule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout

TIMES = {
    "hourly": ("hourly", "0 * * * *"),
    "daily 02:30": ("*-*-* 02:30:00", "30 2 * * *"),
    "Sun 23:05": ("Sun *-*-* 23:05:00", "5 23 * * 0"),
    "Sat 00:00": ("Sat *-*-* 00:00:00", "0 0 * * 6"),
}


@pytest.mark.parametrize("when", TIMES)
def test_times_as_systemd_and_cron_write_them(when: str) -> None:
    assert (schedule.calendar(when), schedule.cron_times(when)) == TIMES[when]
    if shutil.which("systemd-analyze"):
        subprocess.run(["systemd-analyze", "calendar", schedule.calendar(when)], check=True, capture_output=True)


@pytest.fixture
def cron(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of root's where cron runs."""
    table = tmp_path / "cron.d"
    table.mkdir()
    monkeypatch.setattr(schedule, "_CRON_DIRECTORY", str(table))
    monkeypatch.setattr(schedule, "_found", lambda *programs: "crond" in programs)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(schedule.files, "directory", lambda path, mode: bool(os.makedirs(path, mode, exist_ok=True)))
    return table


def made(tmp_path: Path, when: str) -> schedule.Schedule:
    """A schedule; its command holds what cron takes for the end of a line."""
    return schedule.Schedule(Layout(str(tmp_path / "state")), when, ("/usr/bin/python3", "a 100% file"), systemd=False)


def test_cron_runs_the_command_and_forgets_it_again(tmp_path: Path, cron: Path) -> None:
    first = made(tmp_path, "daily 02:30")
    assert first.scheduler == "cron" and first.differs({"password": "secret"})
    assert first.set_up({"password": "secret"})
    assert not first.differs({"password": "secret"}) and not first.set_up({"password": "secret"})
    (table,) = cron.iterdir()
    line = table.read_text().splitlines()[-1]
    assert line.startswith("30 2 * * * root /usr/bin/python3 'a 100\\% file' >>") and "secret" not in table.read_text()
    settings = tmp_path / "state/backup/settings.json"
    assert settings.stat().st_mode & 0o777 == 0o600 and json.loads(settings.read_text()) == {"password": "secret"}
    assert made(tmp_path, "never").differs({}) and made(tmp_path, "never").set_up({})
    assert not list(cron.iterdir()) and not settings.exists()
    assert not made(tmp_path, "never").differs({}) and not made(tmp_path, "never").set_up({})


def test_without_systemd_and_cron_nothing_makes_backups(
    tmp_path: Path, cron: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "_found", lambda *programs: False)
    assert made(tmp_path, "hourly").set_up({}) and made(tmp_path, "hourly").scheduler == ""


def test_restored_environments_have_the_versions_of_then(tmp_path: Path) -> None:
    build = Build(
        "science", "python", "environments", lock="jupyterlab==4.4.0 \\\n    --hash=x\n", requirements="cowsay"
    )
    builder = Builder(build, Layout(str(tmp_path)), Tools("uv"))
    assert builder._restored_pins() == ""
    (tmp_path / "environments").mkdir()
    held = "cowsay==6.1\nJupyterLab==4.3.0\nmine @ file:///tmp/mine\n-e /tmp/other\n"
    (tmp_path / "environments" / f"{build.directory}.pins").write_text(held)
    assert builder._restored_pins() == "cowsay==6.1\n"
