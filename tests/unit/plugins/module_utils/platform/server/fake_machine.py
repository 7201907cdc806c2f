# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine without processes: services are notes of what would run, and JupyterHub is strict about its database.

As with the real one, a hub does not start on a database with another schema, and upgrade-db leads forward only.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common import files
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply import (
    deploy as deploying,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply import (
    machine as apply,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.services import (
    Service,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import (
    HubLayout,
    Layout,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.services import (
    Running,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions import (
    database,
    history,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions.database import (
    DatabaseError,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions.history import (
    CHECKED,
    Record,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.supervisor import base
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.supervisor.base import (
    Supervisor,
    SupervisorError,
)

ROLES = ("proxy", "hub", "culler")
AUTHOR = {"when": "2026-11-24T08:15:00Z", "who": "ada@desk", "collection": "0.2.0", "revision": "abc"}


class Version:
    """A version of the hub: what a deploy of it is given."""

    def __init__(self, name: str, jupyterhub: str, directory: str, homes: str):
        self.name = name
        self.jupyterhub = jupyterhub
        config = {"title": name, "homes": homes, "isolation": "bubblewrap"}
        self.texts = {
            "hub.json": f"{json.dumps(config)}\n".encode(),
            "secrets.json": f"secret of {name}".encode(),
            f"templates/{name}.html": b"only this version has it",
        }
        command = ("launch", "--", f"/{jupyterhub}/bin/python")
        self.services = [Service(f"x-{role}", role, directory, command, f"{name}-{role}") for role in ROLES]
        self.record = {
            **AUTHOR,
            "fingerprint": f"fingerprint of {name}",
            "files": {path: hashlib.sha256(text).hexdigest() for path, text in self.texts.items()},
            "services": [service.as_dict() for service in self.services],
            "builds": [f"hub-{jupyterhub}"],
            "jupyterhub": jupyterhub,
        }


class FakeSupervisor(Supervisor):
    """Keeps services running that are notes; a hub only on a database that it understands."""

    def __init__(self, layout: HubLayout):
        self.layout = layout
        self.installed: dict[str, Service] = {}
        self.runs: dict[str, Service] = {}
        #: Versions of JupyterHub that end at their start.
        self.broken: set[str] = set()

    def prepare(self) -> bool:
        return False

    def alive(self) -> bool:
        return True

    def is_installed(self, service: Service) -> bool:
        return self.installed.get(service.role) == service

    def is_defined(self, service: Service) -> bool:
        return service.role in self.installed

    def install(self, service: Service) -> None:
        self.installed[service.role] = service

    def start(self, service: Service) -> None:
        version = jupyterhub_of(service)
        if service.role == "hub":
            if version in self.broken:
                raise SupervisorError(f"{service.name} ended while it started")
            present = schema(self.layout)
            if present not in ("", version):
                raise SupervisorError(f"{service.name} found a database of {present}")
            if not present:
                make_database(self.layout, version)
        self.runs[service.role] = service

    def stop(self, service: Service) -> None:
        self.runs.pop(service.role, None)

    def forget(self, service: Service) -> None:
        self.installed.pop(service.role, None)

    def pid(self, service: Service) -> int:
        return 100 if service.role in self.runs else 0

    # --- What the engine reads from locks and run records

    def running(self, _layout: HubLayout, role: str) -> Running:
        return Running(100, self.runs[role].digest) if role in self.runs else Running()

    def end(self, _layout: HubLayout, role: str) -> bool:
        return self.runs.pop(role, None) is not None


class FakeMachine:
    """A machine with one hub."""

    def __init__(self, root: Path):
        self.root = root
        self.layout: HubLayout = Layout(str(root)).hub("alpha")
        self.homes = deploying.Homes(str(root / "homes" / "alpha"), False)
        self.supervisor = FakeSupervisor(self.layout)
        #: Versions of JupyterHub whose upgrade-db fails.
        self.stuck: set[str] = set()
        (root / "hubs").mkdir(parents=True)

    def version(self, name: str, jupyterhub: str = "5.4.0") -> Version:
        """Return a version; what it is built from is there."""
        made = Version(name, jupyterhub, self.layout.directory, self.homes.directory)
        build = self.root / "tools" / str(made.record["builds"][0])
        build.mkdir(parents=True, exist_ok=True)
        (build / ".complete").touch()
        return made

    def write(self, version: Version, keep: int = 10) -> list[str]:
        """Do what the module server_hub does."""
        generated = ["proxy_token", "cookie_secret"]
        return deploying.write_deploy(self.layout, version.record, version.texts, generated, self.homes, keep)

    def start(self, version: Version) -> list[str]:
        """Do what the module server_services does."""
        return deploying.start_deploy(
            self.layout, self.supervisor, version.services, json.loads(version.texts["hub.json"]), 1
        )

    def deploy(self, version: Version, result: str = CHECKED, keep: int = 10) -> None:
        """Deploy a version to the end, and let it have its check."""
        self.write(version, keep)
        self.start(version)
        history.finish(self.layout, history.records(self.layout)[0].number, result)

    def roll_back(self, number: int | None = None, keep: int = 10) -> Record:
        """Do what the module server_rollback does; return the record that was gone back to."""
        way = deploying.rollback_plan(self.layout, number)
        if not way.arrived:
            deploying.roll_back(self.layout, self.supervisor, dict(AUTHOR), way, keep, 1)
        return way.target

    def is_whole(self, version: Version) -> bool:
        """Tell whether the hub is exactly a version, and runs it."""
        runs = {role: service.digest for role, service in self.supervisor.runs.items()}
        wanted = {service.role: service.digest for service in version.services}
        return self.config() == version.texts and runs == wanted and schema(self.layout) == version.jupyterhub

    def config(self) -> dict[str, bytes]:
        """Return the hub's files below config/."""
        root = Path(self.layout.path("config"))
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    def results(self) -> dict[int, str]:
        """Return what became of each deploy."""
        return {record.number: record.result for record in history.records(self.layout)}

    def upgrade(self, layout: HubLayout, python: str) -> None:
        """Stand in for jupyterhub upgrade-db."""
        version = python.split("/")[1]
        if version in self.stuck or schema(layout) > version:
            raise DatabaseError("jupyterhub upgrade-db failed: it knows no such schema")
        with closing(sqlite3.connect(layout.path(database.DATABASE), isolation_level=None)) as connection:
            connection.execute("UPDATE jupyterhub SET version = ?", (version,))


def jupyterhub_of(service: Service) -> str:
    """Return the version of JupyterHub that a service runs with."""
    return service.command[-1].split("/")[1]


def make_database(layout: HubLayout, version: str) -> None:
    """Make what a hub makes at its first start."""
    with closing(sqlite3.connect(layout.path(database.DATABASE), isolation_level=None)) as connection:
        connection.execute("CREATE TABLE jupyterhub (version TEXT)")
        connection.execute("CREATE TABLE users (name TEXT)")
        connection.execute("INSERT INTO jupyterhub VALUES (?)", (version,))


def schema(layout: HubLayout) -> str:
    """Return the version that a hub's database has the schema of, "" without one."""
    path = layout.path(database.DATABASE)
    if not os.path.exists(path):
        return ""
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT version FROM jupyterhub").fetchone()[0])


def users(path: str) -> list[str]:
    """Return who is in a database."""
    with closing(sqlite3.connect(path)) as connection:
        return [str(row[0]) for row in connection.execute("SELECT name FROM users ORDER BY rowid")]


def add_user(layout: HubLayout, name: str) -> None:
    """Let somebody sign up."""
    with closing(sqlite3.connect(layout.path(database.DATABASE), isolation_level=None)) as connection:
        connection.execute("INSERT INTO users VALUES (?)", (name,))


def fake(monkeypatch: pytest.MonkeyPatch, root: Path) -> FakeMachine:
    """Return a machine that the engine takes for the real one."""
    machine = FakeMachine(root)
    for module in (apply, base, deploying):
        monkeypatch.setattr(module, "running", machine.supervisor.running)
    for other in (deploying, base):
        monkeypatch.setattr(other, "end", machine.supervisor.end)
    monkeypatch.setattr(apply, "answers", lambda _config: "hub" in machine.supervisor.runs)
    monkeypatch.setattr(apply, "failed_services", lambda _layout: {})
    monkeypatch.setattr(database, "upgrade", machine.upgrade)
    monkeypatch.setattr(database, "known_servers", lambda _layout: {})
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)  # only real disks need it, and it takes its time
    return machine


# --- Machines that die


class Killed(BaseException):
    """As if the machine had lost its power: nothing catches it."""


class Power:
    """Lets the machine die before one of its steps: before the first where ``steps`` is 0.

    A step is whatever changes the disk or what runs; what is done in one system call is one step.
    """

    def __init__(self, patch: pytest.MonkeyPatch, machine: FakeMachine, steps: int):
        self.left = steps
        for place, name in (
            (files, "write"),
            (files, "create"),
            (os, "rename"),
            (os, "replace"),
            (os, "unlink"),
            (shutil, "copyfile"),
            (machine.supervisor, "start"),
            (machine.supervisor, "stop"),
            (database, "upgrade"),
        ):
            self._guard(patch, place, name)

    def _guard(self, patch: pytest.MonkeyPatch, place: Any, name: str) -> None:
        do = getattr(place, name)

        def dying(*arguments: Any, **more: Any) -> Any:
            if self.left <= 0:
                raise Killed
            self.left -= 1
            return do(*arguments, **more)

        patch.setattr(place, name, dying)
