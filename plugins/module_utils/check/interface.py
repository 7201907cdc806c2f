# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open the page that a user's server leads to, as a browser does: JupyterLab, or a program behind the server."""

from __future__ import annotations

import asyncio
from http.cookies import CookieError, SimpleCookie

from .client import HubClient, Reply
from .messages import CheckFailure, http_error
from .waiting import Deadline

try:
    from yarl import URL
except ImportError:  # it comes with aiohttp, see client.HAS_AIOHTTP
    URL = None  # type: ignore[assignment, misc]

_REDIRECTS = (301, 302, 303, 307, 308)
#: What Jupyter Server Proxy, and proxies before it, answer if a program did not start, or closed the connection.
_NOT_READY = (500, 502, 504, 599)
_MOST_REDIRECTS = 10
_PAUSE = 1.0  # seconds
#: Bytes of a page; it may be a stream without an end.
_ENOUGH = 65_536


async def open_interface(client: HubClient, server_url: str, path: str, token: str, deadline: Deadline) -> None:
    """Follow redirects from a path in the server to a page. Raises CheckFailure, with the last answer.

    server_url: ends in a slash. path: starts with a slash; what it names may have to be started first.
    """
    first = url = server_url + path.lstrip("/")
    what = f"opening {path}"
    redirects, cookies = 0, SimpleCookie()
    while True:
        headers = {"Accept": "text/html,*/*"}
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={cookie.coded_value}" for name, cookie in cookies.items())
        ok = (200, *_REDIRECTS, *_NOT_READY)
        reply = await client.call("GET", url, what, deadline, ok=ok, token=token, headers=headers, most=_ENOUGH)
        if reply.status == 200:
            return
        if reply.status in _REDIRECTS:
            redirects += 1
            _keep(cookies, reply)
            url = _target(what, url, server_url, reply)
            if redirects > _MOST_REDIRECTS:
                raise CheckFailure(f"{what}: more than {_MOST_REDIRECTS} redirects, at last to {url}")
            continue
        if deadline.remaining <= _PAUSE:
            raise http_error(what, reply.status, reply.reason, reply.text)
        await asyncio.sleep(_PAUSE)
        url, redirects = first, 0


def _keep(cookies: SimpleCookie, reply: Reply) -> None:
    """Keep the cookies of an answer; redirects to the same page often wait for one."""
    for text in reply.headers.getall("Set-Cookie", ()):
        try:
            cookies.load(text)
        except CookieError:
            continue  # as browsers do


def _target(what: str, url: str, server_url: str, reply: Reply) -> str:
    """Return where a redirect leads; the token must not get anywhere but to the server.

    Programs behind a proxy may not know that users reach them by https, so only host and path are compared.
    """
    location = reply.headers.get("Location", "")
    try:
        server, found = URL(server_url), URL(url).join(URL(location))
    except ValueError:
        raise CheckFailure(f"{what}: it leads to {location!r}, which is no address") from None
    inside = f"{found.path}/".startswith(server.path) and ".." not in found.path.split("/")
    if not location or found.host != server.host or not inside:
        raise CheckFailure(f"{what}: it leads to {location or 'nowhere'}, which is not in the user's server")
    return str(server.join(URL(found.raw_path_qs, encoded=True)))
