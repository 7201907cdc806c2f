# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that imitates what a check uses of JupyterHub and of users' servers."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

try:
    from aiohttp import web
except ImportError:  # the tests skip themselves
    web = None  # type: ignore[assignment]

HUB_TOKEN = "hub-token-0123456789abcdef"
USER_TOKEN = "user-token-0123456789abcdef"
BASE = "/team/"


class FakeHub:
    """State of an imitated hub, in a thread of its own.

    users: name to state of its server ("", "spawn" or "ready"). counts: requests by kind.
    answers: kind to a list of (status, headers, body) given instead, one for each request; the
    last one again and again if the list was made by always(). interrupt: (kind, "before" or
    "after" the request takes effect) sends SIGINT to this process and never answers.
    """

    def __init__(self) -> None:
        self.users: dict[str, str] = {}
        self.ever: list[str] = []
        self.options: list[Any] = []
        self.counts: dict[str, int] = {}
        self.answers: dict[str, list[Any]] = {}
        self.interrupt: tuple[str, str] = ("", "")
        self.hang = ""
        self.interrupted = False
        self.events: list[Any] = [{"progress": 50, "message": "half"}, {"ready": True}]
        self.log: list[str] | None = None
        self.typed: list[str] = []
        self.printed = {"file": ("", 0), "pip": ("pip 26.3", 0)}
        self.shell_ends = False
        self.server_version = "5.5.4"
        self.cookies: list[str] = []
        self.messages = ["status busy", "stdout 42\n", "reply ok", "status idle"]
        self.url = ""
        self._loop: Any = None
        self._up = threading.Event()
        self._end: Any = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def always(self, kind: str, status: int, body: Any = None, **headers: str) -> None:
        """Answer every request of a kind like this."""
        self.answers[kind] = [(status, headers, body)] * 10000

    def first(self, kind: str, status: int, body: Any = None, **headers: str) -> None:
        """Answer the first request of a kind like this."""
        self.answers[kind] = [(status, headers, body)]

    def start(self) -> None:
        self._thread.start()
        assert self._up.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application()
        api, user = BASE + "hub/api/", BASE + "hub/api/users/{name}"
        channels = BASE + "user/{name}/api/kernels/k/channels"
        for method, path, kind in (
            ("GET", api, "version"),
            ("GET", api + "users", "list"),
            ("POST", user, "create"),
            ("GET", user, "user"),
            ("DELETE", user, "delete"),
            ("POST", user + "/server", "start"),
            ("DELETE", user + "/server", "stop"),
            ("GET", user + "/server/progress", "progress"),
            ("POST", user + "/tokens", "token"),
            ("GET", api + "hubfleet/servers/{name}/log", "log"),
            ("GET", BASE + "user/{name}/api", "server"),
            ("GET", BASE + "user/{name}/viewer/{rest:.*}", "page"),
            ("POST", BASE + "user/{name}/api/kernels", "kernel"),
            ("GET", channels, "run"),
            ("POST", BASE + "user/{name}/api/terminals", "terminal"),
            ("GET", BASE + "user/{name}/terminals/websocket/1", "typing"),
        ):
            app.router.add_route(method, path, self._handler(kind))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}{BASE}"
        self._up.set()
        await self._end.wait()
        await runner.cleanup()

    def _handler(self, kind: str) -> Any:
        async def handle(request: Any) -> Any:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            expected = USER_TOKEN if kind in ("server", "kernel", "run", "terminal", "typing", "page") else HUB_TOKEN
            if kind != "version" and request.headers["Authorization"] != f"token {expected}":
                return web.json_response({"message": "Forbidden"}, status=403)
            await self._maybe_interrupt(kind, "before")
            if self.hang == kind:
                await asyncio.sleep(60)
            if self.answers.get(kind):
                status, headers, body = self.answers[kind].pop(0)
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                if isinstance(body, str):
                    return web.Response(text=body, status=status, headers=named)
                return web.json_response(body, status=status, headers=named)
            name = request.match_info.get("name", "")
            if kind not in ("version", "list", "create") and name not in self.users:
                return web.json_response({"message": "no such user"}, status=404)
            response = await getattr(self, f"_on_{kind}")(request, name)
            if kind not in ("progress", "run", "typing"):
                await self._maybe_interrupt(kind, "after")
            return response

        return handle

    async def _maybe_interrupt(self, kind: str, when: str) -> None:
        if self.interrupt == (kind, when) and not self.interrupted:
            self.interrupted = True
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(60)

    async def _on_version(self, request: Any, name: str) -> Any:
        return web.json_response({"version": "5.5.4"})

    async def _on_list(self, request: Any, name: str) -> Any:
        names = sorted(self.users)
        offset = int(request.query["offset"])
        following = {"offset": offset + 2} if offset + 2 < len(names) else None
        items = [{"name": each} for each in names[offset : offset + 2]]
        return web.json_response({"items": items, "_pagination": {"next": following}})

    async def _on_create(self, request: Any, name: str) -> Any:
        if name in self.users:
            return web.json_response({"message": "exists"}, status=409)
        self.users[name] = ""
        self.ever.append(name)
        return web.json_response({"name": name}, status=201)

    async def _on_user(self, request: Any, name: str) -> Any:
        state, url = self.users[name], f"{BASE}user/{name}/"
        pending = "spawn" if state == "spawn" else None
        server = {"name": "", "url": url, "ready": state == "ready", "pending": pending}
        return web.json_response({"name": name, "servers": {"": server} if state else {}})

    async def _on_start(self, request: Any, name: str) -> Any:
        self.options.append(await request.json())
        self.users[name] = "spawn"
        return web.Response(status=202)

    async def _on_progress(self, request: Any, name: str) -> Any:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in self.events:
            await response.write(f"data: {json.dumps(event)}\n\n".encode())
            if event.get("ready"):
                self.users[name] = "ready"
            if event.get("failed"):
                self.users[name] = ""
        await self._maybe_interrupt("progress", "after")
        return response

    async def _on_token(self, request: Any, name: str) -> Any:
        body = await request.json()
        assert body["scopes"] == [f"access:servers!user={name}"]
        assert 0 < body["expires_in"] < 3600
        return web.json_response({"token": USER_TOKEN}, status=201)

    async def _on_server(self, request: Any, name: str) -> Any:
        return web.json_response({"version": "2.17.0"}, headers={"X-JupyterHub-Version": self.server_version})

    async def _on_page(self, request: Any, name: str) -> Any:
        self.cookies.append(request.headers.get("Cookie", ""))
        return web.Response(text="<title>Maps</title>")

    async def _on_kernel(self, request: Any, name: str) -> Any:
        return web.json_response({"id": "k"}, status=201)

    async def _on_run(self, request: Any, name: str) -> Any:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        asked = json.loads((await socket.receive()).data)
        await self._maybe_interrupt("run", "after")
        for message in self.messages:
            await self._send(socket, asked, *message.split(" ", 1))
        await socket.receive()
        return socket

    async def _on_terminal(self, request: Any, name: str) -> Any:
        return web.json_response({"name": "1"}, status=200)

    async def _on_typing(self, request: Any, name: str) -> Any:
        """A terminal without a shell: repeats what is typed, and prints the next output of self.printed."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json(["setup", {}])
        async for message in socket:
            kind, *typed = json.loads(message.data)
            if kind != "stdin":
                continue
            self.typed.append(typed[0])
            await socket.send_json(["stdout", typed[0]])
            if self.shell_ends:
                await socket.send_json(["disconnect", 1])
            else:
                await socket.send_json(["stdout", self._printed(typed[0])])
        return socket

    def _printed(self, typed: str) -> str:
        """Return what a shell would print for a command of the check."""
        first, last = (a + b for a, b in re.findall(r"([0-9a-f]{16}) ([0-9a-f]{16})", typed))
        command = next((each for each in ("pip", "test -d", "test -w") if each in typed), "file")
        output, status = self.printed.get(command, ("", 0))
        return f"\x1b[?2004l\r{first}\r\n{output}\r\n{last}:{status}\r\n"

    async def _send(self, socket: Any, asked: Any, kind: str, text: str) -> None:
        if kind == "close":
            await socket.close(code=int(text), message=b"going")
            return
        contents = {
            "status": ("status", {"execution_state": text}),
            "stdout": ("stream", {"name": "stdout", "text": text}),
            "stderr": ("stream", {"name": "stderr", "text": text}),
            "reply": ("execute_reply", {"status": text}),
            "error": ("error", {"ename": "ValueError", "evalue": text}),
        }
        msg_type, content = contents[kind]
        # the messages about a dead kernel come from the server, not in reply to a request
        parent = {} if text in ("dead", "restarting") else asked["header"]
        await socket.send_json({"header": {"msg_type": msg_type}, "parent_header": parent, "content": content})

    async def _on_log(self, request: Any, name: str) -> Any:
        if self.log is None:
            return web.json_response({"message": "not here"}, status=404)
        return web.json_response({"lines": self.log})

    async def _on_stop(self, request: Any, name: str) -> Any:
        self.users[name] = ""
        return web.Response(status=204)

    async def _on_delete(self, request: Any, name: str) -> Any:
        del self.users[name]
        return web.Response(status=204)

    def settle(self, seconds: float = 1.0) -> None:
        """Wait until no user is there, at most so long."""
        end = time.monotonic() + seconds
        while self.users and time.monotonic() < end:
            time.sleep(0.02)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    """An imitated hub that answers."""
    pytest.importorskip("aiohttp")
    fake = FakeHub()
    fake.start()
    yield fake
    fake.stop()


@pytest.fixture
def hub_token() -> str:
    """The token that the imitated hub accepts."""
    return HUB_TOKEN


@pytest.fixture
def tokens() -> tuple[str, str]:
    """Everything that must never be shown."""
    return HUB_TOKEN, USER_TOKEN
