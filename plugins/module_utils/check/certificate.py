# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expiry of the certificate that a hub serves."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

DAY = 86400.0
#: Days before the expiry of a certificate that is not renewed automatically from which there is a warning.
WARNING_DAYS = 14
#: Automatic renewal happens when a third of the lifetime is left; with half of that gone, it has failed.
OVERDUE_FRACTION = 1 / 6


async def served_certificate(url: str, context: Any, address: tuple[str, int] | None) -> dict[str, Any]:
    """Return the certificate that is served at an address, as SSLSocket.getpeercert() does; {} without TLS.

    context: the ssl context to connect with. address: host and port to connect to, None for those of the URL.
    Raises OSError if the connection fails.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not isinstance(context, (ssl.SSLContext, bool)) or context is False:
        return {}
    trusted = ssl.create_default_context() if context is True else context
    host, port = address or (parts.hostname or "", parts.port or 443)
    _reader, writer = await asyncio.open_connection(host, port, ssl=trusted, server_hostname=parts.hostname)
    try:
        return dict(writer.get_extra_info("peercert") or {})
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def expiry_warning(certificate: dict[str, Any], renews: bool, now: float | None = None) -> str:
    """Return a warning where a certificate expires soon, else "".

    renews: it is renewed automatically, so that the warning is only for one whose renewal is overdue.
    """
    if not certificate.get("notAfter"):
        return ""
    end = float(ssl.cert_time_to_seconds(certificate["notAfter"]))
    start = float(ssl.cert_time_to_seconds(certificate["notBefore"]))
    left = end - (time.time() if now is None else now)
    soon = min(WARNING_DAYS * DAY, (end - start) * OVERDUE_FRACTION) if renews else WARNING_DAYS * DAY
    if left >= soon:
        return ""
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(end))
    days = int(left / DAY)
    span = f"{days} day{'' if days == 1 else 's'}" if days else f"{max(0, int(left / 3600))} hours"
    return f"its certificate expires in {span} ({when}){', and has not been renewed' if renews else ''}"
