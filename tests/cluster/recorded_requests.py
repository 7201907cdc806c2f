# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy in front of an API server, which writes down what it is asked for."""

from __future__ import annotations

import contextlib
import re
import socket
import socketserver
import ssl
import threading
from urllib.parse import urlsplit

#: (group, resource, verb); resource: also a subresource, such as pods/log
Request = tuple[str, str, str]

_PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/v[^/]+/namespaces/[^/]+/(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[^/]+))?)?$"
)
_NAMESPACE = re.compile(r"/api/v1/namespaces/[^/]+$")
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_CHUNK = 64 * 1024


def request_of(method: str, target: str) -> Request | None:
    """Return what a request asks for in a namespace, None for what is not in one."""
    parts = urlsplit(target)
    if _NAMESPACE.match(parts.path):
        return "", "namespaces", _VERBS.get(method, "get")
    found = _PATH.match(parts.path)
    if not found:
        return None
    reading = "watch" if re.search(r"(^|&)watch=(true|1)", parts.query) else "get" if found["name"] else "list"
    resource = f"{found['resource']}/{found['sub']}" if found["sub"] else found["resource"]
    return found["group"] or "", resource, _VERBS.get(method, reading)


class RecordingProxy:
    """A context manager; ``address`` is that of the API server for clients. requests: what was asked for.

    Each connection is for one request, so that everything after its head is passed on unread.
    """

    def __init__(self, server: str, token: str) -> None:
        """server: the address of the API server. token: of all requests; kubectl and helm send none without TLS."""
        self._authorization = f"Authorization: Bearer {token}".encode()
        self._host, self._port = str(urlsplit(server).hostname), int(urlsplit(server).port or 443)
        self.requests: set[Request] = set()
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    proxy._serve(self.request)

        self._listening = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._listening.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._listening.server_address[1]}"

    def __enter__(self) -> RecordingProxy:
        threading.Thread(target=self._listening.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._listening.shutdown()
        self._listening.server_close()

    def _serve(self, client: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            data = client.recv(_CHUNK)
            if not data:
                return
            received += data
        head, _end, rest = received.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"authorization:")]
        method, target = lines[0].decode().split(" ")[:2]
        asked = request_of(method, target)
        if asked:
            self.requests.add(asked)
        if not any(line.lower().startswith(b"upgrade:") for line in lines):
            lines = [line for line in lines if not line.lower().startswith(b"connection:")] + [b"Connection: close"]
        lines.append(self._authorization)
        with self._connected() as server:
            server.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + rest)
            # TLS is not for two threads at once, so the answers are read by polling.
            server.settimeout(0.02)
            client.settimeout(0.02)
            while _passed_on(server, client):
                _passed_on(client, server)

    def _connected(self) -> ssl.SSLSocket:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(socket.create_connection((self._host, self._port)))


def _passed_on(source: socket.socket, target: socket.socket) -> bool:
    """Pass on what is there; return False at the end."""
    try:
        data = source.recv(_CHUNK)
    except TimeoutError:
        return True
    target.settimeout(30)
    target.sendall(data)
    target.settimeout(0.02)
    return bool(data)
