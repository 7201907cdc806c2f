# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of a hub's data, and who works on a hub."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.hub_processes import (
    end_managed_services,
    end_unknown_servers,
    has_managed_services,
    users_of_servers,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.backup.export import (
    ExportError,
    export_hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.state_directory import claim

WHEN = "20261124T081500Z"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A state directory with one hub that has everything."""
    made = Layout(str(tmp_path / "state"))
    hub = Path(made.hub("demo").directory)
    for path, text in (("config/hub.json", "{}"), ("secrets/check_token", "a-secret"), ("logs/hub.log", "noise")):
        (hub / path).parent.mkdir(parents=True, exist_ok=True)
        (hub / path).write_text(text)
    home = Path(made.homes("demo"), "ada")
    home.mkdir(parents=True)
    (home / "notebook.ipynb").write_text("work")
    with sqlite3.connect(hub / "jupyterhub.sqlite") as database:
        database.execute("create table users (name text)")
        database.execute("insert into users values ('ada')")
    database.close()
    claim(made)
    return made


def names(archive: str) -> set[str]:
    """The files in an archive."""
    with tarfile.open(archive) as packed:
        return {member.name for member in packed.getmembers() if member.isfile()}


HUB = {".hubfleet-state", "hubs/demo/config/hub.json", "hubs/demo/secrets/check_token", "hubs/demo/jupyterhub.sqlite"}


def test_everything_that_would_go_is_in_it(layout: Layout, tmp_path: Path) -> None:
    path = export_hub(layout, "demo", True, WHEN)
    assert path == f"{layout.root}-exports/demo-{WHEN}.tar.gz"
    assert names(path) == HUB | {"homes/demo/ada/notebook.ipynb"}
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
    assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)]
    subprocess.run(["tar", "--extract", "--file", path, "--directory", str(tmp_path)], check=True)
    with sqlite3.connect(tmp_path / "hubs/demo/jupyterhub.sqlite") as database:
        assert database.execute("select name from users").fetchall() == [("ada",)]
    database.close()


def test_homes_elsewhere_stay_and_are_not_copied(layout: Layout) -> None:
    assert names(export_hub(layout, "demo", False, WHEN)) == HUB


def test_a_hub_that_never_ran_has_no_database(layout: Layout) -> None:
    os.unlink(layout.hub("demo").path("jupyterhub.sqlite"))
    assert names(export_hub(layout, "demo", False, WHEN)) == HUB - {"hubs/demo/jupyterhub.sqlite"}


def test_what_cannot_be_read_is_said_and_leaves_no_archive(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ExportError, match="^the data of hub demo cannot be exported to .*-exports: .*tar"):
        export_hub(layout, "demo", True, WHEN)
    assert os.listdir(f"{layout.root}-exports") == []


def test_a_failing_tar_is_quoted(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "tar"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'tar: homes: file changed as we read it' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    with pytest.raises(ExportError, match="tar failed with exit code 1: tar: homes: file changed as we read it"):
        export_hub(layout, "demo", True, WHEN)
    assert os.listdir(f"{layout.root}-exports") == []


def test_users_are_told_by_the_environment_of_their_servers(layout: Layout) -> None:
    directory = layout.hub("demo").directory
    marked = {"HUBFLEET_HUB": directory, "JUPYTERHUB_USER": "ada@example.org"}
    others = {"HUBFLEET_HUB": f"{directory}-staging", "JUPYTERHUB_USER": "ben"}
    sleep = [sys.executable, "-c", "print(flush=True); import time; time.sleep(60)"]
    started = [
        subprocess.Popen(sleep, env={**os.environ, **environment}, stdout=subprocess.PIPE)
        for environment in (marked, marked, others)
    ]
    try:
        for process in started:
            assert process.stdout and process.stdout.readline()
        assert users_of_servers(directory) == ["ada@example.org"]
    finally:
        for process in started:
            process.kill()
            process.communicate()
    deadline = time.monotonic() + 5
    while users_of_servers(directory) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert users_of_servers(directory) == []


def test_servers_that_the_hub_does_not_know_are_ended(layout: Layout) -> None:
    """A server is several processes; the hub knows it by one of them."""
    directory = layout.hub("demo").directory
    sleep = [sys.executable, "-c", "print(flush=True); import time; time.sleep(60)"]
    servers = [("ada", ""), ("ada", ""), ("ada", "second"), ("ben", ""), ("eve", "")]
    started = []
    for user, server in servers:
        marks = {"HUBFLEET_HUB": directory, "JUPYTERHUB_USER": user, "JUPYTERHUB_SERVER_NAME": server}
        started.append(subprocess.Popen(sleep, env={**os.environ, **marks}, stdout=subprocess.PIPE))
    try:
        for process in started:
            assert process.stdout and process.stdout.readline()
        # Of eve's server nobody knows the process, and ben's is another one now.
        known = {("ada", ""): started[1].pid, ("ben", ""): started[0].pid, ("eve", ""): 0}
        assert end_unknown_servers(directory, known) == 2
        assert [process.poll() is None for process in started] == [True, True, False, False, True]
        assert end_unknown_servers(directory, known) == 0
    finally:
        for process in started:
            process.kill()
            process.communicate()


def test_managed_services_are_ended(layout: Layout) -> None:
    directory = layout.hub("demo").directory
    marks = [{"HUBFLEET_SERVICE_OF": directory}, {"HUBFLEET_SERVICE_OF": f"{directory}-b"}, {"HUBFLEET_HUB": directory}]
    sleep = [sys.executable, "-c", "print(flush=True); import time; time.sleep(60)"]
    started = [subprocess.Popen(sleep, env={**os.environ, **mark}, stdout=subprocess.PIPE) for mark in marks]
    try:
        for process in started:
            assert process.stdout and process.stdout.readline()
        assert has_managed_services(directory)
        assert end_managed_services(directory) == 1
        assert [process.poll() is None for process in started] == [False, True, True]
        assert not has_managed_services(directory)
    finally:
        for process in started:
            process.kill()
            process.communicate()
