# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a hub of a test that runs on this machine, and looks at its processes and its database."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import sqlite3
from pathlib import Path

import hub_client
from runtime_tools import Tools


def free_low_port() -> int:
    """A port below 1024 that nobody listens on."""
    for port in random.sample(range(600, 1024), 200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no port below 1024 is free")


def sleeping(seconds: int) -> list[int]:
    """The processes that sleep so long."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes().split(b"\0")[:2] == [b"sleep", b"%d" % seconds]:
                found.append(int(path.parent.name))
    return found


class Client(hub_client.Client):
    """What can be asked of a hub on this machine; who makes it says where the hub is."""

    tools: Tools
    directory: Path
    secrets: dict[str, str]

    @property
    def api_token(self) -> str:
        """The token of the hub's check."""
        return self.secrets["check_token"]

    def server_pid(self, user: str, server: str = "") -> int:
        """The pid that the hub recorded for the server."""
        with sqlite3.connect(f"file:{self.directory}/jupyterhub.sqlite?mode=ro", uri=True) as database:
            query = "select s.state from spawners s join users u on u.id = s.user_id where u.name = ? and s.name = ?"
            row = database.execute(query, (user, server)).fetchone()
        return int(json.loads(row[0] or "{}").get("pid", 0)) if row else 0
