# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An imitation of the API of a hub, for what asks it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeApi(BaseHTTPRequestHandler):
    """Answers as the test says, and remembers what was asked."""

    server: Any

    def answer(self) -> None:
        """Send the next of the answers to a request, the last one again and again."""
        asked = f"{self.command} {self.path}"
        self.server.asked.append(asked)
        self.server.tokens.add(self.headers["Authorization"])
        answers = self.server.answers.get(asked, [(404, {"message": f"unexpected: {asked}"})])
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"" if body is None else json.dumps(body).encode())

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *_arguments: Any) -> None:
        """Print nothing."""


@contextmanager
def hub_api() -> Iterator[Any]:
    """Serve on a free port. asked: requests. tokens: that they had. answers: request -> (status, body) in order."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), FakeApi)
    server.asked, server.tokens, server.answers = [], set(), {}
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def page(following: int | None, *names: str) -> tuple[int, Any]:
    """Return an answer with users."""
    items = [{"name": name, "admin": False, "groups": []} for name in names]
    return 200, {"items": items, "_pagination": {"next": {"offset": following} if following else None}}
