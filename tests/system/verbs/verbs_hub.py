# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployed hub as its users and its check see it."""

from __future__ import annotations

import http.cookiejar
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from kernel_client import run_code
from verbs_machine import service_pid, service_pids


class Hub:
    """Asks a hub, with the token of its check."""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory, self.name = directory, name

    @property
    def config(self) -> dict[str, Any]:
        """What the verbs wrote down of the hub."""
        return dict(json.loads((self.directory / "config" / "hub.json").read_text()))

    @property
    def url(self) -> str:
        """The public address."""
        return str(self.config["url"])

    @property
    def pids(self) -> dict[str, int]:
        """The pids of the services."""
        return service_pids(self.directory)

    def pid(self, service: str) -> int:
        """The pid of a service."""
        return service_pid(self.directory, service)

    def secret(self, name: str) -> str:
        """A generated secret."""
        return (self.directory / "secrets" / name).read_text().strip()

    def secrets(self) -> dict[str, str]:
        """All generated secrets."""
        return {path.name: path.read_text().strip() for path in (self.directory / "secrets").iterdir()}

    def request(self, method: str, path: str, token: str = "", body: Any = None) -> tuple[int, str]:
        """Status and text of a request below the public address; status 0 when nobody answers."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        if token:
            request.add_header("Authorization", f"token {token}")
        try:
            with urllib.request.urlopen(request, timeout=60, context=self._context()) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")
        except OSError as error:
            return 0, str(error)

    def _context(self) -> ssl.SSLContext | None:
        """What to connect with. That certificates are good is for the check to say."""
        return ssl._create_unverified_context() if self.url.startswith("https:") else None

    def api(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """A request to the hub's API."""
        status, text = self.request(method, f"hub/api/{path}", self.secret("check_token"), body)
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def healthy(self) -> bool:
        """Whether the hub answers through its proxy."""
        return self.request("GET", "hub/health")[0] == 200

    def login_page(self) -> str:
        """What somebody sees who comes to log in."""
        status, text = self.request("GET", "hub/login")
        assert status == 200, (status, text)
        return text

    def version(self) -> str:
        """The version of JupyterHub that answers."""
        return str(self.api("GET", "")[1]["version"])

    def token(self, user: str) -> str:
        """A new token of a user's own."""
        self.api("POST", f"users/{quote(user)}")
        status, answer = self.api("POST", f"users/{quote(user)}/tokens", {"note": "of a test"})
        assert status == 201, answer
        return str(answer["token"])

    def knows(self, token: str) -> bool:
        """Whether a token is one of the hub's."""
        return self.request("GET", "hub/api/user", token)[0] == 200

    def users(self) -> list[str]:
        """The users that the hub knows."""
        return [user["name"] for user in self.api("GET", "users")[1]]

    def start_server(self, user: str, options: dict[str, Any] | None = None) -> None:
        """Start a user's server and wait until it is ready."""
        self.api("POST", f"users/{quote(user)}")
        status, answer = self.api("POST", f"users/{quote(user)}/server", options or {})
        assert status in (201, 202), (status, answer)
        _status, text = self.api("GET", f"users/{quote(user)}/server/progress")
        events = [json.loads(line[6:]) for line in str(text).splitlines() if line.startswith("data: ")]
        assert events and events[-1].get("ready"), events

    def stop_server(self, user: str) -> None:
        """Stop a user's server and wait until it is gone."""
        self.api("DELETE", f"users/{quote(user)}/server")
        deadline = time.monotonic() + 30
        while self.api("GET", f"users/{quote(user)}")[1].get("servers"):
            assert time.monotonic() < deadline, f"the server of {user} does not stop"
            time.sleep(0.2)

    def kernel(self, user: str) -> Kernel:
        """A new kernel in the user's running server."""
        token = self.server_token(user)
        path = f"user/{quote(user)}/api/kernels"
        status, text = self.request("POST", path, token, {})
        assert status == 201, (status, text)
        return Kernel(f"{self.url}{path}/{json.loads(text)['id']}/channels", token, self._context())

    def server_token(self, user: str) -> str:
        """A new token that gives access to the user's servers."""
        body = {"scopes": [f"access:servers!user={user}"], "expires_in": 14400}
        status, answer = self.api("POST", f"users/{quote(user)}/tokens", body)
        assert status == 201, answer
        return str(answer["token"])


class Kernel:
    """A kernel in a user's server, reached as a browser would. Outlives hubs and proxies."""

    def __init__(self, url: str, token: str, context: ssl.SSLContext | bool | None = None) -> None:
        self.url, self.token = url, token
        self.context = context or True

    def by(self, token: str) -> Kernel:
        """The same kernel, reached with another token."""
        return Kernel(self.url, token, self.context)

    def run(self, code: str) -> str:
        """What the code prints."""
        return run_code(self.url, self.token, code, ssl=self.context)

    def survives(self) -> bool:
        """Whether it is still the kernel that was marked; a proxy that was killed may yet have to learn the way."""
        deadline = time.monotonic() + 30
        while True:
            try:
                return self.run("print(mark, os.getpid() == pid)").strip() == "12345 True"
            except aiohttp.ClientError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def mark(self) -> Kernel:
        """Remember in the kernel what another one would not know."""
        self.run("import os; mark, pid = 12345, os.getpid()")
        return self


class Browser:
    """Somebody with cookies."""

    def __init__(self) -> None:
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def open(self, url: str, data: bytes | None = None) -> str:
        """Where one ends up, and what is there."""
        with self.opener.open(url, data, timeout=60) as answer:
            return f"{answer.url}\n{answer.read().decode()}"

    def log_in(self, hub: Hub, user: str, password: str) -> str:
        """Fill in the hub's form."""
        self.open(f"{hub.url}hub/login")
        xsrf = next(cookie.value for cookie in self.cookies if cookie.name == "_xsrf")
        form = {"username": user, "password": password, "_xsrf": xsrf}
        home = urllib.parse.quote(f"{hub.config['base_url']}hub/home", safe="")
        return self.open(f"{hub.url}hub/login?next={home}", urllib.parse.urlencode(form).encode())
