# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run code in a kernel of a user's server.

Source: Jupyter Server's REST API (POST api/kernels, api/kernels/ID/channels) and the Jupyter
messaging protocol 5.3 (execute_request, execute_reply, stream, error, status) as JSON text.
"""

from __future__ import annotations

import datetime
import json
import uuid
from typing import Any

from .client import HubClient
from .messages import CheckFailure, quoted
from .waiting import Deadline

try:
    from aiohttp import WSMsgType
except ImportError:  # see client.HAS_AIOHTTP
    WSMsgType = None  # type: ignore[assignment, misc]

DEAD_STATES = ("restarting", "autorestarting", "dead")
LARGEST_OUTPUT = 1024 * 1024


async def start_kernel(client: HubClient, server_url: str, token: str, name: str | None, deadline: Deadline) -> str:
    """Start a kernel and return its id.

    server_url: ends in a slash. name: of the kernel, None for the server's default.
    """
    reply = await client.call(
        "POST",
        server_url + "api/kernels",
        "starting a kernel",
        deadline,
        ok=(200, 201),
        body={"name": name} if name else {},
        token=token,
    )
    kernel = reply.data.get("id") if isinstance(reply.data, dict) else None
    if not kernel:
        raise CheckFailure("starting a kernel: the answer contains no id")
    return str(kernel)


class Execution:
    """The output of one execute_request: feed() it messages until it is finished."""

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self.stdout = ""
        self.stderr = ""
        self._replied = False
        self._idle = False

    @property
    def finished(self) -> bool:
        """Whether the reply and all output have arrived; the status idle ends the output."""
        return self._replied and self._idle

    def request(self, code: str) -> dict[str, Any]:
        """Return the execute_request for the shell channel."""
        return {
            "channel": "shell",
            "header": {
                "msg_id": self.id,
                "msg_type": "execute_request",
                "session": self.id,
                "username": "hubfleet-check",
                "date": datetime.datetime.now(datetime.timezone.utc).isoformat(),
                "version": "5.3",
            },
            "parent_header": {},
            "metadata": {},
            "content": {
                "code": code,
                "silent": False,
                "store_history": False,
                "user_expressions": {},
                "allow_stdin": False,
                "stop_on_error": True,
            },
            "buffers": [],
        }

    def feed(self, message: dict[str, Any]) -> None:
        """Process one message; raise CheckFailure where the code failed or the kernel died."""
        kind = (message.get("header") or {}).get("msg_type") or message.get("msg_type")
        content = message.get("content") or {}
        if kind == "status" and content.get("execution_state") in DEAD_STATES:
            raise CheckFailure(f"the kernel died (status {content['execution_state']}); it may have run out of memory")
        if (message.get("parent_header") or {}).get("msg_id") != self.id:
            return
        if kind == "stream":
            self._output(content)
        elif kind == "error" or (kind == "execute_reply" and content.get("status") != "ok"):
            name, value = content.get("ename") or "Error", content.get("evalue") or ""
            raise CheckFailure(f"the code failed: {name}: {value}".rstrip(": "))
        elif kind == "execute_reply":
            self._replied = True
        elif kind == "status" and content.get("execution_state") == "idle":
            self._idle = True

    def _output(self, content: dict[str, Any]) -> None:
        text = str(content.get("text") or "")
        if content.get("name") == "stderr":
            self.stderr = (self.stderr + text)[-LARGEST_OUTPUT:]
        else:
            self.stdout += text
        if len(self.stdout) > LARGEST_OUTPUT:
            raise CheckFailure("the output of the code is larger than 1 MB")

    def compare(self, expect: str) -> None:
        """Raise CheckFailure unless stdout is as expected, apart from white space at the end."""
        if self.stdout.rstrip() == expect.rstrip():
            return
        text = f"the code printed {quoted(self.stdout.rstrip())}, not {quoted(expect.rstrip())}"
        last = self.stderr.strip().splitlines()[-1:]
        raise CheckFailure(text + (f"; stderr ends in {quoted(last[0])}" if last else ""))


async def run_code(client: HubClient, server_url: str, token: str, kernel: str, code: str, expect: str) -> None:
    """Run code and compare its stdout with ``expect``. The caller limits the time."""
    execution = Execution()
    async with client.websocket(f"{server_url}api/kernels/{kernel}/channels", token) as socket:
        await socket.send_json(execution.request(code))
        while not execution.finished:
            message = await socket.receive()
            if message.type == WSMsgType.TEXT:
                execution.feed(_decoded(message.data))
            elif message.type != WSMsgType.BINARY:
                raise CheckFailure(_closed(socket, message))
    execution.compare(expect)


def _decoded(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise CheckFailure("a message of the kernel's websocket is not a JSON object")
    return message


def _closed(socket: Any, message: Any) -> str:
    """Return why there are no more messages, with the close code (RFC 6455) and its reason, if any."""
    reason = message.extra if isinstance(message.extra, str) else ""
    code = f" (code {socket.close_code})" if socket.close_code else ""
    text = f"the kernel's websocket was closed before the code had finished{code}"
    return f"{text}: {reason}" if reason else text
