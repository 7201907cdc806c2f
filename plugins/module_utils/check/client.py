# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP client of one hub: one aiohttp session, which retries only where the hub asks to wait (429, 503)."""

from __future__ import annotations

import asyncio
import email.utils
import json
import os
import socket
import ssl
import time
import traceback
import urllib.parse
import urllib.request
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

try:
    import aiohttp
except ImportError:
    HAS_AIOHTTP = False
    AIOHTTP_IMPORT_ERROR: str | None = traceback.format_exc()
    NETWORK_ERRORS: tuple[type[BaseException], ...] = (OSError,)
else:
    HAS_AIOHTTP = True
    AIOHTTP_IMPORT_ERROR = None
    NETWORK_ERRORS = (aiohttp.ClientError, OSError)

from ..common.errors import reason
from .certificate import (
    expiry_warning,
    served_certificate,
)
from .messages import (
    CheckFailure,
    MessageCleaner,
    http_error,
)
from .targets import HubTarget
from .waiting import Deadline, with_grace

WAIT_STATUSES = (429, 503)
LARGEST_MESSAGE = 16 * 1024 * 1024


@dataclass(frozen=True)
class Reply:
    """An HTTP answer. data: the decoded JSON, else None. attempts: 1 unless the hub asked to wait."""

    status: int
    reason: str
    headers: Any
    text: str
    data: Any
    attempts: int = 1


def retry_after(value: str | None, attempts: int) -> float:
    """Return the seconds to wait after 429 or 503, at least 0.05.

    value: the Retry-After header (RFC 9110: seconds or a date); without one 1, 2, 4 … 10 s.
    """
    if value is not None:
        try:
            return max(0.05, float(value))
        except ValueError:
            pass
        try:
            return max(0.05, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
        except (TypeError, ValueError):
            pass
    return float(min(10, 2 ** (attempts - 1)))


class FallbackResolver:
    """Resolve names for aiohttp as the system does, and unknown ones to the machine's address, if there is one.

    always: the address of all names, known or not. used: whether the machine's address was needed.
    """

    def __init__(self, machine: tuple[str, int] | None, always: tuple[str, int] | None = None) -> None:
        self.machine, self.always = machine, always
        self.used = False

    @property
    def address(self) -> tuple[str, int] | None:
        """What was resolved to an address that its name does not have; None if nothing was."""
        return self.always or (self.machine if self.used else None)

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[dict[str, Any]]:
        """Return addresses as aiohttp expects them; raises OSError."""
        if self.always is None:
            try:
                return await self._look_up(host, port, family)
            except OSError:
                if self.machine is None:
                    raise
                self.used = True
        found = await self._look_up(*(self.address or (host, port)), family)
        return [{**each, "hostname": host} for each in found]

    async def _look_up(self, host: str, port: int, family: int) -> list[dict[str, Any]]:
        found = asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        return [
            {"hostname": host, "host": at[0], "port": at[1], "family": kind, "proto": proto, "flags": 0}
            for kind, _type, proto, _name, at in await found
        ]

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


class HubClient:
    """Send requests to one hub and to its users' servers; an asynchronous context manager.

    clock_offset: seconds by which the hub's clock is ahead of ours, from its Date header.
    """

    def __init__(self, target: HubTarget, connections: int = 8) -> None:
        self.base_url = target.base_url
        self.cleaner = MessageCleaner(target.token, target.token.strip())
        self.clock_offset = 0.0
        self._token = target.token.strip()
        self._verify_tls = target.verify_tls
        self._authorities = target.authorities
        self._authority_file = target.authority_file if os.path.exists(target.authority_file) else None
        self._resolver: Any = FallbackResolver(
            target.machine, target.connect_to
        )  # aiohttp takes any object with these methods
        self._renews = target.renews
        self._connections = connections
        self._session: Any = None
        self._common: dict[str, Any] = {}

    async def __aenter__(self) -> HubClient:
        self._common = {"ssl": self._ssl(), "proxy": self._proxy()}
        self._session = aiohttp.ClientSession(
            # Proxies and servers close idle connections after 5 s or more; a request sent at that moment would
            # fail although the hub is fine.
            connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=3, resolver=self._resolver),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=15),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept": "application/json"},
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._session.close()

    def _ssl(self) -> Any:
        """Return aiohttp's ssl argument: True, False, or a context with the given authorities."""
        more = self._authorities or self._authority_file
        if self._verify_tls is False or (self._verify_tls is True and not more):
            return self._verify_tls
        source = None if self._verify_tls is True else self._verify_tls
        try:
            context = ssl.create_default_context(cafile=source)
            if more:
                source = self._authority_file or "cluster_certificate_authority"
                context.load_verify_locations(cafile=self._authority_file, cadata=self._authorities or None)
            return context
        except OSError as error:
            why = "it holds no certificates in PEM format" if isinstance(error, ssl.SSLError) else reason(error)
            raise CheckFailure(f"cannot read certificates from {source}: {why}") from None

    def _proxy(self) -> str | None:
        """Return the HTTP proxy that the environment names for this hub; none for addresses of this machine."""
        try:
            url = urllib.parse.urlsplit(self.base_url)
            host = url.hostname or ""
        except ValueError as error:
            raise CheckFailure(f"{self.base_url} is not a valid address: {error}") from None
        if self._resolver.always or host in ("localhost", "::1") or host.startswith("127."):
            return None
        if urllib.request.proxy_bypass(host):
            return None
        return urllib.request.getproxies().get(url.scheme)

    async def warnings(self) -> list[str]:
        """Return warnings about the connection: a domain that cannot be resolved, a certificate that expires soon."""
        host = urllib.parse.urlsplit(self.base_url).hostname
        found = []
        if self._resolver.used:
            found.append(f"the name {host} cannot be resolved here; connected to the machine itself")
        if not self._common["proxy"]:
            certificate = await served_certificate(self.base_url, self._common["ssl"], self._resolver.address)
            found += filter(None, [expiry_warning(certificate, self._renews)])
        return found

    def api(self, *path: str) -> str:
        """Return an address in the hub's REST API: api("users", NAME) is …/hub/api/users/NAME."""
        return self.base_url + "hub/api/" + "/".join(urllib.parse.quote(part, safe="") for part in path)

    def _headers(self, token: str | None) -> dict[str, str]:
        return {"Authorization": f"token {token or self._token}"}

    async def call(
        self,
        method: str,
        url: str,
        what: str,
        deadline: Deadline,
        ok: Collection[int] = (200,),
        body: Any = None,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        grace: float = 0.0,
        most: int | None = None,
    ) -> Reply:
        """Send a request and return the answer where its status is in ``ok``.

        what: begins the message of CheckFailure. body: sent as JSON unless None. token: used instead of the check's.
        grace: seconds that a request in progress has to finish when the task is cancelled. After 429 and 503 it waits
        as Retry-After says and tries again, as long as the deadline allows. most: bytes of the answer to read, if it
        may have no end.
        """
        attempts = 0
        while True:
            attempts += 1
            arguments = dict(self._common, headers={**self._headers(token), **(headers or {})})
            if body is not None:
                arguments["json"] = body
            request = self._request(method, url, attempts, arguments, most)
            reply = await (with_grace(request, grace) if grace else request)
            if reply.status in ok:
                return reply
            location = reply.headers.get("Location", "")
            failure = http_error(what, reply.status, reply.reason, reply.text, location)
            if reply.status not in WAIT_STATUSES:
                raise failure
            pause = retry_after(reply.headers.get("Retry-After"), attempts)
            if pause >= deadline.remaining:
                raise CheckFailure(
                    f"{failure} ({attempts} attempts; waiting {pause:.0f} s more would exceed the "
                    f"limit of {deadline.seconds:.0f} s)",
                    reply.status,
                )
            await asyncio.sleep(pause)

    async def _request(
        self, method: str, url: str, attempts: int, arguments: dict[str, Any], most: int | None = None
    ) -> Reply:
        async with self._session.request(method, url, allow_redirects=False, **arguments) as response:
            content = await (response.read() if most is None else response.content.read(most))
            text = content.decode("utf-8", "replace")
            data = None
            if "json" in response.headers.get("Content-Type", ""):
                try:
                    data = json.loads(text)
                except ValueError:
                    data = None
            return Reply(response.status, response.reason or "", response.headers, text, data, attempts)

    def stream(self, url: str) -> Any:
        """Return an asynchronous context manager with the response of a GET that streams server-sent events."""
        headers = {**self._headers(None), "Accept": "text/event-stream"}
        return self._session.get(url, headers=headers, allow_redirects=False, **self._common)

    def websocket(self, url: str, token: str) -> Any:
        """Return an asynchronous context manager with a websocket to a user's server."""
        return self._session.ws_connect(
            url,
            headers=self._headers(token),
            heartbeat=20,
            max_msg_size=LARGEST_MESSAGE,
            **self._common,
        )
