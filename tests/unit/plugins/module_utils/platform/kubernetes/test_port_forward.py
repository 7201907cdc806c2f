# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports of pods are forwarded through an API server, which is imitated; tests/cluster has a real one."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.errors import PlatformError, UnreachableError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api import port_forward
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.client import KubernetesApi
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.credentials import Credentials

web = pytest.importorskip("aiohttp.web")
pytest.importorskip("kubernetes")

PORT = 8000


class FakeApiServer:
    """Forwards to a pod that answers what it is sent in capital letters; some words mean more.

    CLOSE: close at once. RESET: break the connection. FAIL: say that the pod refused. LARGE: answer with a megabyte.
    """

    def __init__(self) -> None:
        self.url, self.status, self.open = "", 0, 0
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._up.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def api(self) -> KubernetesApi:
        """Return a client."""
        kubeconfig = {
            "clusters": [{"name": "c", "cluster": {"server": self.url}}],
            "users": [{"name": "u", "user": {"token": "secret"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        return KubernetesApi(Credentials(json.dumps(kubeconfig)))

    def _run(self) -> None:
        async def serve() -> None:
            app = web.Application()
            app.router.add_get("/api/v1/namespaces/research/pods/proxy/portforward", self._forward)
            runner = web.AppRunner(app)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            self._up.set()

        self._loop.run_until_complete(serve())
        self._loop.run_forever()

    async def _forward(self, request: Any) -> Any:
        assert request.query["ports"] == str(PORT)
        if self.status:
            return web.json_response({"message": "no"}, status=self.status)
        answer = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await answer.prepare(request)
        self.open += 1
        for channel in (b"\0", b"\1"):
            await answer.send_bytes(channel + struct.pack("<H", PORT))
        async for message in answer:
            assert message.data[0] == 0
            text = message.data[1:]
            if text == b"RESET":
                linger = struct.pack("ii", 1, 0)
                request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                request.transport.abort()
            elif text == b"FAIL":
                await answer.send_bytes(b"\1connection refused\n")
            elif text == b"LARGE":
                await answer.send_bytes(b"\0" + b"x" * 2**20)
            else:
                await answer.send_bytes(b"\0" + text.upper())
            if text == b"CLOSE":
                await answer.close()
        self.open -= 1
        return answer


@pytest.fixture
def server() -> Iterator[FakeApiServer]:
    made = FakeApiServer()
    made.start()
    yield made
    made.stop()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def received(connection: socket.socket) -> bytes:
    """Return what arrives until the end."""
    found = b""
    while True:
        data = connection.recv(65536)
        if not data:
            return found
        found += data


def test_several_connections_at_once(server: FakeApiServer) -> None:
    with port_forward.PortForward(server.api(), "research", "proxy", PORT) as port:
        clients = [connect(port) for _each in range(5)]
        for number, client in enumerate(clients):
            client.sendall(f"from {number}".encode())
        for number, client in enumerate(clients):
            assert client.recv(100) == f"FROM {number}".encode()
            client.close()


@pytest.mark.parametrize(("word", "answer"), [(b"CLOSE", b"CLOSE"), (b"RESET", b""), (b"FAIL", b"")])
def test_connections_end_with_those_of_the_api_server(server: FakeApiServer, word: bytes, answer: bytes) -> None:
    forward = port_forward.PortForward(server.api(), "research", "proxy", PORT)
    with forward as port, connect(port) as client:
        client.sendall(word)
        assert received(client) == answer
    assert forward.problem == ("connection refused" if word == b"FAIL" else "")


def test_an_answer_arrives_after_everything_was_sent(server: FakeApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_forward, "HALF_CLOSED_SECONDS", 0.5)
    with port_forward.PortForward(server.api(), "research", "proxy", PORT) as port, connect(port) as client:
        client.sendall(b"LARGE")
        client.shutdown(socket.SHUT_WR)
        assert len(received(client)) == 2**20


def test_nothing_is_left(server: FakeApiServer) -> None:
    threads, files = threading.active_count(), len(os.listdir("/dev/fd"))
    with port_forward.PortForward(server.api(), "research", "proxy", PORT) as port:
        clients = [connect(port) for _each in range(3)]
        for client in clients:
            client.sendall(b"hello")
            assert client.recv(100) == b"HELLO"
    assert threading.active_count() == threads
    for client in clients:
        assert client.recv(100) == b""
        client.close()
    assert len(os.listdir("/dev/fd")) <= files + 4  # of the imitated server, which sees the ends a little later


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (403, PlatformError, "namespace research may not be forwarded by this account: it needs the verbs get and"),
        (404, PlatformError, "pod proxy is not in namespace research any more"),
        (503, UnreachableError, "does not forward port 8000 of pod proxy: 503 Service Unavailable"),
    ],
)
def test_a_refusal_is_told_at_once(server: FakeApiServer, status: int, kind: type[Exception], message: str) -> None:
    server.status = status
    with pytest.raises(kind, match=message), port_forward.PortForward(server.api(), "research", "proxy", PORT):
        pass


def test_a_server_that_is_gone_is_told(server: FakeApiServer) -> None:
    server.url = "http://127.0.0.1:1"
    with pytest.raises(UnreachableError, match="refused"), port_forward.PortForward(server.api(), "r", "proxy", PORT):
        pass
