# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts for people: one line, no control characters, no secrets, causes instead of classes."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
from collections.abc import Iterable
from typing import Any

from ..common.errors import HubfleetError
from ..redaction.mask import MASK, mask_inside

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[@-_])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_TOKEN_LIKE = re.compile(r"(?i)((?:\btoken[=\s:]+|\bbearer\s+)['\"]?)[\w.~+/-]{16,}")


class CheckFailure(HubfleetError):
    """A step did not do what it should. str() is one line for people.

    status: the HTTP status if that was the reason, else None.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class MessageCleaner:
    """Makes lines for people of what a hub and its programs say; masks the secrets of the hub that are known."""

    def __init__(self, *secrets: str) -> None:
        self._secrets = set(secrets)

    def add(self, secret: str) -> None:
        """Mask this secret, too, from now on."""
        self._secrets.add(secret)

    def line(self, text: str, limit: int = 400) -> str:
        """Return the text on one line of at most limit characters, without secrets and colour codes."""
        text = _ANSI.sub("", mask_inside(text, self._secrets))
        text = _TOKEN_LIKE.sub(r"\1" + MASK, _CONTROL.sub(" ", text).strip())
        return text if len(text) <= limit else text[: limit - 1] + "…"

    def lines(self, texts: Iterable[Any], last: int = 20) -> list[str]:
        """Return the last texts that are not empty, each cleaned by line()."""
        cleaned = [self.line(str(text)) for text in texts]
        return [text for text in cleaned if text][-last:]


def quoted(text: str, limit: int = 120) -> str:
    """The text as a Python literal of bounded length."""
    literal = repr(text if len(text) <= limit else text[:limit])
    return literal if len(text) <= limit else f"{literal} (and {len(text) - limit} more characters)"


def http_error(what: str, status: int, reason: str, body: str, location: str = "") -> CheckFailure:
    """Failure for an HTTP answer that was not expected.

    The server's own words come from the JSON body that JupyterHub and Jupyter Server send with
    errors ({"status": …, "message": …}); pages of proxies are not quoted.
    """
    if 300 <= status < 400:
        to = location or "nowhere"
        return CheckFailure(f"{what}: HTTP {status} to {to}; is the hub's address right?", status)
    message = _own_words(body)
    text = f"{what}: HTTP {status} {reason}".rstrip()
    if message and message != reason:
        text += f": {message}"
    if status in (401, 403):
        text += " (is the check's token known to this hub, with its scopes?)"
    return CheckFailure(text, status)


def _own_words(body: str) -> str:
    """What a server says about an error, empty if only a page for browsers."""
    try:
        data = json.loads(body)
    except ValueError:
        return "" if "<" in body else body
    return str(data.get("message") or data.get("reason") or "") if isinstance(data, dict) else ""


def explain(error: BaseException) -> str:
    """One line on why a connection did not come about or broke off."""
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
        return "no connection in time"
    if type(error).__name__ in ("ServerDisconnectedError", "ClientPayloadError"):
        return "the connection was closed in the middle of an answer"
    if isinstance(cause, OSError):
        return f"no connection to {where}: {cause.strerror or cause}"
    return f"{type(error).__name__}: {error}"
