# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs code in a kernel over its websocket; started with a hub environment's Python.

    runtime_kernel.py SERVER_URL TOKEN KERNEL_ID SECONDS    the code on standard input

Source: Jupyter messaging protocol 5, execute_request; Jupyter Server's REST API.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect


async def execute(url: str, token: str, kernel: str, code: str) -> str:
    """What the code printed; RuntimeError with what it raised."""
    address = url.replace("http", "ws", 1) + f"api/kernels/{kernel}/channels"
    socket = await websocket_connect(HTTPRequest(address, headers={"Authorization": f"token {token}"}))
    number = uuid.uuid4().hex
    header = {
        "msg_id": number,
        "msg_type": "execute_request",
        "username": "",
        "session": number,
        "version": "5.3",
    }
    content = {
        "code": code,
        "silent": False,
        "store_history": False,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": True,
    }
    await socket.write_message(
        json.dumps(
            {
                "header": header,
                "parent_header": {},
                "metadata": {},
                "content": content,
                "channel": "shell",
                "buffers": [],
            }
        )
    )
    printed = []
    while True:
        text = await socket.read_message()
        if text is None:
            raise RuntimeError("the connection was closed")
        message = json.loads(text)
        if message["content"].get("execution_state") in ("restarting", "dead"):
            raise RuntimeError("the kernel died")
        if message["parent_header"].get("msg_id") != number:
            continue
        kind, body = message["header"]["msg_type"], message["content"]
        if kind == "stream":
            printed.append(body["text"])
        elif kind == "error":
            raise RuntimeError("\n".join(body["traceback"]))
        elif kind == "status" and body["execution_state"] == "idle":
            return "".join(printed)


if __name__ == "__main__":
    print(
        asyncio.run(
            asyncio.wait_for(execute(sys.argv[1], sys.argv[2], sys.argv[3], sys.stdin.read()), float(sys.argv[4]))
        ),
        end="",
    )
