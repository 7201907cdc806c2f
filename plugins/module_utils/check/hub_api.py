# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to JupyterHub's REST API that a check needs, one function each.

Source: the JupyterHub REST API (version 5), and the log API that this collection adds to hubs. Each function raises
CheckFailure, or the errors of aiohttp where the connection fails.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import time
import urllib.parse
from collections.abc import AsyncGenerator
from typing import Any

from .client import (
    NETWORK_ERRORS,
    HubClient,
)
from .messages import (
    CheckFailure,
    explain,
    http_error,
)
from .waiting import Deadline, poll, within

GRACE = 2.0  # seconds that a request in progress has to finish when the check is interrupted
LOG_LINES = 20
LOG_TIMEOUT = 5.0
LARGEST_EVENT = 1024 * 1024


async def connect(client: HubClient, deadline: Deadline) -> str:
    """Return the hub's version, and set the client's clock_offset."""
    reply = await client.call("GET", client.api(""), "getting the version", deadline)
    version = reply.data.get("version") if isinstance(reply.data, dict) else None
    if not version:
        raise CheckFailure("the server that answers is not a JupyterHub; check the hub's address")
    try:
        date = email.utils.parsedate_to_datetime(reply.headers.get("Date", ""))
        client.clock_offset = date.timestamp() - time.time()
    except (TypeError, ValueError, IndexError):
        client.clock_offset = 0.0
    return str(version)


async def user_names(client: HubClient, part: str, deadline: Deadline) -> list[str]:
    """Return the names of all users that contain ``part``; filtered here as well, for hubs that do not filter."""
    names: list[str] = []
    offset: int | None = 0
    while offset is not None:
        query = urllib.parse.urlencode({"name_filter": part, "offset": offset, "limit": 200})
        reply = await client.call(
            "GET",
            f"{client.api('users')}?{query}",
            "listing users",
            deadline,
            headers={"Accept": "application/jupyterhub-pagination+json"},
        )
        page = reply.data if isinstance(reply.data, dict) else {}
        names += [user["name"] for user in page.get("items", []) if part in user.get("name", "")]
        following = (page.get("_pagination") or {}).get("next")
        offset = following["offset"] if following else None
    return names


async def create_user(client: HubClient, user: str, deadline: Deadline) -> None:
    """Create the user. 409 (exists) is accepted after an attempt that the hub answered with a request to wait."""
    url = client.api("users", user)
    reply = await client.call("POST", url, "creating the user", deadline, ok=(201, 409), grace=GRACE)
    if reply.status == 409 and reply.attempts == 1:
        raise CheckFailure(f"creating the user: {user} already exists", 409)


async def start_server(client: HubClient, user: str, options: dict[str, Any], deadline: Deadline) -> None:
    """Request the user's default server; afterwards it is starting (202) or running (201)."""
    url = client.api("users", user, "server")
    what = "starting the server"
    reply = await client.call("POST", url, what, deadline, ok=(201, 202, 400), body=options, grace=GRACE)
    if reply.status == 400 and (reply.attempts == 1 or "already running" not in reply.text):
        raise http_error(what, reply.status, reply.reason, reply.text)


async def follow_start(client: HubClient, user: str, messages: list[str], deadline: Deadline) -> None:
    """Wait until the server is ready, and append the spawner's messages to ``messages``.

    A stream that ends without a result, for example by a proxy's time limit, is opened again while the server starts.
    """
    while True:
        events = _progress_events(client, user)
        try:
            async for event in events:
                message = str(event.get("message") or "")
                if message:
                    messages.append(message)
                if event.get("failed"):
                    raise CheckFailure(message or "the spawner failed without a message")
                if event.get("ready"):
                    return
        finally:
            await events.aclose()
        server = await _server(client, user, deadline)
        if server.get("ready"):
            return
        if server.get("pending") != "spawn":
            raise CheckFailure("the server stopped during its start; the hub gives no reason")
        await asyncio.sleep(0.5)


async def _progress_events(client: HubClient, user: str) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the events of GET users/USER/server/progress (text/event-stream, one JSON per data line)."""
    buffer = b""
    async with client.stream(client.api("users", user, "server", "progress")) as response:
        if response.status != 200:
            text = await response.text()
            raise http_error("following the start", response.status, response.reason or "", text)
        try:
            async for chunk in response.content.iter_any():
                buffer += chunk
                *lines, buffer = buffer.split(b"\n")
                if len(buffer) > LARGEST_EVENT:
                    raise CheckFailure("following the start: an event of more than 1 MB")
                for line in lines:
                    if line.startswith(b"data:"):
                        yield _event(line[5:])
        except NETWORK_ERRORS:
            return  # the caller gets the state of the server


def _event(data: bytes) -> dict[str, Any]:
    try:
        event = json.loads(data)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


async def _user(client: HubClient, user: str, deadline: Deadline) -> dict[str, Any] | None:
    """Return the hub's model of the user, None if there is none."""
    url = client.api("users", user)
    reply = await client.call("GET", url, "getting the user", deadline, ok=(200, 404))
    if reply.status == 404:
        return None
    return reply.data if isinstance(reply.data, dict) else {}


async def _server(client: HubClient, user: str, deadline: Deadline) -> dict[str, Any]:
    """Return the hub's model of the user's default server, {} where it neither runs nor is pending."""
    model = await _user(client, user, deadline)
    server = ((model or {}).get("servers") or {}).get("")
    return server if isinstance(server, dict) else {}


async def server_url(client: HubClient, user: str, deadline: Deadline) -> str:
    """Return the address of the user's server, ending in a slash; it may have a host of its own."""
    path = (await _server(client, user, deadline)).get("url") or f"user/{user}/"
    return urllib.parse.urljoin(client.base_url, str(path)).rstrip("/") + "/"


async def server_version(client: HubClient, server_url: str, token: str, deadline: Deadline) -> str:
    """Return the version of JupyterHub in a user's server, "" if the server does not tell."""
    # What servers answer there is their own business, as long as the header is there.
    ok = (200, 302, 400, 401, 403, 404, 405)
    reply = await client.call("GET", server_url + "api", "getting the server's version", deadline, ok=ok, token=token)
    return str(reply.headers.get("X-JupyterHub-Version", ""))


async def issue_token(client: HubClient, user: str, seconds: float, deadline: Deadline) -> str:
    """Return a token that can only access the user's servers, valid for that many seconds."""
    body = {
        "expires_in": int(seconds),
        "note": "hubfleet check",
        "scopes": [f"access:servers!user={user}"],
    }
    url = client.api("users", user, "tokens")
    reply = await client.call("POST", url, "issuing a token", deadline, ok=(200, 201), body=body)
    token = reply.data.get("token") if isinstance(reply.data, dict) else None
    if not token:
        raise CheckFailure("issuing a token: the answer contains no token")
    client.cleaner.add(token)
    return str(token)


async def stop_server(client: HubClient, user: str, deadline: Deadline) -> None:
    """Stop the user's server and wait until it is gone. Not an error if there is none."""
    url = client.api("users", user, "server")
    await client.call("DELETE", url, "stopping the server", deadline, ok=(202, 204, 404), grace=GRACE)

    async def gone() -> bool:
        return not await _server(client, user, deadline)

    if not await poll(gone, deadline):
        raise CheckFailure(f"the server is still there after {deadline.seconds:g} s")


async def delete_user(client: HubClient, user: str, deadline: Deadline) -> None:
    """Delete the user and wait until it is gone. Not an error if there is none."""
    url = client.api("users", user)
    await client.call("DELETE", url, "deleting the user", deadline, ok=(204, 404), grace=GRACE)

    async def gone() -> bool:
        return await _user(client, user, deadline) is None

    if not await poll(gone, deadline):
        raise CheckFailure(f"the user is still there after {deadline.seconds:g} s")


async def remove_user(client: HubClient, user: str, seconds: float) -> str | None:
    """Stop the server and delete the user within that many seconds; return None, or why that failed.

    Unlike the steps of a check this repeats its requests until the user is gone: the hub refuses (400, 500) to stop a
    server that is starting and to delete a user whose server is stopping.
    """
    deadline = Deadline(seconds)
    problem = f"not removed within {seconds:.0f} s"
    pause = 0.3
    while not deadline.passed:
        try:
            async with within(deadline):
                for remove in (stop_server, delete_user):
                    try:
                        await remove(client, user, deadline)
                    except CheckFailure as failure:
                        problem = str(failure)
                if await _user(client, user, deadline) is None:
                    return None
        except CheckFailure as failure:
            problem = str(failure)
            if failure.status in (401, 403):
                break
        except asyncio.TimeoutError:
            break
        except NETWORK_ERRORS as error:
            problem = explain(error)
        await asyncio.sleep(min(pause, deadline.remaining))
        pause = min(3.0, pause * 2)
    return client.cleaner.line(f"{user}: {problem}")


async def server_log(client: HubClient, user: str) -> list[str]:
    """Return the last lines of the server's log, [] where they cannot be had. Raises nothing."""
    query = urllib.parse.urlencode({"lines": LOG_LINES})
    url = f"{client.api('hubfleet', 'servers', user, 'log')}?{query}"
    deadline = Deadline(LOG_TIMEOUT)
    try:
        async with within(deadline):
            reply = await client.call("GET", url, "reading the log", deadline)
    except (CheckFailure, asyncio.TimeoutError):
        return []
    except NETWORK_ERRORS:
        return []
    lines = reply.data.get("lines") if isinstance(reply.data, dict) else None
    return client.cleaner.lines(lines, LOG_LINES) if isinstance(lines, list) else []
