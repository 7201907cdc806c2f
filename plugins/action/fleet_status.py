# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_status."""

from __future__ import annotations

from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.text import aligned
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import (
    ORPHANED,
    UNHEALTHY,
    UNREACHABLE,
    Reason,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.revisions import Revision
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import Platform, UnreachableError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Fleet, FleetInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.planning import LivePlan, plan_live, read_clusters

_DEPLOY = ("last deploy", "by", "revision", "result")
_HEADINGS = ("hub", "cluster", "tier", "JupyterHub", "health", "inventory", *_DEPLOY, "last backup")


class ActionModule(FleetAction):
    """Tells what runs and how it came there; see the module's documentation."""

    ARGUMENTS = frozenset({"history"})
    NEEDS_IMAGES = False

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Print a table of all hubs, and with ``history`` one of each hub's deploys."""
        live = plan_live(hubs, self.platforms)
        broken = [blocker.problem for blocker in live.blockers if blocker.breaks_running]
        wrong = {hub: problem.message for problem in broken for hub in problem.hubs}
        rows: list[tuple[str, ...]] = []
        found: dict[str, dict[str, Any]] = {}
        records, backups = self._remembered(live)
        for planned in live.plan.hubs:
            deploys = records.get(planned.hub, [])
            last = deploys[0] if deploys else None
            health = wrong.get(planned.hub) or _health(planned.reasons, planned.action)
            backup = backups.get(planned.hub, "")
            about = (planned.hub, planned.cluster, planned.tier, _version(last), health, planned.action)
            rows.append(tuple(text or "-" for text in (*about, *_author(last), backup)))
            found[planned.hub] = {
                "cluster": planned.cluster,
                "tier": planned.tier,
                "health": health,
                "inventory": planned.action,
                "reasons": planned.summary()["reasons"],
                "backup": backup,
                "deploys": [_shown(record) for record in deploys],
            }
        for line in aligned([_HEADINGS, *rows]):
            display.display(line)
        if self.argument("history", False):
            for planned in live.plan.hubs:
                display.display(f"{planned.hub}:")
                history = [_history_row(deploy) for deploy in found[planned.hub]["deploys"]]
                for line in aligned([("number", *_DEPLOY, "JupyterHub"), *history]):
                    display.display(f"  {line}")
        return {"changed": False, "hubs": found}

    def _remembered(self, live: LivePlan) -> tuple[dict[str, list[Revision]], dict[str, str]]:
        """Return what was deployed of every hub, the newest first, and when it was backed up last."""
        clusters = {
            name: (cluster.platform, [planned.hub for planned in live.plan.hubs if planned.cluster == name])
            for name, cluster in live.clusters.items()
        }

        def read(platform: Platform, hubs: list[str]) -> tuple[dict[str, list[Revision]], dict[str, str]]:
            return platform.revisions(hubs), platform.last_backups(hubs)

        records: dict[str, list[Revision]] = {}
        backups: dict[str, str] = {}
        for name, answer in read_clusters(clusters, read).items():
            if isinstance(answer, UnreachableError):
                display.warning(f"{name}: its deploys and backups are not told: {answer}")
            else:
                records.update(answer[0])
                backups.update(answer[1])
        return records, backups


def _health(reasons: list[Reason], action: str) -> str:
    """Return ``up`` or what is wrong with the hub's services."""
    if action == ORPHANED:
        return ""
    if action == UNREACHABLE:
        return str(reasons[0])
    return ", ".join(str(reason) for reason in reasons if reason.code in UNHEALTHY) or "up"


def _version(record: Revision | None) -> str:
    return record.jupyterhub if record else ""


def _author(record: Revision | None) -> tuple[str, ...]:
    if record is None:
        return ("", "", "", "")
    back = f" (back to {record.back_to})" if record.back_to else ""
    return record.when, record.who, record.revision, record.result + back


def _shown(record: Revision) -> dict[str, Any]:
    keys = ("number", "when", "who", "collection", "revision", "jupyterhub", "back_to", "result")
    return {key: getattr(record, key) for key in keys}


def _history_row(deploy: dict[str, Any]) -> tuple[str, ...]:
    back = f" (back to {deploy['back_to']})" if deploy["back_to"] else ""
    keys = ("number", "when", "who", "revision")
    return (*(str(deploy[key] or "-") for key in keys), deploy["result"] + back, deploy["jupyterhub"] or "-")
