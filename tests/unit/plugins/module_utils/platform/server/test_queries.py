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
    recorded_target,
    target_of,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.lock_owner import UNKNOWN, LockOwner
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import CheckResults, PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server import check as checking
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server import queries
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.check import check_hubs
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.gather import MachineFacts
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import HubLayout, Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.lock import take
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.cluster import (
    MachineState,
    observe_machine,
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
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions import history
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions.history import (
    Record,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput, HostInput, Hub
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.fake_machine import AUTHOR
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.test_diff import ASSETS
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.test_diff import (
    SETUP as SETUP_OF_HUBS,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.schema.sound import hub_of

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


def test_facts() -> None:
    facts = MachineFacts(
        SETUP, "machine-id:abc", "x86_64", FRONT, ["demo"], {"demo": "1"}, {"other": "hub_tls_key: no"}
    )
    found = MachineFacts.from_dict(by_wire(facts.as_dict()))
    assert found == facts
    assert hash(found.setup) == hash(SETUP), "builds are remembered by it"


def test_state() -> None:
    reverse_proxy = ObservedReverseProxy(Running(7, "abc"), "settings", {"demo": "site"})
    hubs = {"demo": LIVE, "other": ObservedHub()}
    state = MachineState(
        hubs, {"demo": [8000]}, ["demo"], ["tools/x"], {"name": 7}, reverse_proxy, {"cluster_http_port": "taken"}
    )
    found = MachineState.from_dict(by_wire(state.as_dict()))
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
    checked = CheckResults([result], {"other": "is not deployed"})
    assert CheckResults.from_dict(by_wire(checked.as_dict())) == checked


def test_a_hub_that_is_not_there_is_told(tmp_path: Path) -> None:
    target = HubTarget("demo", "machine", "https://x/", "")
    checked = check_hubs([(target, str(tmp_path))], CheckOptions())
    assert checked == CheckResults([], {"demo": "hub demo is not deployed; run the playbook deploy first"})


@pytest.fixture
def targets(monkeypatch: pytest.MonkeyPatch) -> list[HubTarget]:
    """What was checked."""
    found: list[HubTarget] = []

    def run(targets: list[HubTarget], *_arguments: object) -> list[HubResult]:
        found.extend(targets)
        return [HubResult(target.name, target.cluster, target.url, True) for target in targets]

    monkeypatch.setattr(checking, "run_checks", run)
    return found


def test_a_target_without_an_address_is_what_was_recorded(tmp_path: Path, targets: list[HubTarget]) -> None:
    """Also by another release, which recorded more."""
    layout = HubLayout(str(tmp_path))
    for folder in ("secrets", "run"):
        (tmp_path / folder).mkdir()
    (tmp_path / "secrets" / "check_token").write_text("token\n")
    choice = Choice("old", "small", {"profile": "old", "size": "small"}, "print(1)", "1")
    deployed = HubTarget("demo", "machine", "https://old.example.org/", "", [choice], machine=("127.0.0.1", 8443))
    check = recorded_target(deployed)
    assert "token" not in check
    check["choices"][0]["gpu"] = 1
    history.begin(layout, {**AUTHOR, "fingerprint": "a", "check": {**check, "patience": 5}}, {})
    checked = check_hubs([(HubTarget("demo", "machine", "", ""), str(tmp_path))], CheckOptions())
    assert checked.problems == {}
    assert targets == [dataclasses.replace(deployed, token="token")]


def test_a_target_without_an_address_needs_a_record(tmp_path: Path, targets: list[HubTarget]) -> None:
    checked = check_hubs([(HubTarget("demo", "machine", "", ""), str(tmp_path))], CheckOptions())
    message = "hub demo: what was deployed does not say how it is checked; deploy it again"
    assert (checked, targets) == (CheckResults([], {"demo": message}), [])


def test_observe_an_empty_machine(tmp_path: Path) -> None:
    """Nothing has to exist yet, not even the supervisor."""
    setup = dataclasses.replace(
        SETUP, layout=Layout(str(tmp_path / "state")), supervisor="supervisord", runtime_directory=str(tmp_path)
    )
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        state = observe_machine("machine", setup, {"demo": [port]}, None)
    assert state.ports_in_use == {"demo": [port]}
    assert (state.deployed, state.built, state.supervised) == ([], [], None)
    assert state.hubs["demo"].config is None


class There:
    """A machine that answers as if it were another one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[str] = []

    def query(self, name: str, arguments: dict[str, Any]) -> Any:
        """Answer as the module server_query does, but for facts."""
        self.asked.append(name)
        query = queries.QUERIES[name]
        if name in ("facts", "observe"):
            return query.decode(by_wire(query.encode(self._observe(name, **by_wire(arguments)))))
        return query.decode(by_wire(queries.answer(name, by_wire(arguments))))

    def _observe(self, name: str, certificates: dict[str, Any], hubs: Any = None, **_others: Any) -> Any:
        setup = dataclasses.replace(SETUP, layout=Layout(str(self.root / "state")))
        unusable = dict.fromkeys(
            certificates, "hub_tls_key: /etc/hub.key cannot be read: there is no such file or directory"
        )
        facts = MachineFacts(setup, "machine-id:abc", "x86_64", FRONT, [], {}, unusable)
        return facts if name == "facts" else (facts, observe_machine("machine", setup, hubs, None))

    def check(self, *_arguments: Any) -> CheckResults:
        """Nothing is checked."""
        return CheckResults()

    def platform(self, *hubs: Hub) -> ServerPlatform:
        """Return its platform."""
        inventory = FleetInput({hub.name: HostInput(hub.name, {}) for hub in hubs}, {}, str(self.root))
        options = {**hubs[0].cluster.options, "cluster_state_directory": str(self.root / "state")}
        cluster = dataclasses.replace(hubs[0].cluster, options=options)
        return ServerPlatform(cluster, inventory, ASSETS, lambda: self)


def test_one_read_answers_all(tmp_path: Path) -> None:
    there, hub = There(tmp_path), hub_of()
    platform = there.platform(hub)
    assert there.asked == []
    state = platform.observe([hub])
    assert platform.diff(hub, platform.desired(hub, state.facts), state).action == "create"
    assert (state.orphans, state.blockers, state.facts.identity) == ([], [], "machine-id:abc")
    assert [build.name for build in state.prerequisites][-1] == "python"
    assert there.asked == ["observe"]


def test_certificate_is_that_of_the_machine(tmp_path: Path) -> None:
    hub = hub_of(hub_tls_certificate="/etc/hub.crt", hub_tls_key="/etc/hub.key")
    platform = There(tmp_path).platform(hub)
    with pytest.raises(
        PlatformError, match="hub_tls_key: /etc/hub.key cannot be read: there is no such file or directory"
    ):
        platform.desired(hub, platform.facts([hub]))


def locked(tmp_path: Path, **differences: Any) -> tuple[There, ServerPlatform]:
    """Return a machine whose cluster is locked by this process, but for some differences."""
    there = There(tmp_path)
    platform = there.platform(hub_of())
    owner = dataclasses.replace(LockOwner.of_process(os.getpid(), "ada@desk", "then"), **differences)
    take(Layout(str(tmp_path / "state")), owner)
    return there, platform


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the machine be another one than the controller, so that it cannot judge processes of the controller."""
    answer = queries.answer

    def answer_there(name: str, arguments: dict[str, Any]) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(LockOwner, "state", lambda _owner: UNKNOWN)
            return answer(name, arguments)

    monkeypatch.setattr(queries, "answer", answer_there)


@pytest.mark.usefixtures("elsewhere")
def test_lock_of_a_controller_that_died(tmp_path: Path) -> None:
    """The machine cannot tell whether a process of the controller lives; the controller can, and asks again."""
    there, platform = locked(tmp_path, start_time="1")
    me = LockOwner.of_process(os.getpid(), "ada@desk", "now")
    assert platform.lock(me) is True
    assert there.asked == ["lock", "lock"]
    assert platform.lock(me) is False, "it is ours"
    with pytest.raises(PlatformError, match=r"a deploy by ada@desk is under way since now .*; wait for its end$"):
        platform.lock(LockOwner.of_process(os.getppid(), "ben@lap", "now"))
    assert platform.unlock(me) is True
    assert platform.unlock(me) is False


@pytest.mark.usefixtures("elsewhere")
def test_a_lock_is_broken_on_purpose_only(tmp_path: Path) -> None:
    _there, platform = locked(tmp_path, machine="another")
    me = LockOwner.of_process(os.getpid(), "ben@lap", "now")
    with pytest.raises(PlatformError, match=r"free the lock with -e deploy_break_lock=\w+$"):
        platform.lock(me)
    assert platform.lock(me, force=True) is True


@pytest.mark.usefixtures("elsewhere")
def test_a_lock_is_not_broken_while_its_holder_is_seen_alive(tmp_path: Path) -> None:
    _there, platform = locked(tmp_path)
    with pytest.raises(PlatformError, match="wait for its end$"):
        platform.lock(LockOwner.of_process(os.getppid(), "ben@lap", "now"), force=True)
