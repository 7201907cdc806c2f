# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the plan of a fleet: against what runs, or against another revision of the inventory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import (
    DRIFTED,
    ORPHANED,
    UNCHANGED,
    UNREACHABLE,
    HubDiff,
    Reason,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.plan import HubPlan, Plan, hub_plan
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.snapshot import compare
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import (
    Blocker,
    ClusterState,
    Platform,
    PlatformError,
    UnreachableError,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.platforms import Platforms
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.revision import inventory_at
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.validation import Validated, validated

Read = TypeVar("Read")
#: Hubs, or their names.
Member = TypeVar("Member")

#: Clusters that are read at the same time.
MOST_THREADS = 32

#: The playbook remove only takes hubs of the inventory.
LEFT_INVENTORY = "runs or has data, but left the inventory; to remove it, put it back, then run the playbook remove"


@dataclass
class ObservedCluster:
    """A cluster that answered, its hubs in this run, and what it is."""

    platform: Platform
    hubs: list[Hub]
    state: ClusterState


@dataclass
class LivePlan:
    """The plan against what runs. clusters: those that answered. unreachable: cluster -> why it did not."""

    plan: Plan
    clusters: dict[str, ObservedCluster] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)

    @property
    def blockers(self) -> list[Blocker]:
        """Why nothing can be deployed."""
        return [blocker for cluster in self.clusters.values() for blocker in cluster.state.blockers]

    def facts(self) -> dict[str, dict[str, Any]]:
        """Return cluster -> its facts, for the tasks that follow."""
        return {name: cluster.state.facts.as_dict() for name, cluster in self.clusters.items()}

    def machines(self) -> list[dict[str, Any]]:
        """Return what each cluster is and needs, for playbooks."""
        changing = {hub.hub for hub in self.plan.hubs if hub.changes}
        return [_for_playbooks(name, cluster, changing) for name, cluster in self.clusters.items()]


def plan_live(hubs: list[Hub], platforms: Platforms, deep: bool = False) -> LivePlan:
    """Compare hubs with what they are: one read per cluster. Hubs that left the inventory are in the plan, too.

    deep: whether to compare everything to find what others changed, which takes longer.
    """
    found = LivePlan(Plan([]))
    planned: dict[str, HubPlan] = {}
    orphans: list[HubPlan] = []
    clusters = platforms.deployable(hubs)

    def read(platform: Platform, members: list[Hub]) -> tuple[ClusterState, dict[str, list[Reason]]]:
        state = platform.observe(members)
        return state, platform.deep_drift(members, state) if deep else {}

    for name, answer in read_clusters(clusters, read).items():
        platform, members = clusters[name]
        if isinstance(answer, UnreachableError):
            found.unreachable[name] = str(answer)
            reasons = [Reason(UNREACHABLE, str(answer))]
            planned.update({hub.name: _plan_of(hub, HubDiff(hub.name, UNREACHABLE, reasons)) for hub in members})
            continue
        state, drift = answer
        found.clusters[name] = ObservedCluster(platform, members, state)
        for hub in members:
            diff = platform.diff(hub, platform.desired(hub, state.facts), state)
            if drift.get(hub.name):
                diff.reasons += drift[hub.name]
                diff.action = DRIFTED if diff.action == UNCHANGED else diff.action
            planned[hub.name] = _plan_of(hub, diff)
        reasons = [Reason("left-inventory", LEFT_INVENTORY)]
        orphans += [hub_plan(HubDiff(orphan, ORPHANED, reasons), name) for orphan in state.orphans]
    found.plan = Plan([*(planned[hub.name] for hub in hubs), *orphans])
    return found


def read_clusters(
    clusters: dict[str, tuple[Platform, list[Member]]], read: Callable[[Platform, list[Member]], Read]
) -> dict[str, Read | UnreachableError]:
    """Return what a function reads of each cluster, or why a cluster does not answer; raises PlatformError.

    Clusters that can be read in threads are read at the same time, so that one that does not answer holds nobody up.
    """

    def answer(platform: Platform, hubs: list[Member]) -> Read | PlatformError:
        try:
            return read(platform, hubs)
        except PlatformError as error:
            return error

    answers: dict[str, Read | UnreachableError] = {}
    for name, one in for_each_cluster(clusters, answer).items():
        if isinstance(one, PlatformError) and not isinstance(one, UnreachableError):
            raise PlatformError(f"cluster {name}: {one}")
        answers[name] = one
    return answers


def for_each_cluster(
    clusters: dict[str, tuple[Platform, list[Member]]],
    call: Callable[[Platform, list[Member]], Read],
    waiting: AbstractContextManager[None] | None = None,
) -> dict[str, Read]:
    """Return what a function returns for each cluster; at the same time, where the platform may be used in threads.

    waiting: entered while this thread waits for others.
    """
    together = [name for name, (platform, _hubs) in clusters.items() if platform.threads]
    found: dict[str, Read] = {}
    if len(together) > 1:
        with waiting or nullcontext(), ThreadPoolExecutor(min(len(together), MOST_THREADS)) as threads:
            found = dict(zip(together, threads.map(lambda name: call(*clusters[name]), together)))
    return {name: found[name] if name in found else call(*clusters[name]) for name in clusters}


def _plan_of(hub: Hub, diff: HubDiff) -> HubPlan:
    return hub_plan(diff, hub.cluster.name, hub.tier, hub.url)


def _for_playbooks(name: str, cluster: ObservedCluster, changing: set[str]) -> dict[str, Any]:
    """Return what a cluster is and needs; ``hub`` represents it in plays."""
    members = [hub for hub in cluster.hubs if hub.name in changing]
    hub = (members or cluster.hubs)[0]
    return {
        "cluster": name,
        "host": str(hub.cluster["cluster_host"]),
        "hub": hub.name,
        "changes": bool(members),
        "builds": [vars(build) for build in cluster.state.prerequisites],
        **cluster.state.facts.playbook_variables(),
    }


def plan_against(
    revision: str, now: Validated, hubs: list[Hub], inventory: FleetInput, task_vars: Mapping[str, Any], loader: Any
) -> Plan:
    """Compare what the inventory says now with what it said at a git revision; no hub is asked.

    Both are read with values that are encrypted in place left as they are, so these need no password.
    """
    names = [hub.name for hub in hubs]
    after = {hub.name: (hub, now.platforms.of(hub).describe(hub)) for hub in hubs}
    with inventory_at(revision, task_vars, loader) as earlier:
        earlier.needs_images = False
        others = set(earlier.hosts) - set(inventory.hosts)
        selected = [name for name in earlier.hosts if name in names or (name in others and not _limited(task_vars))]
        then = validated(earlier, selected)
        if then.problems:
            raise PlatformError(
                f"the inventory at {revision} is not valid: {then.problems[0].line()}; "
                "compare with a revision that this release of the collection can read"
            )
        earlier_hubs = [then.fleet.hubs[name] for name in selected]
        before = {hub.name: (hub, then.platforms.of(hub).describe(hub)) for hub in earlier_hubs}
        planned = []
        for name in [*names, *(name for name in before if name not in names)]:
            hub = (after.get(name) or before[name])[0]
            snapshots = [side[name][1] if name in side else None for side in (before, after)]
            planned.append(_plan_of(hub, compare(name, *snapshots)))
    return Plan(planned, against=revision)


def _limited(task_vars: Mapping[str, Any]) -> bool:
    """Tell whether the run is for some hubs only; then what left the inventory is not its business."""
    return bool(task_vars.get("ansible_limit"))
