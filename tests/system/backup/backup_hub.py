# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub with auth_state and a user with data."""

from __future__ import annotations

import json
import pwd
import sqlite3
from contextlib import closing

from verbs_fleet import Fleet
from verbs_hub import Browser, Hub, Kernel
from verbs_machine import accounts_below, processes_of

#: The token of a service that may read what authenticators remember.
READER = "reader-of-the-test-0123456789"
REMEMBERING = """
from jupyterhub.auth import DummyAuthenticator

class Remembering(DummyAuthenticator):
    async def authenticate(self, handler, data):
        return {"name": data["username"], "auth_state": {"upstream": "of " + data["username"]}}

c.JupyterHub.authenticator_class = Remembering
c.Remembering.enable_auth_state = True
"""


class Vault:
    """A fleet of one hub, where ada has logged in, created a token and runs a server."""

    password = "of the repository only"

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.hub = fleet.hub("lab")
        self.home = fleet.state / "homes/lab/ada"
        self.browser = Browser()
        self.token = ""
        self.kernel: Kernel

    def work(self) -> None:
        """Let ada log in, create a token, start a server and write files."""
        assert "/hub/home" in self.browser.log_in(self.hub, "ada", "any")
        self.token = str(self.hub.api("POST", "users/ada/tokens", {"note": "mine"})[1]["token"])
        self.hub.start_server("ada")
        self.kernel = self.hub.kernel("ada").mark()
        self.kernel.run(
            "import os; open('work.txt', 'w').write('of ada'); open('big', 'wb').write(os.urandom(5_000_000))"
        )

    def is_logged_in(self) -> bool:
        """Return whether ada's browser is still logged in."""
        return self.browser.open(f"{self.hub.url}hub/home").partition("\n")[0].endswith("/hub/home")

    def knows_token(self) -> bool:
        """Return whether ada's token is still valid."""
        return '"name": "ada"' in self.hub.request("GET", "hub/api/user", self.token)[1]

    def drills(self) -> list[str]:
        """Return directories, accounts and processes of drills."""
        mark = f"{self.fleet.state}-drill-"
        beside = [str(path) for path in self.fleet.directory.iterdir() if str(path).startswith(mark)]
        accounts = [name for name in accounts_below(self.fleet.directory) if pwd.getpwnam(name).pw_dir.startswith(mark)]
        processes = [line for line in processes_of(self.fleet.directory).values() if mark in line]
        return [*beside, *accounts, *processes]


def remembered(hub: Hub, user: str) -> object:
    """Return the decrypted auth_state of a user."""
    return json.loads(hub.request("GET", f"hub/api/users/{user}", READER)[1])["auth_state"]


def stored(hub: Hub) -> bytes:
    """Return ada's encrypted auth_state in the database."""
    return bytes(_asked(hub, "SELECT encrypted_auth_state FROM users WHERE name = 'ada'"))


def running(hub: Hub) -> int:
    """Return the number of servers in the database."""
    return int(_asked(hub, "SELECT count(*) FROM spawners WHERE server_id IS NOT NULL"))


def _asked(hub: Hub, question: str) -> bytes:
    with closing(sqlite3.connect(hub.directory / "jupyterhub.sqlite")) as database:
        found: tuple[bytes] = database.execute(question).fetchone()
    return found[0]
