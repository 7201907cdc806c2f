# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A port of this machine that leads to a port of a pod, through the API server.

Each connection is a WebSocket of its own to ``/api/v1/namespaces/NAMESPACE/pods/POD/portforward`` with the protocol
v4.channel.k8s.io: binary messages whose first byte is a channel, 0 for data and 1 for an error. The first message of a
channel holds the number of the port (k8s.io/kubelet, pkg/cri/streaming/portforward/websocket.go).

The library opens the WebSocket. Its own ``portforward`` copies the data as well, but not well enough: when the
connection to the API server is reset, as in its restart, its thread dies with a traceback, and who waits for data waits
for ever (seen with 37.0.2); and when a client has sent everything and only waits for the answer, it ends both.
"""

from __future__ import annotations

import contextlib
import copy
import re
import selectors
import socket
import socketserver
import threading
import time
from typing import Any

from ....common.text import one_line
from ...errors import PlatformError, UnreachableError
from .client import ApiError, KubernetesApi

#: Seconds without data from the pod after which a connection ends whose client sends nothing more. The protocol cannot
#: tell the pod so; and a client that is gone looks the same as one that waits for its answer.
HALF_CLOSED_SECONDS = 10.0
#: Seconds that threads have to end.
END_SECONDS = 5.0
_DATA, _ERROR = 0, 1
_CHUNK = 64 * 1024


class PortForward:
    """A context manager: ``with PortForward(api, "research", "proxy-1234", 8000) as port``, a port of 127.0.0.1.

    Entering raises PlatformError where the account may not do it, or UnreachableError. Any number of connections may
    be open at once; they end when the pod goes away, and at the latest when the context does.
    """

    def __init__(self, api: KubernetesApi, namespace: str, pod: str, port: int):
        """port: number of the pod's port."""
        self._api, self._namespace, self._pod, self._port = api, namespace, pod, port
        self._client: Any = None
        self._server: _Server | None = None
        self._connections: set[_Connection] = set()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._ended = False
        #: Why the last connection that failed did so; "" if none failed.
        self.problem = ""

    def __enter__(self) -> int:
        # A client of its own, since the library's stream() changes the one that it works with.
        self._client = self._api.credentials.api_client()
        self._open().close(timeout=0)  # tells at once what is forbidden
        self._server = _Server(self._serve)
        thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="port forward", daemon=True)
        self._threads.add(thread)
        thread.start()
        return int(self._server.server_address[1])

    def __exit__(self, *_exception: object) -> None:
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        with self._lock:
            self._ended = True
            threads = list(self._threads)
            for connection in self._connections:
                connection.end()
        deadline = time.monotonic() + END_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._client.close()

    def _serve(self, client: socket.socket) -> None:
        """Forward a connection until it ends; in a thread of its own."""
        thread = threading.current_thread()
        with self._lock:
            self._threads.add(thread)
        try:
            connection = _Connection(client, self._open())
            with self._lock:
                if self._ended:
                    connection.end()
                self._connections.add(connection)
            try:
                connection.run()
            finally:
                with self._lock:
                    self._connections.discard(connection)
                connection.close()
            self.problem = connection.problem or self.problem
        except PlatformError as error:
            self.problem = str(error)
        finally:
            with self._lock:
                self._threads.discard(thread)

    def _open(self) -> Any:
        """Return the WebSocket of a new connection (websocket.WebSocket)."""
        from kubernetes.client import CoreV1Api
        from kubernetes.client.exceptions import ApiException
        from kubernetes.stream import stream

        # A copy, since stream() replaces a method of the client meanwhile, and connections are opened at once.
        core = CoreV1Api(copy.copy(self._client))
        connect = core.connect_get_namespaced_pod_portforward
        try:
            opened = stream(connect, self._pod, self._namespace, ports=str(self._port), _preload_content=False)
        except ApiException as error:
            raise self._refused(str(error.reason)) from None
        return opened.sock

    def _refused(self, reason: str) -> PlatformError:
        """Return what is wrong. reason: as the library words it, with all headers of the answer."""
        found = re.match(r"Handshake status (\d+) ([^-]*)", reason)
        status = int(found[1]) if found else 0
        if status == 403:
            return ApiError(
                f"ports of pods in namespace {self._namespace} may not be forwarded by this account: it needs the "
                "verbs get and create of pods/portforward",
                status,
            )
        if status == 404:
            return ApiError(f"pod {self._pod} is not in namespace {self._namespace} any more", status)
        why = f"{found[1]} {found[2].strip()}" if found else one_line(reason)
        return UnreachableError(f"{self._api.server} does not forward port {self._port} of pod {self._pod}: {why}")


class _Server(socketserver.ThreadingTCPServer):
    """Listens on a free port. serve: called for each connection, in a thread of its own."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, serve: Any) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self._serve = serve

    def finish_request(self, request: Any, client_address: Any) -> None:
        self._serve(request)


class _Connection:
    """A client's connection and its WebSocket. One thread copies in both directions, since TLS is not for two.

    problem: what the kubelet said, "" if nothing.
    """

    def __init__(self, client: socket.socket, websocket: Any) -> None:
        self.problem = ""
        self._client, self._websocket = client, websocket
        self._stream: socket.socket = websocket.sock
        self._started: set[int] = set()

    def run(self) -> None:
        """Copy until one side ends."""
        from websocket import WebSocketException

        with selectors.DefaultSelector() as selector, contextlib.suppress(OSError, ValueError, WebSocketException):
            selector.register(self._stream, selectors.EVENT_READ)
            selector.register(self._client, selectors.EVENT_READ)
            patience: float | None = None
            while True:
                ready = [key.fileobj for key, _events in selector.select(patience)]
                if not ready and patience is not None:
                    return
                if self._stream in ready and not self._receive():
                    return
                if self._client in ready and not self._send():
                    selector.unregister(self._client)
                    patience = HALF_CLOSED_SECONDS

    def end(self) -> None:
        """Let run() return; from any thread."""
        for each in (self._client, self._stream):
            with contextlib.suppress(OSError):
                # not the method of an SSLSocket, which takes the encryption away from the thread that reads
                socket.socket.shutdown(each, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the WebSocket; the server closes the client's connection."""
        self._websocket.close(timeout=0)
        self._websocket.shutdown()  # close() leaves it open where the other side closed first

    def _send(self) -> bool:
        """Pass on what the client sent; return False where it sends nothing more."""
        from websocket import ABNF

        data = self._client.recv(_CHUNK)
        if data:
            self._websocket.send(bytes((_DATA,)) + data, ABNF.OPCODE_BINARY)
        return bool(data)

    def _receive(self) -> bool:
        """Pass on what the pod sent; return False at the end."""
        while True:
            if not self._receive_message():
                return False
            # what is decrypted already makes no socket readable
            pending = getattr(self._stream, "pending", None)
            if pending is None or not pending():
                return True

    def _receive_message(self) -> bool:
        from websocket import ABNF

        kind, frame = self._websocket.recv_data_frame(True)
        if kind == ABNF.OPCODE_CLOSE:
            return False
        if kind != ABNF.OPCODE_BINARY or not frame.data:
            return True
        channel, data = frame.data[0], frame.data[1:]
        if channel not in self._started:
            self._started.add(channel)  # only the number of the port
        elif channel == _DATA:
            self._client.sendall(data)
        elif channel == _ERROR:
            self.problem = one_line(data.decode(errors="replace"))
            return False
        return True
