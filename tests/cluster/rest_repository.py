# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server for repositories of restic, which pods of the test cluster reach.

Source of the protocol: restic.readthedocs.io/en/stable/REST_backend.html
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

_VERSION_2 = "application/vnd.x.restic.rest.v2"


class RestRepository:
    """A context manager: serves a directory, and gives the address for restic."""

    def __init__(self, directory: Path, address: str) -> None:
        """address: of this machine that pods reach."""
        self.directory = directory
        self._server = ThreadingHTTPServer((address, 0), _handler(directory))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return f"rest:http://{self._server.server_address[0]!s}:{self._server.server_address[1]}/"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(directory: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers requests about the files of a repository."""

        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._send_file(with_content=False)

        def do_GET(self) -> None:
            if not self.path.endswith("/"):
                self._send_file(with_content=True)
                return
            folder = self._file
            found = [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.is_dir() else []
            listed = [{"name": path.name, "size": path.stat().st_size} for path in found]
            self._answer(200, json.dumps(listed).encode(), _VERSION_2)

        def do_POST(self) -> None:
            content = self._content()
            if self.path.endswith("?create=true"):
                for name in ("data", "index", "keys", "locks", "snapshots"):
                    (directory / name).mkdir(parents=True, exist_ok=True)
            elif self._file.exists():
                self._answer(403)
                return
            else:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                new = self._file.with_name(f".{self._file.name}")
                new.write_bytes(content)
                new.rename(self._file)
            self._answer(200)

        def do_DELETE(self) -> None:
            self._file.unlink(missing_ok=True)
            self._answer(200)

        @property
        def _file(self) -> Path:
            return directory / urlsplit(self.path).path.strip("/")

        def _content(self) -> bytes:
            """Return what was sent, by its length or in chunks."""
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def _send_file(self, with_content: bool) -> None:
            if not self._file.is_file():
                self._answer(404)
                return
            content = self._file.read_bytes()
            begin, _dash, end = (self.headers.get("Range") or "").removeprefix("bytes=").partition("-")
            wanted = content[int(begin) : int(end) + 1 if end else None] if begin else content
            self.send_response(206 if begin else 200)
            self.send_header("Content-Length", str(len(wanted)))
            self.end_headers()
            if with_content:
                self.wfile.write(wanted)

        def _answer(self, status: int, content: bytes = b"", kind: str = "text/plain") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            """Print nothing."""

    return Handler
