# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of the check: one line, without control characters and secrets, with causes instead of class names."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
from collections.abc import Iterable
from typing import Any

from ..common.errors import HubfleetError, reason
from ..redaction.mask import MASK, mask_inside

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[@-_])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_TOKEN_LIKE = re.compile(r"(?i)((?:\btoken[=\s:]+|\bbearer\s+)['\"]?)[\w.~+/-]{16,}")


class LastingReason(str):
    """Why a server does not start, where it never will: a check need not wait any longer."""


class CheckFailure(HubfleetError):
    """A step failed; the message is one line.

    status: the HTTP status if that was the reason, else None.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class MessageCleaner:
    """Masks the secrets of one hub in texts."""

    def __init__(self, *secrets: str) -> None:
        self._secrets = set(secrets)

    def add(self, secret: str) -> None:
        """Mask this secret from now on; an empty one is ignored."""
        if secret:
            self._secrets.add(secret)

    def line(self, text: str, limit: int = 400) -> str:
        """Return the text as one line of at most ``limit`` characters, without secrets and colour codes."""
        text = _CONTROL.sub(" ", _ANSI.sub("", mask_inside(text, self._secrets))).strip()
        text = _TOKEN_LIKE.sub(r"\1" + MASK, text)
        return text if len(text) <= limit else text[: limit - 1] + "…"

    def lines(self, texts: Iterable[Any], last: int = 20) -> list[str]:
        """Return the last texts that are not empty, each as line() returns it."""
        cleaned = [self.line(str(text)) for text in texts]
        return [text for text in cleaned if text][-last:]


def quoted(text: str, limit: int = 120) -> str:
    """Return the text as a Python literal of limited length."""
    literal = repr(text if len(text) <= limit else text[:limit])
    return literal if len(text) <= limit else f"{literal} (and {len(text) - limit} more characters)"


def http_error(what: str, status: int, reason: str, body: str, location: str = "") -> CheckFailure:
    """Return the failure for an unexpected HTTP answer.

    The server's message comes from the JSON body that JupyterHub and Jupyter Server send with errors
    ({"status": …, "message": …}); HTML pages are not quoted.
    """
    if 300 <= status < 400:
        to = location or "nowhere"
        return CheckFailure(f"{what}: HTTP {status} to {to}; check the hub's address", status)
    message = _server_message(body)
    text = f"{what}: HTTP {status} {reason}".rstrip()
    if message and message != reason:
        text += f": {message}"
    if status in (401, 403):
        text += " (check that the hub knows the check's token, with its scopes)"
    return CheckFailure(text, status)


def _server_message(body: str) -> str:
    """Return the message of an error, "" where the body is an HTML page."""
    try:
        data = json.loads(body)
    except ValueError:
        return "" if "<" in body else body
    return str(data.get("message") or data.get("reason") or "") if isinstance(data, dict) else ""


def explain(error: BaseException) -> str:
    """Return in one line why a connection failed or was closed."""
    cause = getattr(error, "os_error", None) or getattr(error, "certificate_error", None) or error
    where = "the hub"
    if hasattr(error, "host") and hasattr(error, "port"):
        where = f"[{error.host}]:{error.port}" if ":" in error.host else f"{error.host}:{error.port}"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"TLS certificate of {where} not accepted: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return f"no TLS connection to {where}: {cause.reason or cause}"
    if isinstance(cause, socket.gaierror) or "DNS" in type(error).__name__:
        return f"the host name of {where} cannot be resolved"
    if hasattr(error, "status") and hasattr(error, "history"):
        return f"websocket refused: HTTP {error.status}"
    if isinstance(error, asyncio.TimeoutError):
        return "the connection timed out"
    if type(error).__name__ in ("ServerDisconnectedError", "ClientPayloadError"):
        return "the connection was closed in the middle of an answer"
    if isinstance(cause, OSError):
        return f"no connection to {where}: {reason(cause)}"
    return f"{type(error).__name__}: {error}"
