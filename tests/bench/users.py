# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of a hub: they come at once, start a server and a kernel each, and run code; some stay."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import CHECKOUT

sys.path.insert(0, str(CHECKOUT / ".ansible/collections"))
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check import hub_api
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.client import (
    NETWORK_ERRORS,
    HubClient,
    Reply,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.kernel import (
    Execution,
    run_code,
    start_kernel,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.messages import CheckFailure
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import HubTarget
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.users import new_user_name as new_name
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.waiting import Deadline, within

__all__ = ["Deadline", "HubClient", "hub_api", "new_name"]  # for those who use this module

PATIENCE = 600.0
CODE, RESULT = "print(sum(range(1000000)))", "499999500000"
#: What a tab with JupyterLab asks its server for, again and again.
ASKED = ("api/kernels", "api/sessions", "api/terminals", "api/metrics/v1")
PAUSE = 5.0


class CountingClient(HubClient):
    """Counts how often the hub told to come again later (429)."""

    throttled = 0

    async def _request(
        self, method: str, url: str, attempts: int, arguments: dict[str, Any], most: int | None = None
    ) -> Reply:
        reply = await super()._request(method, url, attempts, arguments, most)
        self.throttled += reply.status == 429
        return reply


@dataclass
class Session:
    """One user's. start: seconds until the server was ready; kernel: then until code had run; error: what failed."""

    user: str
    start: float | None = None
    kernel: float | None = None
    error: str = ""
    url: str = ""
    token: str = ""
    channels: str = ""


@asynccontextmanager
async def client_of(hub: Path, connections: int = 200) -> AsyncIterator[CountingClient]:
    """A client with the rights of the hub's check; the hub's directory is given."""
    config = json.loads((hub / "config" / "hub.json").read_text())
    token = (hub / "secrets" / "check_token").read_text()
    async with CountingClient(HubTarget(hub.name, "bench", config["url"], token), connections) as client:
        yield client


async def arrive(client: HubClient, users: list[str], **options: str) -> list[Session]:
    """All users start a server and a kernel at once; options as the form sends them."""
    sessions = [Session(user) for user in users]
    for session in sessions:
        await hub_api.create_user(client, session.user, Deadline(PATIENCE))
    await asyncio.gather(*(begin(client, session, options) for session in sessions))
    return sessions


async def begin(client: HubClient, session: Session, options: dict[str, str], kernel: bool = True) -> None:
    """Start the server of a user that the hub knows, and a kernel that runs code; errors are noted."""
    limit, started = Deadline(PATIENCE), time.monotonic()
    try:
        async with within(limit):
            await hub_api.start_server(client, session.user, options, limit)
            await hub_api.follow_start(client, session.user, [], limit)
            session.start = time.monotonic() - started
            if kernel:
                await first_code(client, session, limit)
                session.kernel = time.monotonic() - started - session.start
    except (CheckFailure, asyncio.TimeoutError, *NETWORK_ERRORS) as error:
        session.error = f"{session.user}: {type(error).__name__}: {error}"


async def first_code(client: HubClient, session: Session, limit: Deadline) -> None:
    """Start a kernel and run code in it."""
    session.token = await hub_api.issue_token(client, session.user, 3600, limit)
    session.url = await hub_api.server_url(client, session.user, limit)
    kernel = await start_kernel(client, session.url, session.token, None, limit)
    session.channels = f"{session.url}api/kernels/{kernel}/channels"
    await run_code(client, session.url, session.token, kernel, CODE, RESULT)


async def stay(client: HubClient, session: Session, seconds: float) -> None:
    """Keep a tab open: a websocket, the questions a tab asks, and code now and then; errors are noted."""
    end = time.monotonic() + seconds
    try:
        async with client.websocket(session.channels, session.token) as socket:
            reading = asyncio.ensure_future(_read(socket))
            while time.monotonic() < end:
                for path in ASKED:
                    await client.call("GET", session.url + path, path, Deadline(60), token=session.token)
                await socket.send_json(Execution().request(CODE))
                await asyncio.sleep(PAUSE)
            if reading.done():
                session.error = f"{session.user}: the websocket was closed"
            reading.cancel()
    except (CheckFailure, *NETWORK_ERRORS) as error:
        session.error = f"{session.user}: {type(error).__name__}: {error}"


async def _read(socket: Any) -> None:
    """Take what comes, as a browser does; the server would drop who does not."""
    async for _message in socket:
        pass


async def leave(client: HubClient, users: list[str]) -> None:
    """Stop the servers of users, all at once."""
    await asyncio.gather(*(hub_api.stop_server(client, user, Deadline(PATIENCE)) for user in users))
