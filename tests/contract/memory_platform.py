# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A platform whose clusters are in memory, for tests of what is above the platforms."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.results import HubResult
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.stop import Stop
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import (
    CheckOptions,
    Choice,
    HubTarget,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.digests import digest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import (
    CONFIGURATION,
    CREATE,
    DRIFTED,
    NEW,
    UNCHANGED,
    UPDATE,
    HubDiff,
    Reason,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.lock_owner import (
    ALIVE,
    GONE,
    UNKNOWN,
    LockOwner,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.revisions import Revision
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.snapshot import Snapshot
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import (
    DEPLOY,
    Blocker,
    CheckResults,
    ClusterState,
    Notice,
    Platform,
    PlatformError,
    Prerequisite,
    UnreachableError,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Cluster, FleetInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import Problems


@dataclass(frozen=True)
class MemoryFacts:
    """Facts of a cluster in memory."""

    identity: str

    def as_dict(self) -> dict[str, Any]:
        """Return them as JSON-able data."""
        return {"identity": self.identity}

    def playbook_variables(self) -> dict[str, Any]:
        """Return nothing: there are no roles for it."""
        return {}


@dataclass(frozen=True)
class MemoryHub:
    """A hub: deployed is what it was deployed as, content what it is. Both are None where there is none."""

    content: Any = None
    deployed: Any = None

    @property
    def fingerprint(self) -> str:
        """Digest of what it is."""
        return "" if self.content is None else digest([self.content, self.deployed])


@dataclass
class MemoryCluster:
    """A cluster in memory. reads: how often it was read. answers: False lets it be unreachable."""

    identity: str = "memory:1"
    hubs: dict[str, MemoryHub] = field(default_factory=dict)
    revisions: dict[str, list[Revision]] = field(default_factory=dict)
    built: set[str] = field(default_factory=set)
    blockers: list[Blocker] = field(default_factory=list)
    lock: str = ""
    answers: bool = True
    reads: int = 0

    def read(self) -> None:
        """Count a read; raises UnreachableError where the cluster does not answer."""
        self.reads += 1
        if not self.answers:
            raise UnreachableError("the cluster does not answer")


class MemoryPlatform(Platform):
    """A platform that works as the others do, but on a cluster in memory."""

    capabilities = frozenset({DEPLOY})

    def __init__(self, cluster: Cluster, inventory: FleetInput, memory: MemoryCluster):
        self.cluster = cluster
        self.inventory = inventory
        self.memory = memory

    def complete(self, hubs: list[Hub], problems: Problems) -> None:
        pass

    def validate(self, hubs: list[Hub], problems: Problems) -> None:
        pass

    def facts(self, hubs: list[Hub]) -> MemoryFacts:
        self.memory.read()
        return MemoryFacts(self.memory.identity)

    def facts_from_dict(self, values: dict[str, Any]) -> MemoryFacts:
        return MemoryFacts(**values)

    def observe(self, hubs: list[Hub]) -> ClusterState:
        self.memory.read()
        return ClusterState(
            MemoryFacts(self.memory.identity),
            {hub.name: self.memory.hubs.get(hub.name, MemoryHub()) for hub in hubs},
            sorted(set(self.memory.hubs) - set(self.inventory.hosts)),
            list(self.memory.blockers),
            [
                Prerequisite(environment.name, environment.name, [hub.name])
                for hub in hubs
                for environment in hub.environments
                if environment.name not in self.memory.built
            ],
        )

    def desired(self, hub: Hub, facts: MemoryFacts) -> Any:
        names = ("hub_port", "hub_environment_variables", "hub_authenticator_settings")
        content = {name: hub[name] for name in names}
        return {"title": hub.title, **content, "environments": [environment.name for environment in hub.environments]}

    def diff(self, hub: Hub, desired: Any, state: ClusterState) -> HubDiff:
        observed = state.hubs[hub.name]
        found = HubDiff(hub.name, UNCHANGED, desired=digest(desired), live=observed.fingerprint)
        if observed.content is None:
            reasons = [Reason(NEW, "new")]
            return replace(found, action=CREATE, reasons=reasons, after=_text(hub.redactor.mask(desired)))
        if observed.content != desired:
            action = DRIFTED if observed.deployed == desired else UPDATE
            before, after = map(_text, hub.redactor.mask_change(observed.content, desired))
            reasons = [Reason(CONFIGURATION, "configuration")]
            return replace(found, action=action, reasons=reasons, before=before, after=after)
        return found

    def describe(self, hub: Hub) -> Snapshot:
        desired = self.desired(hub, MemoryFacts(""))
        return Snapshot(lambda: _text(hub.redactor.mask(desired)), {"configuration": digest(desired)})

    def notices(self, state: ClusterState) -> list[Notice]:
        return [Notice(f"{self.cluster.name}: in memory")]

    def revisions(self, hubs: list[str]) -> dict[str, list[Revision]]:
        self.memory.read()
        return {name: list(self.memory.revisions.get(name, [])) for name in hubs}

    def check_targets(
        self, hubs: list[Hub], facts: Any, every: bool = False, as_deployed: bool = False
    ) -> list[HubTarget]:
        return [
            HubTarget(
                hub.name,
                self.cluster.name,
                "" if as_deployed else hub.url,
                "",
                [
                    Choice(environment.name, size.name)
                    for environment in (hub.environments if every else hub.environments[:1])
                    for size in (hub.sizes if every else hub.sizes[:1])
                ],
            )
            for hub in hubs
        ]

    def check(
        self,
        hubs: list[Hub],
        targets: list[HubTarget],
        facts: Any,
        options: CheckOptions,
        report: Callable[[str], None] | None = None,
        stop: Stop | None = None,
    ) -> CheckResults:
        self.memory.read()
        found = CheckResults()
        for hub, target in zip(hubs, targets, strict=True):
            if hub.name in self.memory.hubs:
                result = HubResult(hub.name, self.cluster.name, target.url, True, "5.5.4", [], 0.0, None, [], [])
                found.results.append(result)
            else:
                found.problems[hub.name] = f"hub {hub.name} is not deployed"
        return found

    def lock(self, owner: LockOwner, force: bool = False) -> bool:
        self.memory.read()
        holder = LockOwner.from_text(self.memory.lock)
        if owner.is_same(holder):
            return False
        state = holder.state() if holder else GONE
        if holder and (state == ALIVE or (state == UNKNOWN and not force)):
            hint = "" if state == ALIVE else f"; free it with -e deploy_break_lock={self.cluster.name}"
            raise PlatformError(f"a deploy by {holder.describe()}{hint}")
        self.memory.lock = owner.to_text()
        return holder is not None

    def unlock(self, owner: LockOwner) -> bool:
        self.memory.read()
        if not owner.is_same(LockOwner.from_text(self.memory.lock)):
            return False
        self.memory.lock = ""
        return True


class MemoryPlatforms:
    """Stands for plugin_utils.platforms.Platforms in tests: every cluster is in memory.

    clusters: name -> the cluster; one that is not named yet is made.
    """

    def __init__(self, inventory: FleetInput):
        self.inventory = inventory
        self.clusters: dict[str, MemoryCluster] = {}

    def deployable(self, hubs: list[Hub]) -> dict[str, tuple[Platform, list[Hub]]]:
        """Return cluster -> its platform and its hubs."""
        found: dict[str, tuple[Platform, list[Hub]]] = {}
        for hub in hubs:
            found.setdefault(hub.cluster.name, (self.of(hub), []))[1].append(hub)
        return found

    def of(self, hub: Hub) -> MemoryPlatform:
        """Return the platform of a hub's cluster."""
        memory = self.clusters.setdefault(hub.cluster.name, MemoryCluster(f"memory:{hub.cluster.name}"))
        return MemoryPlatform(hub.cluster, self.inventory, memory)


def _text(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"
