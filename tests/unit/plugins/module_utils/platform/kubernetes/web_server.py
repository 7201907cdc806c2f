# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server on this machine that serves charts, as a repository or an OCI registry."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Web:
    """A web server: path -> what it sends; ``asked`` are the paths it was asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self.asked: list[str] = []
        self.logins: dict[str, str | None] = {}
        #: Path -> so many bytes, then the connection ends.
        self.cut: dict[str, int] = {}
        self.moved: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append(self.path)
                web.logins[self.path] = self.headers.get("Authorization")
                if self.path in web.moved:
                    self.send_response(302)
                    self.send_header("Location", web.moved[self.path])
                    self.end_headers()
                    return
                content = web.pages.get(self.path)
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Length", str(len(content or b"")))
                self.send_header("Content-Type", web.types.get(self.path, "application/octet-stream"))
                self.send_header("Docker-Content-Digest", digest(content or b""))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write((content or b"")[: web.cut.get(self.path)])

            do_HEAD = do_GET

            def log_message(self, *arguments: Any) -> None:
                pass

        return Handler


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
