# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the plan of a fleet: against what runs, or against another revision of the inventory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import (
    CREATE,
    ORPHANED,
    UNCHANGED,
    UNREACHABLE,
    UPDATE,
    Change,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.plan import HubPlan, Plan, hub_plan
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError, UnreachableError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.hub import (
    DesiredHub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.cluster import State
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.hub import ObservedHub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.platform import (
    ServerPlatform,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.queries import Ask
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.snapshot import (
    Snapshot,
    compare,
    kubernetes_snapshot,
    server_snapshot,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.option import KUBERNETES
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import Problem
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import assets
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.platforms import platforms
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.revision import inventory_at
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.validation import Validated, validated

#: The playbook remove only takes hubs of the inventory.
LEFT_INVENTORY = "runs or has data, but left the inventory; to remove it, put it back, then run the playbook remove"


@dataclass
class LivePlan:
    """The plan against what runs.

    machines: what the machine of each cluster is and needs, for the playbook. problems: why there is no plan;
    refused: the same, but nothing that ails a hub that runs. Clusters that do not answer have no platform.
    """

    plan: Plan
    platforms: dict[str, ServerPlatform]
    machines: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    refused: list[Problem] = field(default_factory=list)


def plan_live(hubs: list[Hub], inventory: FleetInput, asking: Callable[[Hub], Ask]) -> LivePlan:
    """Compare hubs with what they are: one read per cluster. Hubs that left the inventory are in the plan, too.

    asking: a hub of a cluster -> what asks its machine.
    """
    made = platforms(hubs, inventory.directory, asking)
    found = LivePlan(Plan([]), made.found)
    planned: dict[str, HubPlan] = {}
    orphans: list[HubPlan] = []
    unreachable = dict(made.unreachable)
    for name, platform in list(found.platforms.items()):
        members = [hub for hub in hubs if hub.cluster.name == name]
        try:
            live = platform.live(members)
        except UnreachableError as error:
            unreachable[name] = str(error)
            del found.platforms[name]
            continue
        state = platform.state
        found.problems += [_taken(hub, port, inventory) for hub in members for port in state.taken[hub.name]]
        found.problems += _taken_by_others(state, members, inventory)
        for hub in members:
            newer = platform.newer_database(hub, live[hub.name])
            if newer:
                found.refused.append(_too_old(hub, newer, inventory))
            change = platform.change(hub, platform.desired(hub), live[hub.name])
            change = _with_supervisor(change, state, platform.desired(hub), live[hub.name])
            planned[hub.name] = hub_plan(change, name, hub.tier, hub.url)
        changing = [hub for hub in members if planned[hub.name].changes]
        found.machines.append(_machine(name, platform, changing, members))
        for orphan in sorted(set(platform.present()) - set(inventory.hosts)):
            change = Change(orphan, ORPHANED, [LEFT_INVENTORY])
            orphans.append(hub_plan(change, name))
    for hub in hubs:
        if hub.cluster.name in unreachable:
            change = Change(hub.name, UNREACHABLE, [unreachable[hub.cluster.name]])
            planned[hub.name] = hub_plan(change, hub.cluster.name, hub.tier, hub.url)
    found.plan = Plan([*(planned[hub.name] for hub in hubs), *orphans])
    return found


def _taken(hub: Hub, port: int, inventory: FleetInput) -> Problem:
    variable = "hub_port" if port == hub["hub_port"] or not hub["hub_internal_port"] else "hub_internal_port"
    where = inventory.hosts[hub.name].locate((variable,))
    return Problem((variable,), f"port {port} is in use by another program of the machine", where, [hub.name])


def _too_old(hub: Hub, newer: str, inventory: FleetInput) -> Problem:
    variable = "hub_jupyterhub_version"
    message = (
        f"{hub[variable]!r} cannot read the hub's database, which JupyterHub {newer} has brought to a newer schema; "
        "the playbook rollback goes back to an earlier deploy, with the database of then"
    )
    return Problem((variable,), message, inventory.hosts[hub.name].locate((variable,)), [hub.name])


def _taken_by_others(state: State, members: list[Hub], inventory: FleetInput) -> list[Problem]:
    """Return the ports of the reverse proxy that another program uses, where the proxy would have to start."""
    behind = [hub.name for hub in members if hub.behind_reverse_proxy]
    found = []
    for variable, who in state.taken_by.items():
        locate = inventory.hosts[behind[0]].locate
        where = locate((variable,)) or locate(("cluster_reverse_proxy",))
        found.append(Problem((variable,), f"{who}; end that, or set another", where, behind))
    return found


def _with_supervisor(change: Change, state: State, desired: DesiredHub, live: ObservedHub) -> Change:
    """A hub that runs, but under no supervisor, has nothing that restarts it."""
    if change.action == CREATE:
        return change
    if state.supervised is None:
        reasons = ["supervisor not running"]
    else:
        running = [service for service in desired.services if live.services[service.role].pid]
        reasons = [
            f"{service.role} not supervised"
            for service in running
            if state.supervised[service.name] != live.services[service.role].pid
        ]
        reverse_proxy = desired.reverse_proxy
        if (
            reverse_proxy
            and reverse_proxy.site
            and state.supervised.get(reverse_proxy.service.name, 0) != state.reverse_proxy.running.pid
        ):
            reasons.append("reverse proxy not supervised")
    if not reasons:
        return change
    action = UPDATE if change.action == UNCHANGED else change.action
    return replace(change, action=action, reasons=[*reasons, *change.reasons])


def _machine(name: str, platform: ServerPlatform, changing: list[Hub], members: list[Hub]) -> dict[str, Any]:
    """Return what the machine of a cluster is and needs; ``hub`` stands for it in plays."""
    return {
        "cluster": name,
        "host": str((changing or members)[0].cluster["cluster_host"]),
        "hub": (changing or members)[0].name,
        "changes": bool(changing),
        "builds": platform.machine_changes(changing),
        **platform.setup.as_dict(),
    }


def plan_against(
    revision: str, now: Validated, hubs: list[Hub], inventory: FleetInput, task_vars: Mapping[str, Any], loader: Any
) -> Plan:
    """Compare what the inventory says now with what it said at a git revision; no hub is asked.

    Both are read with values that are encrypted in place left as they are, so these need no password.
    """
    names = [hub.name for hub in hubs]
    after = {hub.name: (hub, _snapshot(hub, now, inventory)) for hub in hubs}
    with inventory_at(revision, task_vars, loader) as earlier:
        others = set(earlier.hosts) - set(inventory.hosts)
        selected = [name for name in earlier.hosts if name in names or (name in others and not _limited(task_vars))]
        then = validated(earlier, selected)
        if then.problems:
            raise PlatformError(
                f"the inventory at {revision} is not valid: {then.problems[0].line()}; "
                "compare with a revision that this release of the collection can read"
            )
        before = {name: (then.fleet.hubs[name], _snapshot(then.fleet.hubs[name], then, earlier)) for name in selected}
    planned = []
    for name in [*names, *(name for name in before if name not in names)]:
        hub = (after.get(name) or before[name])[0]
        change = compare(name, before[name][1] if name in before else None, after[name][1] if name in after else None)
        planned.append(hub_plan(change, hub.cluster.name, hub.tier, hub.url))
    return Plan(planned, against=revision)


def _limited(task_vars: Mapping[str, Any]) -> bool:
    """Tell whether the run is for some hubs only; then what left the inventory is not its business."""
    return bool(task_vars.get("ansible_limit"))


def _snapshot(hub: Hub, found: Validated, inventory: FleetInput) -> Snapshot:
    if hub.platform == KUBERNETES:
        return kubernetes_snapshot(hub, found.values[hub.name])
    return server_snapshot(hub, inventory.directory, assets())
