# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_guard."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import ORPHANED, UNREACHABLE
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.lock_owner import LockOwner
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.plan import DEPLOYED
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import (
    ClusterFacts,
    Platform,
    PlatformError,
    UnreachableError,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.maintenance_window import is_open
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Fleet, FleetInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import nearest
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.identities import mismatch, record
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.outcomes import names_of
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.planning import read_clusters
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.records import now_for_people, who

#: Cluster -> its platform, and its hubs in this run.
Clusters = dict[str, tuple[Platform, list[Hub]]]
Question = Callable[[Platform, list[Hub]], Any]


class ActionModule(FleetAction):
    """Guards clusters while they are changed; see the module's documentation."""

    ARGUMENTS = frozenset(
        {
            "state",
            "ignore_maintenance_window",
            "changes",
            "as_deployed",
            "ignore_unreachable",
            "unreachable_hubs",
            "break_lock",
        }
    )
    NEEDS_IMAGES = False

    def hosts(self, task_vars: Any) -> list[str]:
        """Return the hosts to work on, only what changes; the locks of those that failed are released as well."""
        unlocking = self.argument("state") == "unlocked"
        found = list(task_vars["ansible_play_hosts_all"]) if unlocking else super().hosts(task_vars)
        changing = {change["hub"] for change in self._planned() if change["action"] in (*DEPLOYED, UNREACHABLE)}
        return [name for name in found if name in changing] if self._planned() else found

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Take or release the locks of the clusters."""
        # Known to be unreachable: an earlier task decided to continue without them.
        away = {change["cluster"] for change in self._planned() if change["action"] == UNREACHABLE}
        away |= {hub.cluster.name for hub in hubs if hub.name in (self.argument("unreachable_hubs") or {})}
        hubs = [hub for hub in hubs if hub.cluster.name not in away]
        clusters = self.platforms.deployable(hubs)
        # Tasks run in forks; what lives as long as the playbook is what made them.
        owner = LockOwner.of_process(os.getppid(), who(), now_for_people())
        state = self.argument("state", "locked")
        if state == "unlocked":
            # Check mode locks nothing, and machines refuse to unlock in it.
            released = [] if self._task.check_mode else _unlock(clusters, owner)
            return {"changed": False, "clusters": released, "recorded": []}
        for problem in self.validated.problems:  # only where hubs are used as they were deployed
            display.display(f"not valid, and not used now: {problem.line()}", color="yellow")
        unreachable: dict[str, str] = {}
        facts: dict[str, ClusterFacts] = self._ask(
            clusters, unreachable, lambda platform, members: platform.facts(members)
        )
        # Looking is allowed at any time.
        looking = self._task.check_mode or state == "compared"
        wrong = _wrong(clusters, facts, inventory, looking or self.argument("ignore_maintenance_window", False))
        if wrong:
            return {"failed": True, "msg": f"{'; '.join(wrong)}; nothing was changed"}
        new: list[str] = []
        if not looking:
            self._ask(clusters, unreachable, lambda platform, members: platform.require_permissions(members))
            asked = dict(clusters)
            locked = self._lock(clusters, unreachable, owner, inventory)
            try:
                moved = self._moved(clusters, unreachable)
                # Perhaps only the answer was lost.
                _unlock({name: each for name, each in asked.items() if name in unreachable}, owner)
                identities = {name: facts[name].identity for name in clusters}
                new = [] if moved else record(identities, inventory.directory)
            except Exception:
                # From another container, nobody could tell that the lock is left over.
                _unlock(locked, owner)
                raise
            if moved:
                _unlock(locked, owner)
                what = f"{', '.join(moved)} changed since the plan was created"
                return {"failed": True, "msg": f"{what}; nothing was changed; run the playbook again"}
        for name in new:
            display.display(f"{name}: identity recorded in the inventory; commit it")
        return {
            "changed": False,
            "clusters": sorted(clusters),
            "recorded": new,
            # Not "unreachable": with that key, Ansible takes the host itself for unreachable.
            "unreachable_hubs": {
                hub.name: unreachable[hub.cluster.name] for hub in hubs if hub.cluster.name in unreachable
            },
            "changes": [_without(unreachable, change) for change in self._planned()],
            "facts": {name: facts[name].as_dict() for name in clusters},
        }

    def _planned(self) -> list[dict[str, Any]]:
        return list(self.argument("changes") or ())

    def _ask(self, clusters: Clusters, unreachable: dict[str, str], question: Question) -> dict[str, Any]:
        """Return cluster -> its answer. Clusters that do not answer move from ``clusters`` to ``unreachable``.

        Raises PlatformError, also where one does not answer, unless such clusters are ignored.
        """
        found = read_clusters(clusters, question)
        silent = {name: str(answer) for name, answer in found.items() if isinstance(answer, UnreachableError)}
        self._leave_out(silent, clusters, unreachable)
        return {name: found[name] for name in clusters}

    def _leave_out(self, silent: dict[str, str], clusters: Clusters, unreachable: dict[str, str]) -> None:
        if silent and not self.argument("ignore_unreachable", False):
            raise PlatformError("; ".join(silent.values()))
        for name, why in silent.items():
            del clusters[name]
            unreachable[name] = why
            display.display(f"{name}: {why}", color="red")

    def _moved(self, clusters: Clusters, unreachable: dict[str, str]) -> list[str]:
        """Return the hubs that are no longer what they were when their change was planned, before there was a lock."""
        planned = {change["hub"]: change["live"] for change in self._planned()}

        def moved(platform: Platform, hubs: list[Hub]) -> list[str]:
            members = [hub for hub in hubs if hub.name in planned]
            found = platform.fingerprints(members) if members else {}
            return [hub.name for hub in members if found[hub.name] != planned[hub.name]]

        return [name for names in self._ask(clusters, unreachable, moved).values() for name in names]

    def _lock(
        self, clusters: Clusters, unreachable: dict[str, str], owner: LockOwner, inventory: FleetInput
    ) -> Clusters:
        """Lock all clusters that answer, or none; return them. One after the other, so that one of two deploys wins."""
        breaking = self._breaking(inventory)
        locked: Clusters = {}
        silent: dict[str, str] = {}
        try:
            for name, (platform, members) in sorted(clusters.items()):
                try:
                    if platform.lock(owner, force=name in breaking):
                        display.display(
                            f"{name}: the lock of an earlier deploy, which did not release it, was replaced"
                        )
                    locked[name] = (platform, members)
                except UnreachableError as error:
                    silent[name] = str(error)
                except PlatformError as error:
                    raise PlatformError(f"cluster {name}: {error}") from None
            self._leave_out(silent, clusters, unreachable)
        except PlatformError:
            _unlock(locked, owner)
            raise
        return locked

    def _breaking(self, inventory: FleetInput) -> set[str]:
        """Return the clusters whose lock the operator wants to be broken, unless its holder is seen alive."""
        names = names_of(self.argument("break_lock"))
        for name in sorted(names - set(inventory.clusters)):
            raise PlatformError(f"deploy_break_lock: there is no cluster {name!r}{nearest(name, inventory.clusters)}")
        return names


def _without(unreachable: dict[str, str], change: dict[str, Any]) -> dict[str, Any]:
    """Return what is left to do of a change."""
    why = unreachable.get(change["cluster"])
    if why is None or change["action"] == ORPHANED:
        return change
    return {**change, "action": UNREACHABLE, "reasons": [why]}


def _wrong(clusters: Clusters, facts: dict[str, ClusterFacts], inventory: FleetInput, anytime: bool) -> list[str]:
    """Return why clusters may not be changed."""
    wrong = []
    for name, (_platform, members) in clusters.items():
        reason = mismatch(name, facts[name].identity, inventory.directory)
        if reason:
            wrong.append(reason)
        windows = members[0].cluster["cluster_maintenance_windows"]
        if not anytime and not is_open(windows, datetime.datetime.now()):
            wrong.append(
                f"cluster {name} may only be changed in its maintenance windows ({', '.join(windows)}), "
                "but for -e ignore_maintenance_window=true"
            )
    return wrong


def _unlock(clusters: Clusters, owner: LockOwner) -> list[str]:
    """Release all locks that can be released; return the clusters that had one."""
    released = []
    for name, (platform, _members) in clusters.items():
        try:
            if platform.unlock(owner):
                released.append(name)
        except PlatformError as error:
            display.warning(f"{name}: its lock could not be released: {error}")
    return released
