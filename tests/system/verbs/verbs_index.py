# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A package index that ends in the middle of every download."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LOCKS = Path(__file__).resolve().parents[3] / "roles" / "cluster" / "files" / "locks"


class BrokenIndex:
    """Offers every package of the users' lock, and cuts the connection half through each file.

    Source of the pages: Python packaging's specification "Simple repository API".
    """

    def __enter__(self) -> BrokenIndex:
        lock = (LOCKS / "user-5.5.txt").read_text(encoding="utf-8")
        pinned = re.findall(r"^([a-z0-9-]+)==(\S+).*\n +--hash=sha256:([0-9a-f]+)", lock, re.MULTILINE)
        #: Downloads that were cut off.
        self.cut_off: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self, {name: each for name, *each in pinned}))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        """Its address, as pip and uv take it."""
        return f"http://127.0.0.1:{self.server.server_address[1]}/simple/"


def handler(index: BrokenIndex, packages: dict[str, list[str]]) -> type[BaseHTTPRequestHandler]:
    """What answers requests."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            part, name = self.path.strip("/").split("/", 1)
            if part == "simple" and name in packages:
                version, digest = packages[name]
                file = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
                self._answer(f'<a href="/files/{file}#sha256={digest}">{file}</a>'.encode())
            elif part == "files":
                if self.command == "GET":
                    index.cut_off.append(name)
                self._answer(b"PK\3\4" + b"\0" * 1000, missing=100000)
            else:
                self.send_error(404)

        do_HEAD = do_GET

        def _answer(self, content: bytes, missing: int = 0) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html" if not missing else "application/octet-stream")
            self.send_header("Content-Length", str(len(content) + missing))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)
            self.close_connection = True

        def log_message(self, *_arguments: object) -> None:
            pass

    return Handler
