# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the contract does to the clusters of a platform; a new platform adds a harness to HARNESSES."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.model import COMPLETE
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.lock_owner import LockOwner
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.revisions import Revision
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import (
    Blocker,
    CheckResults,
    Platform,
    UnreachableError,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server import lock as deploy_lock
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply import deploy
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.environments import hub_builds
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts import machine
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.machine_access import LocalMachine
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe import (
    cluster as observe_cluster,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe import hub as observe_hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.services import Running
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.platform import ServerPlatform
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions import history
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.state_directory import claim
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Cluster, FleetInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import Problem
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import assets
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.records import record_of
from memory_platform import MemoryCluster, MemoryHub, MemoryPlatform


class Harness(ABC):
    """A cluster of a platform, and what happens to it."""

    #: Options of the cluster.
    options: dict[str, Any]
    #: Whether something has to be built before hubs can be deployed.
    builds = True
    #: Code and words of why a hub cannot be deployed in the context of :meth:`block`.
    blocked = ("port-in-use", "in use")

    @abstractmethod
    def platform(self, cluster: Cluster, inventory: FleetInput) -> Platform:
        """Make the platform of the cluster."""

    @abstractmethod
    def deploy(self, platform: Any, hub: Hub) -> None:
        """Make a hub what it should be, with everything that it needs."""

    @abstractmethod
    def edit(self, hub: str) -> None:
        """Let somebody change a hub by hand."""

    @abstractmethod
    def hold_lock(self, owner: LockOwner) -> None:
        """Let somebody hold the lock of the cluster."""

    @abstractmethod
    def block(self, hub: Hub) -> Any:
        """Return a context in which a hub cannot be deployed."""

    @abstractmethod
    def disconnect(self) -> None:
        """Let the cluster not answer any more."""

    @property
    @abstractmethod
    def reads(self) -> int:
        """How often the cluster was read."""


class MemoryHarness(Harness):
    """A cluster in memory."""

    def __init__(self, _root: Path, _monkeypatch: pytest.MonkeyPatch):
        self.options = {}
        self.memory = MemoryCluster()

    def platform(self, cluster: Cluster, inventory: FleetInput) -> Platform:
        return MemoryPlatform(cluster, inventory, self.memory)

    def deploy(self, platform: MemoryPlatform, hub: Hub) -> None:
        desired = platform.desired(hub, platform.facts([hub]))
        self.memory.hubs[hub.name] = MemoryHub(desired, desired)
        self.memory.built |= {environment.name for environment in hub.environments}
        revisions = self.memory.revisions.setdefault(hub.name, [])
        number = len(revisions) + 1
        revisions.insert(0, Revision(number, "2026-11-24T08:15:00Z", "ada@desk", "1.0.0", "", "5.5.4", 0, "applied"))

    def edit(self, hub: str) -> None:
        found = self.memory.hubs[hub]
        self.memory.hubs[hub] = MemoryHub({**found.content, "title": "Edited"}, found.deployed)

    def hold_lock(self, owner: LockOwner) -> None:
        self.memory.lock = owner.to_text()

    @contextmanager
    def block(self, hub: Hub) -> Iterator[None]:
        self.memory.blockers = [Blocker("port-in-use", Problem(("hub_port",), "is in use", "", [hub.name]))]
        yield
        self.memory.blockers = []

    def disconnect(self) -> None:
        self.memory.answers = False

    @property
    def reads(self) -> int:
        return self.memory.reads


class CountingMachine(LocalMachine):
    """This machine, counted."""

    def __init__(self) -> None:
        self.answers = True
        self.reads = 0

    def query(self, name: str, arguments: dict[str, Any]) -> Any:
        self.reads += 1
        if not self.answers:
            raise UnreachableError("the machine does not answer")
        return super().query(name, json.loads(json.dumps(arguments)))

    def check(self, hubs: Any, *_arguments: Any) -> CheckResults:
        return CheckResults([], {target.name: "not checked here" for target, _directory in hubs})


class FakeSupervisor:
    """Runs every service that has a note of it."""

    def alive(self) -> bool:
        return True

    def pid(self, _service: Any) -> int:
        return os.getpid()


class ServerHarness(Harness):
    """A state directory on this machine; services are notes of what would run."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch):
        self.layout = Layout(str(root / "state"))
        self.options = {"cluster_state_directory": self.layout.root, "cluster_supervisor": "supervisord"}
        self.machine = CountingMachine()
        self.notes: dict[tuple[str, str], str] = {}
        monkeypatch.setattr(observe_hub, "running", self._running)
        monkeypatch.setattr(observe_hub, "answers", lambda _config: True)
        monkeypatch.setattr(observe_hub, "failed_services", lambda _layout: {})
        monkeypatch.setattr(observe_cluster, "create_supervisor", lambda *_arguments, **_more: FakeSupervisor())
        # Where this runs as root, other accounts may not reach the directory of a test.
        monkeypatch.setattr(machine, "_refuse_closed", lambda _state: None)

    def _running(self, layout: Any, role: str) -> Running:
        digest = self.notes.get((layout.directory, role))
        return Running(os.getpid(), digest) if digest else Running()

    def platform(self, cluster: Cluster, inventory: FleetInput) -> Platform:
        return ServerPlatform(cluster, inventory, assets(), lambda: self.machine)

    def deploy(self, platform: ServerPlatform, hub: Hub) -> None:
        facts = platform.facts([hub])
        desired = platform.desired(hub, facts)
        texts = {name: text.encode() for name, text in desired.config_files().items()}
        layout = self.layout.hub(hub.name)
        os.makedirs(self.layout.hubs, exist_ok=True)
        claim(self.layout)
        homes = deploy.Homes(self.layout.homes(hub.name), False)
        record = record_of(desired, texts, "", platform.check_targets([hub], facts)[0])
        deploy.write_deploy(layout, record, texts, list(desired.generated), homes, 10)
        newest = history.newest(layout)
        assert newest
        history.finish(layout, newest.number, history.APPLIED)
        os.makedirs(layout.path("run"), exist_ok=True)
        Path(layout.checked).write_text(desired.digest)
        self.notes.update({(service.directory, service.role): service.digest for service in desired.services})
        for build in hub_builds(hub, facts.setup, platform.assets):
            place = Path(self.layout.root, build.folder, build.directory)
            place.mkdir(parents=True, exist_ok=True)
            (place / COMPLETE).touch()

    def edit(self, hub: str) -> None:
        path = Path(self.layout.hub(hub).config("hub.json"))
        path.write_text(json.dumps({**json.loads(path.read_text()), "title": "Edited"}))

    def hold_lock(self, owner: LockOwner) -> None:
        deploy_lock.take(self.layout, owner)

    def block(self, hub: Hub) -> Any:
        return socket.create_server(("127.0.0.1", hub["hub_port"]))

    def disconnect(self) -> None:
        self.machine.answers = False

    @property
    def reads(self) -> int:
        return self.machine.reads


HARNESSES = {"memory": MemoryHarness, "server": ServerHarness}


def other_owner(pid: int, **differences: Any) -> LockOwner:
    """Return another owner of a lock than this process."""
    return dataclasses.replace(LockOwner.of_process(pid, "ben@desk", "2026-11-24 08:15 UTC"), **differences)
