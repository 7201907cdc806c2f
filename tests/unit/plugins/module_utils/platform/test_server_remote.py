# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of another machine, and what it answers, comes through as it was."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.results import (
    ChoiceResult,
    HubResult,
    StepResult,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import (
    CheckOptions,
    Choice,
    HubTarget,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server import (
    lock as deploy_lock,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server import (
    queries as questions,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.check import (
    Checked,
    check_hubs,
    target_of,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.services import (
    Service,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.gather import Survey
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.cluster import (
    State,
    Wanted,
    look,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.hub import ObservedHub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.services import (
    Running,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.platform import (
    ServerPlatform,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.reverse_proxy.apply import (
    ObservedReverseProxy,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.reverse_proxy.desired import (
    ReverseProxy,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions.history import (
    Record,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server_machine import AUTHOR
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.test_server_change import ASSETS
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.test_server_change import (
    SETUP as SETUP_OF_HUBS,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.spec.sound import hub_of

SETUP = dataclasses.replace(SETUP_OF_HUBS, packages=("bubblewrap",), install="sudo apt-get install")
FRONT = ReverseProxy(
    wanted=True,
    directory="/srv/hubs/caddy",
    program="/usr/bin/caddy",
    version="2.6.2",
    account="hubfleet-reverse-proxy",
    bind="",
    http_port=80,
    https_port=443,
    certificates="internal",
    contact="",
    acme="",
    authority="",
)
SERVICE = Service("name", "hub", "/srv/state/hubs/demo", ("python", "-m", "jupyterhub"), "abc")
LIVE = ObservedHub(
    {"hub": "demo"},
    {"hub.json": "abc"},
    frozenset({"b", "a"}),
    {"hub": Running(7, "abc")},
    True,
    "abc",
    Record(3, **AUTHOR, fingerprint="f", files={"hub.json": "abc"}, services=[{"role": "hub"}], builds=["proxy-abc"]),
)


def by_wire(values: Any) -> Any:
    """Return what is left of values on the way to a module, or from it."""
    return json.loads(json.dumps(values))


def test_survey() -> None:
    survey = Survey(SETUP, "machine-id:abc", "x86_64", FRONT, ["demo"], {"demo": "1"}, {"other": "hub_tls_key: no"})
    found = Survey.from_dict(by_wire(survey.as_dict()))
    assert found == survey
    assert hash(found.setup) == hash(SETUP), "builds are remembered by it"


def test_wanted() -> None:
    wanted = Wanted({"demo": [8000, 8001]}, [SERVICE], ["tools/proxy-abc"], {"kind": "systemd"}, FRONT)
    assert Wanted.from_dict(by_wire(wanted.as_dict())) == wanted


def test_state() -> None:
    reverse_proxy = ObservedReverseProxy(Running(7, "abc"), "settings", {"demo": "site"})
    hubs = {"demo": LIVE, "other": ObservedHub()}
    state = State(
        hubs, {"demo": [8000]}, ["demo"], ["tools/x"], {"name": 7}, reverse_proxy, {"cluster_http_port": "taken"}
    )
    found = State.from_dict(by_wire(state.as_dict()))
    assert found == state
    assert found.hubs["demo"].fingerprint == LIVE.fingerprint != ""


def test_target_without_token() -> None:
    target = HubTarget("demo", "machine", "https://hub.example.org/", "", [Choice("python", "small", {"size": "s"})])
    assert target_of(by_wire(dataclasses.asdict(target))) == target


def test_checked() -> None:
    """Choices lose their code and options, which reports have no use for."""
    steps = [StepResult("connect", 0.5, True)]
    choice = ChoiceResult(Choice("python", "small", label="python/small"), False, steps, "start", "late", ["last line"])
    result = HubResult("demo", "machine", "https://x/", False, "5.5.4", [choice], 1.5, None, ["old"], ["left"])
    checked = Checked([result], {"other": "is not deployed"})
    assert Checked.from_dict(by_wire(checked.as_dict())) == checked


def test_a_hub_that_is_not_there_is_told(tmp_path: Path) -> None:
    target = HubTarget("demo", "machine", "https://x/", "")
    checked = check_hubs([(target, str(tmp_path))], CheckOptions())
    assert checked == Checked([], {"demo": "hub demo is not deployed; run the playbook deploy first"})


def test_look_at_an_empty_machine(tmp_path: Path) -> None:
    """Nothing has to be there yet, not even the supervisor."""
    supervisor = {
        "kind": "supervisord",
        "directory": str(tmp_path / "s"),
        "runtime_directory": str(tmp_path),
        "programs": "/nowhere",
    }
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        state = look(Layout(str(tmp_path / "state")), Wanted({"demo": [port]}, [SERVICE], ["tools/x"], supervisor))
    assert state.taken == {"demo": [port]}
    assert (state.present, state.built, state.supervised) == ([], [], None)
    assert state.hubs["demo"].config is None


class There:
    """A machine that the questions are answered on as if it were another one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[str] = []

    def ask(self, question: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Answer as the module server_query does."""
        self.asked.append(question)
        if question == "survey":
            setup = dataclasses.replace(SETUP, layout=Layout(str(self.root / "state")))
            unusable = dict.fromkeys(arguments["certificates"], "hub_tls_key: /etc/hub.key: No such file or directory")
            found = Survey(setup, "machine-id:abc", "x86_64", FRONT, [], {}, unusable)
            return dict(by_wire(found.as_dict()))
        return dict(by_wire(questions.answer(question, by_wire(arguments))))

    def platform(self, *hubs: Hub) -> ServerPlatform:
        """Return its platform."""
        return ServerPlatform(hubs[0].cluster, list(hubs), self.ask, ASSETS, str(self.root))


def test_one_look_answers_all(tmp_path: Path) -> None:
    there, hub = There(tmp_path), hub_of()
    platform = there.platform(hub)
    live = platform.live([hub])
    assert platform.change(hub, platform.desired(hub), live[hub.name]).action == "create"
    assert platform.present() == []
    assert platform.identity() == "machine-id:abc"
    assert [build["name"] for build in platform.machine_changes([hub])][-1] == "python"
    assert there.asked == ["survey", "state"]


def test_certificate_is_that_of_the_machine(tmp_path: Path) -> None:
    hub = hub_of(hub_tls_certificate="/etc/hub.crt", hub_tls_key="/etc/hub.key")
    with pytest.raises(PlatformError, match="hub_tls_key: /etc/hub.key: No such file or directory"):
        There(tmp_path).platform(hub).desired(hub)


def test_lock_of_a_controller_that_died(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine cannot tell whether a process of the controller lives; the controller can, and asks again."""
    there, hub = There(tmp_path), hub_of()
    platform = there.platform(hub)
    held = {**deploy_lock.owner(os.getpid(), "ada@desk", "then"), "start_time": "1"}
    take, here = deploy_lock.take, deploy_lock._this_machine
    take(platform.setup.layout, held)

    def on_another_machine(*arguments: Any) -> bool:
        with monkeypatch.context() as patch:
            patch.setattr(deploy_lock, "_this_machine", lambda: "another")
            return take(*arguments)

    monkeypatch.setattr(deploy_lock, "take", on_another_machine)
    assert platform.lock(os.getpid(), "ada@desk", "now") is True
    assert there.asked[1:] == ["lock", "lock"]
    assert platform.lock(os.getpid(), "ada@desk", "now") is False, "it is ours"
    monkeypatch.setattr(deploy_lock, "_this_machine", lambda: f"not {here()}")
    with pytest.raises(PlatformError, match="a deploy by ada@desk is under way"):
        platform.lock(os.getppid(), "ben@lap", "now")
    assert platform.unlock(os.getpid()) is True
    assert platform.unlock(os.getpid()) is False
