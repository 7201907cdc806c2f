# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open the page that a user's server leads to, as a browser does: JupyterLab, or a program behind the server."""

from __future__ import annotations

import asyncio
import urllib.parse

from .client import HubClient, Reply
from .messages import CheckFailure, http_error
from .waiting import Deadline

_REDIRECTS = (301, 302, 303, 307, 308)
#: What Jupyter Server Proxy, and proxies before it, answer while a program starts, and if it does not.
_NOT_READY = (500, 502, 504)
_MOST_REDIRECTS = 10
_PAUSE = 1.0  # seconds


async def open_interface(client: HubClient, server_url: str, path: str, token: str, deadline: Deadline) -> None:
    """Follow redirects from a path in the server to a page. Raises CheckFailure, with the last answer.

    server_url: ends in a slash. path: starts with a slash; what it names may have to be started first.
    """
    first = url = server_url + path.lstrip("/")
    what = f"opening {path}"
    redirects = 0
    while True:
        headers = {"Accept": "text/html,*/*"}
        ok = (200, *_REDIRECTS, *_NOT_READY)
        reply = await client.call("GET", url, what, deadline, ok=ok, token=token, headers=headers)
        if reply.status == 200:
            return
        if reply.status in _REDIRECTS:
            redirects += 1
            url = _target(what, url, server_url, reply)
            if redirects > _MOST_REDIRECTS:
                raise CheckFailure(f"{what}: more than {_MOST_REDIRECTS} redirects, at last to {url}")
            continue
        if deadline.remaining <= _PAUSE:
            raise http_error(what, reply.status, reply.reason, reply.text)
        await asyncio.sleep(_PAUSE)
        url, redirects = first, 0


def _target(what: str, url: str, server_url: str, reply: Reply) -> str:
    """Return where a redirect leads; the token must not get anywhere but to the server."""
    location = str(urllib.parse.urljoin(url, reply.headers.get("Location", "")))
    if not location.startswith(server_url):
        raise CheckFailure(f"{what}: it leads to {location}, which is not in the user's server")
    return location
