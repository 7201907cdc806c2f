# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_guard."""

from __future__ import annotations

import datetime
import os
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import UNREACHABLE
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.platform import (
    ServerPlatform,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.maintenance_window import is_open
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Fleet, FleetInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.identities import mismatch, record
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.platforms import Platforms, platforms
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.records import now_for_people, who


class ActionModule(FleetAction):
    """Guards clusters while they are changed; see the module's documentation."""

    ARGUMENTS = frozenset({"state", "ignore_maintenance_window", "changes", "ignore_unreachable", "unreachable"})

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Take or give back the locks of the clusters."""
        # Known not to answer: whoever planned, or guarded tolerantly, goes on without them.
        away = {change["cluster"] for change in self._planned() if change["action"] == UNREACHABLE}
        away |= {hub.cluster.name for hub in hubs if hub.name in (self.argument("unreachable") or {})}
        hubs = [hub for hub in hubs if hub.cluster.name not in away]
        made = platforms(hubs, inventory.directory, self.asking(task_vars))
        found = made.found
        # Tasks run in forks; what lives as long as the playbook is what made them.
        pid = os.getppid()
        state = self.argument("state", "locked")
        if state == "unlocked":
            return {"changed": False, "clusters": _unlocked(made, pid), "recorded": []}
        if made.unreachable and not self.argument("ignore_unreachable", False):
            raise PlatformError("; ".join(made.unreachable.values()))
        lost = {hub.name: made.unreachable[hub.cluster.name] for hub in hubs if hub.cluster.name in made.unreachable}
        hubs = [hub for hub in hubs if hub.name not in lost]
        # Looking is allowed at any time.
        looking = self._task.check_mode or state == "compared"
        wrong = self._wrong(hubs, found, inventory, looking or self.argument("ignore_maintenance_window", False))
        if wrong:
            return {"failed": True, "msg": f"{'; '.join(wrong)}; nothing was touched"}
        if looking:
            return {"changed": False, "clusters": sorted(found), "recorded": [], "unreachable": lost}
        self._lock(found, pid)
        moved = self._moved(hubs, found)
        if moved:
            for platform in found.values():
                platform.unlock(pid)
            msg = f"somebody else changed {', '.join(moved)} since this was planned; nothing was touched. Start again"
            return {"failed": True, "msg": msg}
        new = record({name: platform.identity() for name, platform in found.items()}, inventory.directory)
        for name in new:
            display.display(f"{name}: identity recorded in the inventory; commit it")
        return {"changed": False, "clusters": sorted(found), "recorded": new, "unreachable": lost}

    def _wrong(
        self, hubs: list[Hub], found: dict[str, ServerPlatform], inventory: FleetInput, anytime: bool
    ) -> list[str]:
        wrong = []
        for name, platform in found.items():
            reason = mismatch(name, platform.identity(), inventory.directory)
            if reason:
                wrong.append(reason)
            windows = next(hub.cluster for hub in hubs if hub.cluster.name == name)["cluster_maintenance_windows"]
            if not anytime and not is_open(windows, datetime.datetime.now()):
                wrong.append(
                    f"cluster {name} may only be changed in its maintenance windows ({', '.join(windows)}), "
                    "but for -e ignore_maintenance_window=true"
                )
        return wrong

    def _planned(self) -> list[dict[str, Any]]:
        return list(self.argument("changes") or ())

    def _moved(self, hubs: list[Hub], found: dict[str, ServerPlatform]) -> list[str]:
        """Return the hubs that are no longer what they were when their change was planned, before there was a lock."""
        planned = {change["hub"]: change["live"] for change in self._planned()}
        moved = []
        for name, platform in found.items():
            members = [hub for hub in hubs if hub.cluster.name == name and hub.name in planned]
            live = platform.live(members)
            moved += [hub.name for hub in members if live[hub.name].fingerprint != planned[hub.name]]
        return moved

    def _lock(self, found: dict[str, ServerPlatform], pid: int) -> None:
        """Lock all clusters or none."""
        when = now_for_people()
        taken: list[ServerPlatform] = []
        for name, platform in sorted(found.items()):
            try:
                if platform.lock(pid, who(), when):
                    display.display(f"{name}: a deploy before this one ended without cleaning up; going on")
                taken.append(platform)
            except PlatformError as error:
                for locked in taken:
                    locked.unlock(pid)
                raise PlatformError(f"cluster {name}: {error}") from None


def _unlocked(made: Platforms, pid: int) -> list[str]:
    """Give all locks back that can be given back; return the clusters that had one."""
    released, left = [], dict(made.unreachable)
    for name, platform in made.found.items():
        try:
            if platform.unlock(pid):
                released.append(name)
        except PlatformError as error:
            left[name] = str(error)
    for name, why in left.items():
        display.warning(f"{name}: its lock could not be given back: {why}")
    return released
