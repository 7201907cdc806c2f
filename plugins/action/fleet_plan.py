# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_plan."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.model import (
    Fleet,
    FleetInput,
    Hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import (
    CREATE,
    UNCHANGED,
    UPDATE,
    Change,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired import DesiredHub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.live import LiveHub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.platform import (
    ServerPlatform,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.supervisor import (
    supervisor,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.supervisor.base import Supervisor
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.spec.problems import Problem
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
    report_problems,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.platforms import platforms
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_action import (
    supervisor_arguments,
)


class ActionModule(FleetAction):
    """Compares every hub with its live state; see the module's documentation."""

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Return changes, and what the machines need for them."""
        found = platforms(hubs, inventory.directory)
        changes: dict[str, Change] = {}
        machines = []
        for name, platform in found.items():
            members = [hub for hub in hubs if hub.cluster.name == name]
            keeper = supervisor(**supervisor_arguments(platform))
            live = platform.live(members)
            taken = [
                _taken(hub, port, inventory) for hub in members for port in platform.taken_ports(hub, live[hub.name])
            ]
            if taken:
                return report_problems(taken)
            for hub in members:
                change = platform.change(hub, platform.desired(hub), live[hub.name])
                changes[hub.name] = _with_supervisor(change, keeper, platform.desired(hub), live[hub.name])
            machines.append(
                _machine(
                    name,
                    platform,
                    [hub for hub in members if changes[hub.name].action != UNCHANGED],
                    members,
                )
            )
        _report(hubs, changes, found)
        result = {
            "changed": any(change.action != UNCHANGED for change in changes.values()),
            "changes": [
                {
                    **changes[hub.name].as_dict(),
                    "tier": hub.tier,
                    "cluster": hub.cluster.name,
                    "url": hub.url,
                }
                for hub in hubs
            ],
            "machines": machines,
        }
        if self._task.diff:
            result["diff"] = [_diff(change) for change in changes.values() if change.action != UNCHANGED]
        return result


def _taken(hub: Hub, port: int, inventory: FleetInput) -> Problem:
    variable = "hub_port" if port == hub["hub_port"] or not hub["hub_internal_port"] else "hub_internal_port"
    where = inventory.hosts[hub.name].locate((variable,))
    return Problem(variable, f"port {port} is in use by another program of the machine", where, [hub.name])


def _with_supervisor(change: Change, keeper: Supervisor, desired: DesiredHub, live: LiveHub) -> Change:
    """A hub that runs, but under no supervisor, has nothing that restarts it."""
    if change.action == CREATE:
        return change
    if not keeper.alive():
        reasons = ["supervisor not running"]
    else:
        running = [service for service in desired.services if live.services[service.role].pid]
        reasons = [
            f"{service.role} not supervised"
            for service in running
            if keeper.pid(service) != live.services[service.role].pid
        ]
    return replace(change, action=UPDATE, reasons=[*reasons, *change.reasons]) if reasons else change


def _machine(name: str, platform: ServerPlatform, changing: list[Hub], members: list[Hub]) -> dict[str, Any]:
    """Return what the machine of a cluster is and needs; ``hub`` stands for it in plays."""
    return {
        "cluster": name,
        "hub": (changing or members)[0].name,
        "changes": bool(changing),
        "builds": platform.machine_changes(changing),
        **platform.setup.as_dict(),
    }


def _report(hubs: list[Hub], changes: dict[str, Change], found: dict[str, ServerPlatform]) -> None:
    for name, platform in found.items():
        setup = platform.setup
        display.display(
            f"{name}: isolation {setup.isolation}, supervisor {setup.supervisor}, state in {setup.layout.root}"
        )
        if setup.isolation == "none":
            display.warning(
                f"cluster {name}: cluster_isolation is none: "
                "every user of its hubs can read the files and tokens of all others"
            )
    width = max(len(hub.name) for hub in hubs)
    for hub in hubs:
        change = changes[hub.name]
        if change.action != UNCHANGED:
            display.display(f"{hub.name.ljust(width)}  {change.action}: {', '.join(change.reasons)}")
    counts = Counter(change.action for change in changes.values())
    if set(counts) == {UNCHANGED}:
        display.display(f"{len(hubs)} hub{'s' if len(hubs) != 1 else ''}: nothing to change")
        return
    words = {UNCHANGED: "unchanged", CREATE: "to create", UPDATE: "to update"}
    display.display(", ".join(f"{count} {words[action]}" for action, count in counts.items()))


def _diff(change: Change) -> dict[str, str]:
    header = f"{change.hub} ({', '.join(change.reasons)})"
    return {
        "before": change.before,
        "after": change.after,
        "before_header": f"{header}: live",
        "after_header": f"{header}: desired",
    }
