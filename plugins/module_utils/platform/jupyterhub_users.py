# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and change the users of a running hub, as a service of the hub that may do so.

Uses JupyterHub's API, and hubfleet_runtime/users_api.py and rename_api.py where that has no such operation.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Collection
from typing import Any

from ..fleet.users import ADD, PASSWORD, REMOVE, RENAME, SIGN_OUT, HubUser, UserChange
from ..schema.user_names import CHECK_PREFIX
from .errors import PlatformError

#: Seconds that the hub has to answer, and to stop a server.
TIMEOUT, STOP_TIMEOUT = 60.0, 60.0
#: Users in one answer; JupyterHub gives no more.
PAGE = 200
#: The answer says where the next page begins.
_PAGINATED = {"Accept": "application/jupyterhub-pagination+json"}


class HubUsers:
    """The users of one hub. Methods raise PlatformError unless they return what went wrong."""

    def __init__(self, hub: str, api: str, token: str) -> None:
        """Take the name of a hub, the address of its API without a slash at the end, and the token of the service."""
        self.hub = hub
        self._api, self._token = api, token

    def all(self) -> list[HubUser]:
        """Return all users by name, without those of checks."""
        found: list[HubUser] = []
        offset: int | None = 0
        while offset is not None:
            query = {"offset": str(offset), "limit": str(PAGE)}
            page = self._call("GET", "users", query=query, headers=_PAGINATED)
            found += [_user(model) for model in page["items"] if not model["name"].startswith(CHECK_PREFIX)]
            following = page["_pagination"]["next"]
            offset = following["offset"] if following else None
        return sorted(found, key=lambda user: user.name)

    def rename_problem(self, user: str, new_name: str) -> str:
        """Return why the hub cannot rename a user; "" if it can."""
        return str(self._call("GET", "hubfleet", "users", user, "name", query={"new": new_name})["problem"])

    def change(self, change: UserChange) -> str:
        """Make a change; return why it failed, "" if it did not. What is done already is not an error."""
        try:
            for server in change.servers:
                self._stop(change.user, server)
            self._change(change)
        except PlatformError as error:
            return str(error)
        return ""

    def _change(self, change: UserChange) -> None:
        own = ("hubfleet", "users", change.user)
        if change.action == ADD:
            self._call("POST", "users", change.user, accepted=(409,))
        elif change.action == REMOVE:
            self._remove(change.user)
        elif change.action == RENAME:
            self._call("POST", *own, "name", query={"new": change.new_name})
        elif change.action == PASSWORD:
            self._call("POST", *own, "password")
        elif change.action == SIGN_OUT:
            self._call("POST", *own, "sign-out")

    def _remove(self, user: str) -> None:
        self._call("DELETE", "users", user, accepted=(404,))

    def _stop(self, user: str, server: str) -> None:
        """Stop a server, and wait until it is gone."""
        path = ("users", user, "servers", server) if server else ("users", user, "server")
        deadline = time.monotonic() + STOP_TIMEOUT
        while True:
            # 400: it is starting or stopping; then it is asked again
            self._call("DELETE", *path, accepted=(400, 404))
            if server not in self._call("GET", "users", user).get("servers", {}):
                return
            if time.monotonic() > deadline:
                raise PlatformError(f"hub {self.hub}: a server of {user} does not stop")
            time.sleep(0.5)

    def _call(
        self,
        method: str,
        *path: str,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        accepted: Collection[int] = (),
    ) -> Any:
        """Send a request and return the JSON of its answer, {} if there is none. accepted: errors that are none."""
        quoted = "/".join(urllib.parse.quote(part, safe="") for part in path)
        url = f"{self._api}/{quoted}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        headers = {"Authorization": f"token {self._token}", **(headers or {})}
        request = urllib.request.Request(url, method=method, headers=headers)
        try:
            # never through a proxy of the environment, which would see the token
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=TIMEOUT) as answer:
                text = answer.read()
                return json.loads(text) if text else {}
        except urllib.error.HTTPError as error:
            if error.code in accepted:
                return {}
            raise PlatformError(f"hub {self.hub}: {_message(error)}") from None
        except (OSError, ValueError, http.client.HTTPException):
            raise PlatformError(
                f"hub {self.hub} does not answer; see what runs with the playbook status, and start it with deploy"
            ) from None


def _user(model: dict[str, Any]) -> HubUser:
    """Return a user from JupyterHub's model."""
    servers = {name: _state(server) for name, server in (model.get("servers") or {}).items()}
    when = str(model.get("last_activity") or "")
    # without fractions of seconds
    when = f"{when.partition('.')[0].rstrip('Z')}Z" if when else ""
    return HubUser(model["name"], bool(model.get("admin")), sorted(model.get("groups") or ()), when, servers)


def _state(server: dict[str, Any]) -> str:
    pending = {"spawn": "starting", "stop": "stopping"}
    return pending.get(server.get("pending") or "", "running")


def _message(error: urllib.error.HTTPError) -> str:
    """Return what JupyterHub says of an error."""
    try:
        return str(json.loads(error.read())["message"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"the hub answers with status {error.code}"
