# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the certificate ends that a hub serves."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

DAY = 86400.0
#: Days before its end at which somebody should do something.
SOON = 14
#: What renews certificates by itself does so when a third of their life is left; half of that gone, it did not.
LATE = 1 / 6


async def served_certificate(url: str, context: Any, address: tuple[str, int] | None) -> dict[str, Any]:
    """Return the certificate that is served at an address, as SSLSocket.getpeercert() has it; {} without TLS.

    context: the ssl context to connect with. address: host and port to connect to, None for those of the URL.
    Raises OSError where there is no connection.
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


def warning(certificate: dict[str, Any], renews: bool, now: float | None = None) -> str:
    """Return what is to be said of a certificate's end, "" where that is far away.

    renews: something renews it by itself, so that only one that was not renewed in time is worth a word.
    """
    if not certificate.get("notAfter"):
        return ""
    end = float(ssl.cert_time_to_seconds(certificate["notAfter"]))
    start = float(ssl.cert_time_to_seconds(certificate["notBefore"]))
    left = end - (time.time() if now is None else now)
    soon = min(SOON * DAY, (end - start) * LATE) if renews else SOON * DAY
    if left >= soon:
        return ""
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(end))
    days = int(left / DAY)
    span = f"{days} day{'' if days == 1 else 's'}" if days else f"{max(0, int(left / 3600))} hours"
    return f"its certificate ends in {span} ({when}){', and was not renewed' if renews else ''}"
