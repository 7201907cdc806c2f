# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of a hub that does not run, and the backup program, called as a timer or a module calls it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[3]
PROGRAM = CHECKOUT / "roles/cluster/files/runtime/hubfleet_runtime/backup/program.py"
#: The tables of JupyterHub's database that the program touches.
TABLES = """
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE servers (id INTEGER PRIMARY KEY, port INTEGER);
CREATE TABLE spawners (id INTEGER PRIMARY KEY, user_id INTEGER, server_id INTEGER, state TEXT);
CREATE TABLE services (id INTEGER PRIMARY KEY, name TEXT, _server_id INTEGER);
"""


@dataclass
class Machine:
    """A state directory with the directory of a hub. program, python: what is run; others must be able to read it."""

    root: Path
    settings: dict[str, Any]
    name: str = "state"
    program: Path = PROGRAM
    python: str = sys.executable

    @property
    def state(self) -> Path:
        """Return the state directory."""
        return self.root / self.name

    @property
    def hub(self) -> Path:
        """Return the directory of the hub."""
        return self.state / "hubs/lab"

    @property
    def homes(self) -> Path:
        """Return the homes of the hub's users."""
        return self.state / "homes/lab"

    def make(self, users: Sequence[str] = ("ada", "ben")) -> None:
        """Create a hub that was deployed and has users, one of whom has a running server."""
        for folder in ("config", "secrets", "history/3", "history/4"):
            (self.hub / folder).mkdir(parents=True)
        environment = self.state / "environments/python-0123"
        environment.mkdir(parents=True)
        (environment / "lock.txt").write_text("cowsay==6.1\n")
        config = {
            "hub": "lab",
            "homes": str(self.homes),
            "isolation": "bubblewrap",
            "environments": {"python": {"directory": str(environment)}},
        }
        (self.hub / "config/hub.json").write_text(json.dumps(config))
        (self.hub / "secrets/cookie_secret").write_text("of the cookies\n")
        (self.hub / "history/3/record.json").write_text(json.dumps({"number": 3, "result": "checked", "builds": ["x"]}))
        (self.hub / "history/4/record.json").write_text(json.dumps({"number": 4, "result": "applying"}))
        with sqlite3.connect(self.hub / "jupyterhub.sqlite") as database:
            database.executescript(TABLES)
            for number, user in enumerate(users, 1):
                database.execute("INSERT INTO users VALUES (?, ?)", (number, user))
            database.execute("INSERT INTO servers VALUES (7, 4321)")
            database.execute("INSERT INTO spawners VALUES (1, 1, 7, '{\"pid\": 1}')")
            database.execute("INSERT INTO services VALUES (1, 'site', 7)")
        database.close()
        for user in users:
            (self.homes / user).mkdir(parents=True)
            (self.homes / user / "work.txt").write_text(f"of {user}")

    def beside(self, name: str) -> Machine:
        """Return another state directory with the same backups."""
        return Machine(self.root, self.settings, name, self.program, self.python)

    def ask(self, command: str, **request: Any) -> dict[str, Any]:
        """Return the answer of the program; errors are under ``error``."""
        target = {
            "homes": str(self.homes),
            "isolation": "none",
            "runtime_directory": str(self.root / "run"),
            "from": "latest",
        }
        asked = {"state": str(self.state), "hub": "lab", "settings": self.settings, **target, **request}
        done = self.run(command, given=json.dumps(asked))
        assert done.stdout, done.stderr
        return dict(json.loads(done.stdout))

    def succeed(self, command: str, **request: Any) -> dict[str, Any]:
        """Return the answer of the program, which must not be an error."""
        answer = self.ask(command, **request)
        assert "error" not in answer, answer
        return answer

    def restore(self, **request: Any) -> dict[str, Any]:
        """Fetch and place a backup."""
        self.succeed("fetch", **request)
        return self.succeed("place", **request)

    def run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run the program."""
        command = [self.python, "-I", str(self.program), *arguments]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=False, cwd="/")


def settings(repository: Path) -> dict[str, Any]:
    """Settings for backups in a directory."""
    return {"cluster": "east", "repository": str(repository), "password": "of the test", "keep": {"last": 2}}


def damage(repository: Path) -> None:
    """Change a few bytes in the middle of the largest file."""
    path = max((each for each in repository.rglob("*") if each.is_file()), key=lambda each: each.stat().st_size)
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"damaged!")


@contextmanager
def nobody() -> Iterator[None]:
    """Act as an unprivileged account, if this is root."""
    root = os.geteuid() == 0
    if root:
        os.setegid(65534)
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
            os.setegid(0)


def owner(path: Path) -> tuple[int, int]:
    """Return the user and group id of a file."""
    status = os.lstat(path)
    return status.st_uid, status.st_gid
