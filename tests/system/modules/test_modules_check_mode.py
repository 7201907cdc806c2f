# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode predicts what a real run changes: one table over all modules that run on machines.

Each row is run in check mode, for real, and in check mode again. The rows tell one story and run in one test.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from backup_machine import TABLES
from modules_world import World, changes, files_below, run_module
from prebuilt import prebuilt

CADDY = shutil.which("caddy") or "/usr/bin/caddy"
PLUGINS = Path(__file__).resolve().parents[3] / "plugins"


@dataclass(frozen=True)
class Row:
    """One module with arguments. repeats: every run changes the same again. before: prepares the row."""

    module: str
    arguments: Callable[[World], dict[str, Any]]
    changed: bool = True
    repeats: bool = False
    before: Callable[[World], None] | None = None


def with_(made: Callable[[World], dict[str, Any]], **more: Any) -> Callable[[World], dict[str, Any]]:
    """Return a maker of arguments with further ones."""
    return lambda world: {**made(world), **more}


def make_database(world: World) -> None:
    """Make the hub's database, as JupyterHub does; without users, for whom a restore would make accounts."""
    with sqlite3.connect(world.layout().hub("lab").path("jupyterhub.sqlite")) as database:
        database.executescript(TABLES)
    database.close()


def leave_build(world: World) -> None:
    """Leave an environment that nothing needs."""
    (Path(world.layout().root) / "environments/old-0123456789ab").mkdir()


def environment(world: World) -> dict[str, Any]:
    """Return the arguments of server_environment, for a build without any download."""
    build = {"name": "proxy", "kind": "npm", "folder": "tools", "files": {"package.json": "{}"}}
    return {
        "hub": "lab",
        "directory": "",
        "build": build,
        "state_directory": world.layout().root,
        "uv": "/bin/true",
        "npm": ["/bin/true"],
    }


def uv(world: World) -> dict[str, Any]:
    """Return the arguments of server_uv."""
    return {"state_directory": world.layout().root, "directory": "uv-1", "source": "/bin/true"}


def schedule(world: World, when: str) -> dict[str, Any]:
    """Return the arguments of server_backup_schedule, without systemd."""
    arguments = world.backup()
    return {**arguments, "schedule": when, "settings": "" if when == "never" else arguments["settings"]}


def export(world: World) -> dict[str, Any]:
    """Return the arguments of server_export."""
    return {"state_directory": world.layout().root, "hub": "lab", "own_homes": True, "when": "20261124T081500Z"}


def restore(world: World) -> dict[str, Any]:
    """Return the arguments of server_restore, to another state directory."""
    return {**world.backup("other"), "target": world.target("other")}


def query(world: World) -> dict[str, Any]:
    """Return the arguments of a query that reads."""
    return {"query": "history", "arguments": {"cluster": "east", "directory": world.layout().root, "hubs": ["lab"]}}


STORY = [
    Row("server_machine", World.machine),
    Row("server_uv", uv),
    Row("server_environment", environment),
    Row("server_machine", with_(World.machine, supervisor_only=True)),
    Row("server_hub", lambda world: world.hub("1")),
    Row("server_services", lambda world: world.running("1")),
    Row("server_reverse_proxy", lambda world: world.reverse_proxy(CADDY)),
    Row("server_backup_schedule", lambda world: schedule(world, "daily 02:30")),
    Row("server_check", lambda _world: {"hubs": []}, changed=False),
    Row("server_query", query, changed=False),
    Row("server_sessions", lambda world: {"directory": world.layout().hub("lab").directory}, changed=False),
    Row("server_hub", lambda world: world.hub("2")),
    Row("server_services", lambda world: world.running("2")),
    Row("server_rollback", lambda world: {**world.hub_of_rollback(), "number": 1}),
    Row("server_backup", with_(World.backup, hub="lab"), repeats=True, before=make_database),
    Row("server_backup", with_(World.backup, hub="lab", state="listed"), changed=False),
    Row("server_drill", World.drill, repeats=True),
    Row("server_drill", with_(World.drill, state="absent")),
    Row("server_machine", lambda world: world.machine("other")),
    Row("server_restore", with_(restore, state="examined"), changed=False),
    Row("server_restore", with_(restore, state="fetched")),
    Row("server_restore", restore),
    Row("server_export", export, repeats=True),
    Row("server_machine", with_(World.machine, state="pruned"), before=leave_build),
    Row("server_reverse_proxy", lambda world: {**world.reverse_proxy(CADDY), "state": "absent"}),
    Row("server_services", lambda world: {**world.running("1"), "state": "stopped", "servers": True}),
    Row("server_hub", lambda world: {**world.hub("1"), "state": "absent", "remove_data": True}),
    Row("server_backup_schedule", lambda world: schedule(world, "never")),
    Row("server_machine", with_(World.machine, state="absent")),
]


@pytest.fixture
def world() -> Iterator[World]:
    """A place for a cluster; its supervisors end with it."""
    root = Path(tempfile.mkdtemp(prefix="hubfleet-check-"))
    root.chmod(0o711)
    programs = prebuilt()["supervisor"] / "bin"
    made = World(root, programs)
    try:
        yield made
    finally:
        for name in ("state", "state-drill-lab"):
            conf = Path(made.layout(name).supervisor) / "supervisord.conf"
            if conf.exists():
                command = [programs / "supervisorctl", "--configuration", conf, "shutdown"]
                subprocess.run(command, check=False, capture_output=True)
        shutil.rmtree(root, ignore_errors=True)


def test_the_table_has_every_module() -> None:
    there = {path.stem for path in (PLUGINS / "modules").glob("server_*.py")}
    assert {row.module for row in STORY} == there


@pytest.mark.skipif(not Path(CADDY).exists() or not shutil.which("restic"), reason="needs Caddy and restic")
@pytest.mark.skipif(sys.version_info < (3, 11), reason="runs modules in the process of the tests")
def test_check_mode_predicts_changes(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for number, row in enumerate(STORY):
        if row.before:
            row.before(world)
        label, arguments = f"row {number}: {row.module}", row.arguments(world)
        before = files_below(world.root / "state")
        predicted = changes(run_module(row.module, arguments, True, capsys))
        assert files_below(world.root / "state") == before, f"{label} changed something in check mode"
        made = changes(run_module(row.module, arguments, False, capsys))
        assert predicted == made, label
        assert made["changed"] == row.changed, label
        again = changes(run_module(row.module, arguments, True, capsys))
        assert again["changed"] == (row.changed and row.repeats), label


@pytest.mark.parametrize("query", ["lock", "unlock"])
def test_check_mode_refuses_to_lock(world: World, query: str, capsys: pytest.CaptureFixture[str]) -> None:
    about = {"cluster": "east", "directory": world.layout().root, "owner": "anybody"}
    result = run_module("server_query", {"query": query, "arguments": about}, True, capsys)
    assert result["msg"] == f"the query '{query}' changes the machine; it is refused in check mode"
    assert not Path(f"{world.layout().root}.deploy-lock").exists()
