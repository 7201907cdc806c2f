# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run commands in a terminal of a user's server, with the messages of the collection's check."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import aiohttp
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.terminal import Command
from yarl import URL


def run_in_terminal(server: str, token: str, texts: Sequence[str], timeout: float = 60, shell: str = "") -> list[str]:
    """Return what each command prints in one new terminal. server: its address, which ends in a slash.

    shell: command of another shell that is started in the terminal first, and that runs the commands.
    Raises AssertionError if the terminal ends.
    """
    return asyncio.run(asyncio.wait_for(_run(server, token, texts, shell), timeout))


async def _run(server: str, token: str, texts: Sequence[str], shell: str) -> list[str]:
    commands = [Command(text) for text in texts]
    headers = {"Authorization": f"token {token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(URL(f"{server}api/terminals", encoded=True), json={}) as reply:
            name = (await reply.json())["name"]
        address = URL(f"{server}terminals/websocket/{name}", encoded=True)
        async with session.ws_connect(address) as socket:
            await socket.send_json(["set_size", 50, 1000, 0, 0])
            if shell:
                # what is typed while one shell starts the other may be lost: the terminal changes its mode
                await socket.send_json(["stdin", f"{shell}\r"])
                await asyncio.sleep(2)
            for command in commands:
                await socket.send_json(["stdin", command.line()])
                while command.status is None:
                    message = await socket.receive()
                    assert message.type == aiohttp.WSMsgType.TEXT, "the terminal ended"
                    kind, *content = json.loads(message.data)
                    if kind == "stdout":
                        command.feed(content[0])
    return [command.output for command in commands]
