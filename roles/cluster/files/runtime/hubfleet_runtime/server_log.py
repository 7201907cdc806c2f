# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve the log of a user's server in JupyterHub's API.

    GET hub/api/hubfleet/servers/USER/log?server=NAME&lines=20  ->  {"lines": ["...", ...]}

Requires the scope admin:servers, which may be limited to the user or the server.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.scopes import needs_scope
from tornado import web

from hubfleet_runtime import log_files, names

MAX_LINES = 1000


class ServerLogHandler(APIHandler):
    """Return the last lines of a server's log."""

    def initialize(self, directory: str) -> None:
        """Set the hub's directory."""
        super().initialize()
        self.directory = Path(directory)

    async def get(self, user_name: str) -> None:
        """Return 400 for an invalid number of lines, 403 without the scope, 404 for an unknown user."""
        server = self.get_argument("server", "")
        try:
            count = int(self.get_argument("lines", "20"))
        except ValueError:
            count = 0
        if not 1 <= count <= MAX_LINES:
            raise web.HTTPError(400, f"lines must be a number from 1 to {MAX_LINES}")
        await self._answer(user_name=user_name, server_name=server, count=count)

    @needs_scope("admin:servers")
    async def _answer(self, user_name: str, server_name: str, count: int) -> None:
        if self.find_user(user_name) is None:
            raise web.HTTPError(404, f"No such user: {user_name}")
        path = names.server_log(self.directory, user_name, server_name)
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps({"lines": log_files.last_lines(path, count)}))


def handlers(directory: str) -> list[tuple[str, Any, dict[str, Any]]]:
    """Return the handlers for JupyterHub.extra_handlers."""
    return [(r"/api/hubfleet/servers/([^/]+)/log", ServerLogHandler, {"directory": directory})]
