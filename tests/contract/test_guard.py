# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fleet_guard refuses, on clusters in memory."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.action.fleet_guard import ActionModule
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.lock_owner import LockOwner
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError, UnreachableError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.identities import NAME
from contract_inventory import inventory_of
from harnesses import other_owner
from memory_platform import MemoryHub, MemoryPlatform, MemoryPlatforms

#: Not open in this test.
NEVER = ["Mon 00:00-00:01"]


class Guard:
    """A fleet in memory, of one cluster unless more are named, and the action on it."""

    def __init__(self, directory: Path, **variables: Any):
        self.inventory, self.hubs = inventory_of({}, **variables)
        self.inventory.directory = str(directory)
        self.platforms = MemoryPlatforms(self.inventory)
        self.platforms.of(self.hubs[0])
        self.memory = self.platforms.clusters[self.hubs[0].cluster.name]

    def run(self, check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
        """Run the action on all hubs."""
        action = ActionModule.__new__(ActionModule)
        action._task = SimpleNamespace(args=arguments, check_mode=check_mode)
        action.validated = SimpleNamespace(platforms=self.platforms, problems=[])  # type: ignore[assignment]
        return action.work(None, self.hubs, self.inventory, {})  # type: ignore[arg-type]


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    """A fleet of one cluster."""
    return Guard(tmp_path)


def test_lock_and_facts(guard: Guard) -> None:
    result = guard.run()
    assert (result["clusters"], result["facts"]) == (["machine"], {"machine": {"identity": "memory:machine"}})
    owner = LockOwner.from_text(guard.memory.lock)
    assert owner is not None and owner.pid == os.getppid()
    assert guard.run(state="unlocked")["clusters"] == ["machine"]
    assert guard.memory.lock == ""


@pytest.mark.parametrize("arguments", [{"state": "compared"}, {"check_mode": True}])
def test_looking_locks_nothing(arguments: dict[str, Any], guard: Guard) -> None:
    assert guard.run(**arguments)["clusters"] == ["machine"]
    assert (guard.memory.lock, os.listdir(guard.inventory.directory)) == ("", [])


def test_another_cluster(guard: Guard) -> None:
    guard.run()
    recorded = Path(guard.inventory.directory, NAME)
    assert json.loads(recorded.read_text()) == {"machine": "memory:machine"}
    guard.memory.identity, guard.memory.lock = "memory:other", ""
    result = guard.run()
    assert result["failed"] and "memory:other, not memory:machine" in result["msg"]
    assert guard.memory.lock == ""


def test_maintenance_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ansible_collections.hubfleet.jupyterhub.plugins.action.fleet_guard.is_open", lambda windows, _now: not windows
    )
    guard = Guard(tmp_path, cluster_maintenance_windows=NEVER)
    result = guard.run()
    assert result["failed"] and "maintenance windows" in result["msg"]
    assert guard.memory.lock == ""
    assert "failed" not in guard.run(ignore_maintenance_window=True)


def test_changed_since_it_was_planned(guard: Guard) -> None:
    change = {"hub": "alpha", "cluster": "machine", "action": "create", "live": ""}
    assert "failed" not in guard.run(changes=[change])
    guard.run(state="unlocked")
    guard.memory.hubs["alpha"] = MemoryHub({"title": "deployed meanwhile"})
    result = guard.run(changes=[change])
    assert result["failed"] and "alpha" in result["msg"]
    assert guard.memory.lock == "", "given back"


def test_lock_is_released_after_an_error(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    change = {"hub": "alpha", "cluster": "machine", "action": "create", "live": ""}

    def fail(*_arguments: Any) -> None:
        raise PlatformError("the cluster went away")

    monkeypatch.setattr(MemoryPlatform, "observe", fail)
    with pytest.raises(PlatformError, match="went away"):
        guard.run(changes=[change])
    assert guard.memory.lock == ""


class SilentPlatforms(MemoryPlatforms):
    """Clusters in memory, one of which stops to answer at a step."""

    def __init__(self, inventory: FleetInput, cluster: str, step: str):
        super().__init__(inventory)
        self._cluster, self._step = cluster, step

    def of(self, hub: Hub) -> MemoryPlatform:
        """Return the platform of a hub's cluster."""
        platform = super().of(hub)

        def fail(*_arguments: Any, **_more: Any) -> None:
            raise UnreachableError("the cluster does not answer")

        if hub.cluster.name == self._cluster:
            setattr(platform, self._step, fail)
        return platform


@pytest.mark.parametrize("step", ["facts", "require_permissions", "lock", "fingerprints"])
def test_a_cluster_that_stops_to_answer_holds_no_other_up(tmp_path: Path, step: str) -> None:
    guard = Guard(tmp_path, clusters=("far", "near"))
    platforms = guard.platforms = SilentPlatforms(guard.inventory, "far", step)
    changes = [{"hub": hub.name, "cluster": hub.cluster.name, "action": "create", "live": ""} for hub in guard.hubs]
    result = guard.run(ignore_unreachable=True, changes=changes)
    assert result["unreachable_hubs"] == {"alpha": "the cluster does not answer"}
    assert (result["clusters"], list(result["facts"]), result["recorded"]) == (["near"], ["near"], ["near"])
    assert [change["action"] for change in result["changes"]] == ["unreachable", "create"]
    assert platforms.clusters["near"].lock and not platforms.clusters["far"].lock
    guard.run(state="unlocked", changes=changes, unreachable_hubs=result["unreachable_hubs"])
    with pytest.raises(PlatformError, match="does not answer"):
        guard.run(changes=changes)
    assert not platforms.clusters["near"].lock, "given back"


def test_check_mode_releases_nothing(guard: Guard) -> None:
    guard.run()
    assert guard.run(check_mode=True, state="unlocked")["clusters"] == []
    assert guard.memory.lock


def test_only_what_changes_is_guarded() -> None:
    action = ActionModule.__new__(ActionModule)
    hosts = {"ansible_play_hosts_all": ["alpha", "beta", "gamma"], "ansible_play_hosts": ["alpha", "beta", "gamma"]}
    actions = {"alpha": "unchanged", "beta": "update", "gamma": "unreachable", "delta": "orphaned"}
    changes = [{"hub": hub, "action": what} for hub, what in actions.items()]
    for state in ("locked", "unlocked"):
        action._task = SimpleNamespace(args={"state": state, "changes": changes})
        assert action.hosts(hosts) == ["beta", "gamma"]


def test_locks_of_failed_hubs_are_released() -> None:
    action = ActionModule.__new__(ActionModule)
    hosts = {"ansible_play_hosts_all": ["alpha", "beta"], "ansible_play_hosts": ["beta"]}
    for state, expected in (("unlocked", ["alpha", "beta"]), ("locked", ["beta"])):
        action._task = SimpleNamespace(args={"state": state})
        assert action.hosts(hosts) == expected


def test_lock_of_another_container(guard: Guard) -> None:
    guard.memory.lock = other_owner(1, pid_namespace="pid:[1]").to_text()
    with pytest.raises(PlatformError, match="^cluster machine: a deploy by ben@desk .* -e deploy_break_lock=machine"):
        guard.run()
    with pytest.raises(PlatformError, match="there is no cluster 'machin'; did you mean 'machine'"):
        guard.run(break_lock="machin")
    assert guard.run(break_lock="machine")["clusters"] == ["machine"]


def test_unreachable(guard: Guard) -> None:
    guard.memory.answers = False
    with pytest.raises(PlatformError, match="the cluster does not answer"):
        guard.run()
    result = guard.run(ignore_unreachable=True)
    assert (result["clusters"], result["unreachable_hubs"]) == ([], {"alpha": "the cluster does not answer"})
