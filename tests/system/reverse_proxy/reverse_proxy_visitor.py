# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who comes to a hub by its domain, with a browser that knows the authority and nothing else."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urlsplit


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    text: str


class Visitor:
    """Comes to hubs."""

    def __init__(self, authority: Path) -> None:
        self.authority = authority

    def context(self) -> ssl.SSLContext:
        """Trusts the authority only."""
        return ssl.create_default_context(cafile=str(self.authority))

    def get(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        source: str = "127.0.0.1",
        context: ssl.SSLContext | None = None,
    ) -> Answer:
        """Ask for a page; redirects are not followed. source: the address to come from."""
        parts = urlsplit(url)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection = self._connection(url, source, context)
        try:
            connection.request("GET", target, headers=headers or {})
            return _answer(connection)
        finally:
            connection.close()

    def post(self, url: str, form: dict[str, str], cookies: Answer) -> Answer:
        """Send a form, with the cookies that came with a page."""
        jar: SimpleCookie = SimpleCookie()
        for text in cookies.headers.get_all("set-cookie") or []:
            jar.load(text)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items()),
        }
        connection = self._connection(url, "127.0.0.1", None)
        try:
            connection.request("POST", urlsplit(url).path, urlencode(form), headers)
            return _answer(connection)
        finally:
            connection.close()

    def _connection(self, url: str, source: str, context: ssl.SSLContext | None) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        place = (parts.hostname or "", port)
        if parts.scheme == "https":
            trusting = context or self.context()
            return http.client.HTTPSConnection(*place, timeout=60, source_address=(source, 0), context=trusting)
        return http.client.HTTPConnection(*place, timeout=60, source_address=(source, 0))


def _answer(connection: http.client.HTTPConnection) -> Answer:
    answer = connection.getresponse()
    return Answer(answer.status, answer.headers, answer.read().decode(errors="replace"))
