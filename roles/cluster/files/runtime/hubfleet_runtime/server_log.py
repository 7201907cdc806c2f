# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of a user's server over JupyterHub's API, for who may administer that server.

    GET hub/api/hubfleet/servers/USER/log?server=NAME&lines=20  ->  {"lines": ["...", ...]}

Needs the scope admin:servers, also when limited to the user or the server.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.scopes import needs_scope
from tornado import web

from hubfleet_runtime import names, rotation

MOST_LINES = 1000


class ServerLogHandler(APIHandler):
    """Answers with the last lines of a server's log."""

    def initialize(self, directory: str) -> None:
        """Takes the hub's directory."""
        super().initialize()
        self.directory = Path(directory)

    async def get(self, user_name: str) -> None:
        """HTTP 400 for a wrong number of lines, 403 or 404 without the right or the user."""
        server = self.get_argument("server", "")
        try:
            count = int(self.get_argument("lines", "20"))
        except ValueError:
            count = 0
        if not 1 <= count <= MOST_LINES:
            raise web.HTTPError(400, f"lines must be a number from 1 to {MOST_LINES}")
        await self._answer(user_name=user_name, server_name=server, count=count)

    @needs_scope("admin:servers")
    async def _answer(self, user_name: str, server_name: str, count: int) -> None:
        if self.find_user(user_name) is None:
            raise web.HTTPError(404, f"no user {user_name!r}")
        path = names.server_log(self.directory, user_name, server_name)
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps({"lines": rotation.last_lines(path, count)}))


def handlers(directory: str) -> list[tuple[str, Any, dict[str, Any]]]:
    """The handlers to give to JupyterHub.extra_handlers."""
    return [(r"/api/hubfleet/servers/([^/]+)/log", ServerLogHandler, {"directory": directory})]
