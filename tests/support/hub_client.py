# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a hub of a test as users and services do, and computes in its kernels."""

from __future__ import annotations

import http.cookiejar
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from kernel_client import run_code
from terminal_client import run_in_terminal

SAFE = "/?=&@"


def wait_for(what: str, test: Callable[[], Any], patience: float = 300.0) -> Any:
    """The first true value of the test; AssertionError names what did not come."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        value = test()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {patience:.0f} s for {what}")


class Client:
    """What can be asked of a running hub; who makes it says where the hub is."""

    #: The hub's address, which ends in a slash; and the one for requests to its API, which may avoid the proxy.
    url: str
    direct: str
    #: A token that may start servers, and read and make users.
    api_token: str

    @staticmethod
    def request(method: str, url: str, token: str = "", body: Any = None, timeout: float = 60) -> tuple[int, Any]:
        """Status and JSON, or text, of a request; status 0 when nobody answers."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method)
        if token:
            request.add_header("Authorization", f"token {token}")
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                status, text = answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read().decode()
        except OSError:
            return 0, None
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def api(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """A request to the hub's API with this token."""
        return self.request(
            method,
            f"{self.direct}hub/api/{quote(path, safe=SAFE)}",
            self.api_token,
            body,
        )

    def start_server(self, user: str, options: dict[str, Any] | None = None, server: str = "") -> dict[str, Any]:
        """Starts a user's server and gives the last event of its progress."""
        self.api("POST", f"users/{user}")
        path = f"users/{user}/servers/{server}" if server else f"users/{user}/server"
        status, answer = self.api("POST", path, options)
        assert status in (201, 202), (status, answer)
        return self.progress(user, server)[-1]

    def progress(self, user: str, server: str = "") -> list[dict[str, Any]]:
        """All events of a start, until it ends."""
        path = f"users/{user}/servers/{server}/progress" if server else f"users/{user}/server/progress"
        _status, text = self.api("GET", path)
        lines = str(text).splitlines()
        return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]

    def token(self, user: str) -> str:
        """A token that may use the user's servers."""
        status, answer = self.api(
            "POST",
            f"users/{user}/tokens",
            {"scopes": [f"access:servers!user={user}"], "expires_in": 3600},
        )
        assert status == 201, answer
        return str(answer["token"])

    def kernel(self, user: str, server: str = "") -> Kernel:
        """A new kernel in the user's server."""
        return Kernel(self, user, server)

    def terminal(self, user: str, *texts: str, shell: str = "", patience: float = 90) -> list[str]:
        """What commands print in a new terminal of the user's server, and in a shell that it starts."""
        server = f"{self.url}user/{quote(user, safe=SAFE)}/"
        return run_in_terminal(server, self.token(user), texts, patience, shell)


class Browser:
    """A user's browser: cookies and forms."""

    def __init__(self, hub: Client) -> None:
        self.hub, self.cookies = hub, http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def request(self, path: str, fields: dict[str, str] | None = None) -> tuple[int, str]:
        """Status and text of a page, or of a form's answer."""
        url = f"{self.hub.url}{path}"
        if fields is not None:
            xsrf = next(cookie.value for cookie in self.cookies if cookie.name == "_xsrf")
            url += f"{'&' if '?' in url else '?'}_xsrf={urllib.parse.quote(xsrf or '')}"
        data = None if fields is None else urllib.parse.urlencode(fields).encode()
        try:
            with self.opener.open(url, data, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


class Kernel:
    """A kernel in a user's server, reached as a user's browser would."""

    def __init__(self, hub: Client, user: str, server: str = "") -> None:
        self.hub, self.token = hub, hub.token(user)
        self.url = f"{hub.url}user/{quote(user, safe=SAFE)}/" + (f"{server}/" if server else "")
        status, answer = hub.request("POST", f"{self.url}api/kernels", self.token, {"name": "python3"})
        assert status == 201, (status, answer)
        self.id = str(answer["id"])

    def run(self, code: str, patience: float = 60) -> str:
        """What the code prints, within so many seconds; AssertionError with what it raised."""
        return run_code(f"{self.url}api/kernels/{self.id}/channels", self.token, code, patience)
