# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as a failed start: a service that ends while it starts, but for a hub whose proxy was replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply import (
    machine as apply,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.services import (
    Service,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.services import (
    Running,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.supervisor.base import (
    SupervisorError,
)

ROLES = ("proxy", "hub")


class FakeSupervisor:
    """A supervisor that has to start some services anew."""

    def __init__(self, *anew: str):
        self.anew = anew

    def needs_start(self, service: Service) -> bool:
        return service.role in self.anew

    def ensure_started(self, service: Service) -> bool:
        return self.needs_start(service)


def start(
    supervisor: FakeSupervisor,
    hub_pids: list[int],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
    failed: dict[str, str] | None = None,
) -> list[str]:
    """Start both services; the hub's process is another one at each look, and finishes its start in the end.

    failed: what its managed services did until then.
    """
    left = list(hub_pids)

    def running(_layout: Any, role: str) -> Running:
        pid = (left.pop(0) if len(left) > 1 else left[0]) if role == "hub" else 7
        return Running(pid, role if pid else "")

    monkeypatch.setattr(apply, "running", running)
    monkeypatch.setattr(apply, "answers", lambda _config: True)
    monkeypatch.setattr(apply, "failed_services", lambda _layout: (failed or {}) if len(left) == 1 else None)
    monkeypatch.setattr(apply, "time", Clock())
    hub = Layout(str(tmp_path)).hub("research")
    services = [Service(f"x-{role}", role, hub.directory, (), role) for role in ROLES]
    return apply.start_services(supervisor, services, {}, 60)  # type: ignore[arg-type]


class Clock:
    """Time that passes as it is waited for."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_hub_may_end_once_where_its_proxy_was_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    assert start(FakeSupervisor("proxy"), [11, 0, 0, 12], monkeypatch, tmp_path) == ["proxy"]
    assert start(FakeSupervisor("proxy"), [11, 12], monkeypatch, tmp_path) == ["proxy"]


@pytest.mark.parametrize(
    ("anew", "hub_pids"),
    [
        pytest.param(("proxy",), [11, 0, 12, 0, 13], id="twice"),
        pytest.param(("proxy", "hub"), [11, 0, 12], id="started after its proxy"),
        pytest.param(("hub",), [11, 0, 12], id="its proxy ran all the time"),
    ],
)
def test_a_hub_that_ends_while_it_starts(
    anew: tuple[str, ...], hub_pids: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    with pytest.raises(SupervisorError, match="x-hub ended while it started"):
        start(FakeSupervisor(*anew), hub_pids, monkeypatch, tmp_path)


def test_a_hub_that_answers_but_ends_again_and_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Also where nothing had to be started anew."""
    with pytest.raises(SupervisorError, match="x-hub ended while it started"):
        start(FakeSupervisor(), [11, 11, 0, 12, 12, 0, 13], monkeypatch, tmp_path)


def test_a_managed_service_that_ends_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    log = Path(Layout(str(tmp_path)).hub("research").log("hub"))
    log.parent.mkdir(parents=True)
    log.write_text("first\nno such notebook\n")
    failed = {"report": "ended with exit code 3 right after its start"}
    with pytest.raises(SupervisorError) as raised:
        start(FakeSupervisor("hub"), [11, 11], monkeypatch, tmp_path, failed)
    told = "x-hub: its service report ended with exit code 3 right after its start; its last lines:\n"
    assert str(raised.value) == f"{told}first\nno such notebook"


def test_a_managed_service_is_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """By the next deploy, which has nothing else to start."""
    monkeypatch.setattr(apply, "answers", lambda _config: True)
    monkeypatch.setattr(apply, "failed_services", lambda _layout: {"report": "ended"})
    services = [Service(f"x-{role}", role, str(tmp_path), (), role) for role in ROLES]
    assert apply.services_to_start(FakeSupervisor(), services, {}) == ["hub"]  # type: ignore[arg-type]
