# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a command in a pod ended, also where the connection did first."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.errors import UnreachableError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api import pod_command

websocket = pytest.importorskip("websocket")
ws_client = pytest.importorskip("kubernetes.stream.ws_client")


class Running(ws_client.WSClient):  # type: ignore[misc]
    """A command whose connection ends. status: what the kubelet said of its end, "" if nothing."""

    def __init__(self, status: str, error: Exception | None = None) -> None:
        self._connected, self._returncode = False, None
        self.status, self.error = status, error

    def run_forever(self, timeout: float | None = None) -> None:
        if self.error:
            raise self.error

    def read_channel(self, channel: int, timeout: float = 0) -> str:
        return self.status if channel == ws_client.ERROR_CHANNEL else ""


def ended(monkeypatch: pytest.MonkeyPatch, running: Running) -> int:
    monkeypatch.setattr("kubernetes.stream.stream", lambda *_arguments, **_options: running)
    api: Any = SimpleNamespace(credentials=SimpleNamespace(api_client=lambda: None))
    return pod_command.run_in_pod(api, "lab", "hub-1", "hub", ["true"]).status


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("{status: Success}", 0),
        ('{status: Failure, details: {causes: [{reason: ExitCode, message: "3"}]}}', 3),
    ],
)
def test_end(status: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended(monkeypatch, Running(status)) == code


@pytest.mark.parametrize(
    "running",
    [
        Running(""),
        Running("{status: Failure, message: no such container}"),
        Running("", websocket.WebSocketConnectionClosedException("gone")),
        Running("", ConnectionResetError()),
    ],
)
def test_lost_connection(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnreachableError, match="the connection to pod hub-1 of lab was lost"):
        ended(monkeypatch, running)
