# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run code in a kernel over its websocket, with the messages that the collection's check sends and understands."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.kernel import Execution
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.messages import CheckFailure
from yarl import URL


def run_code(channels: str, token: str, code: str, timeout: float = 60, ssl: Any = True) -> str:
    """Return what the code prints, to stderr first.

    channels: the address api/kernels/ID/channels of the kernel. ssl: as aiohttp takes it.
    Raises AssertionError with what the code raised, or that the kernel died; aiohttp.ClientError without a connection.
    """
    try:
        return asyncio.run(asyncio.wait_for(_run(channels, token, code, ssl), timeout))
    except CheckFailure as failure:
        raise AssertionError(str(failure)) from None


async def _run(channels: str, token: str, code: str, ssl: Any) -> str:
    execution = Execution()
    headers = {"Authorization": f"token {token}"}
    address = URL(channels, encoded=True)
    async with aiohttp.ClientSession() as session, session.ws_connect(address, headers=headers, ssl=ssl) as socket:
        await socket.send_json(execution.request(code))
        async for message in socket:
            execution.feed(json.loads(message.data))
            if execution.finished:
                return execution.stderr + execution.stdout
    raise AssertionError("the kernel's connection was closed")
