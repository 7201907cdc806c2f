# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_plan."""

from __future__ import annotations

import os
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.errors import reason
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import CREATE, UNREACHABLE
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.plan import (
    HubPlan,
    Plan,
    load_plan,
    outdated_reasons,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.login_notices import login_notices
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import (
    Fleet,
    FleetInput,
    Hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import nearest
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
    report_problems,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.planning import (
    LivePlan,
    plan_against,
    plan_live,
)

#: How closely to look for what others changed.
CHEAP, DEEP = "cheap", "deep"


class ActionModule(FleetAction):
    """Compares every hub with its live state, or with another revision; see the module's documentation."""

    ARGUMENTS = frozenset(
        {"against", "drift", "file", "markdown", "fail_on_changes", "plan_file", "ignore_unreachable"}
    )

    def keep_encrypted(self) -> bool:
        """Two revisions can be compared without the secrets in them."""
        return bool(self.argument("against"))

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Return changes, and what the machines need for them."""
        against = self.argument("against")
        if against is not None and not str(against).strip():
            # For example an unset variable of CI; comparing with the hubs instead is never meant.
            raise AnsibleActionFail("plan_against: is empty; set it to a revision, such as origin/main")
        found: dict[str, Any] = {"machines": [], "facts": {}}
        passwords: dict[str, dict[str, str]] = {}
        if against:
            plan = plan_against(str(against), self.validated, hubs, inventory, task_vars, self._loader)
        else:
            live = plan_live(hubs, self.platforms, self._deep())
            if live.blockers:
                return report_problems([blocker.problem for blocker in live.blockers])
            _display_notices(live)
            plan, found = live.plan, {"machines": live.machines(), "facts": live.facts()}
            passwords = _passwords(live)
        for line in plan.lines():
            display.display(line)
        stale = self._stale(plan)
        if stale:
            return {
                "failed": True,
                "msg": f"the plan is out of date: {'; '.join(stale)}; create a new plan",
            }
        self._write(plan)
        result: dict[str, Any] = {
            "changed": any(hub.changes for hub in plan.hubs),
            "to_deploy": sum(hub.changes for hub in plan.hubs),
            "changes": [{**hub.summary(), **passwords.get(hub.hub, {})} for hub in plan.hubs],
            **found,
            "counts": dict(plan.counts()),
        }
        if self._task.diff:
            result["diff"] = [_diff(hub) for hub in plan.hubs if hub.before != hub.after]
        if self.argument("fail_on_changes", False) and plan.differs:
            # Ansible shows no differences of what failed.
            for hub in plan.hubs if self._task.diff else ():
                if hub.before != hub.after:
                    display.display(f"{hub.hub}:\n{hub.diff()}")
            return {**result, "failed": True, "msg": f"the fleet differs from the inventory: {plan.counted()}"}
        away = sorted({hub.cluster for hub in plan.hubs if hub.action == UNREACHABLE})
        if away and not self.argument("ignore_unreachable", False):
            return {**result, "failed": True, "msg": f"the changes of {', '.join(away)} are unknown, see above"}
        return result

    def _deep(self) -> bool:
        """Return whether to compare everything."""
        drift = str(self.argument("drift") or CHEAP)
        if drift not in (CHEAP, DEEP):
            raise AnsibleActionFail(
                f"plan_drift: {drift!r} is not one of {CHEAP}, {DEEP}{nearest(drift, (CHEAP, DEEP))}"
            )
        return drift == DEEP

    def _stale(self, plan: Plan) -> list[str]:
        """Return why the saved plan is out of date."""
        name = str(self.argument("plan_file") or "")
        if not name:
            return []
        try:
            with open(os.path.expanduser(name), encoding="utf-8") as file:
                return outdated_reasons(load_plan(file.read(), name), plan)
        except OSError as error:
            raise AnsibleActionFail(f"the plan {name} cannot be read: {reason(error)}; nothing was changed") from None
        except UnicodeDecodeError:
            raise AnsibleActionFail(f"the plan {name} is not UTF-8 text; nothing was changed") from None

    def _write(self, plan: Plan) -> None:
        for argument, text in (("file", plan.as_json), ("markdown", plan.markdown)):
            name = str(self.argument(argument) or "")
            if not name:
                continue
            path = os.path.abspath(os.path.expanduser(name))
            try:
                # It tells how hubs are set up.
                with open(path, "w", encoding="utf-8", opener=_private) as file:
                    file.write(text())
            except OSError as error:
                raise AnsibleActionFail(f"the plan could not be written to {path}: {reason(error)}") from None
            display.display(f"plan written to {path}")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _passwords(live: LivePlan) -> dict[str, dict[str, str]]:
    """Return, for hubs that generate passwords or tokens for people, where these are."""
    new = {hub.hub for hub in live.plan.hubs if hub.action == CREATE}
    found = {}
    for cluster in live.clusters.values():
        for hub in cluster.hubs:
            passwords = cluster.platform.passwords_notice(hub, cluster.state.facts, hub.name in new)
            token = cluster.platform.metrics_notice(hub, cluster.state.facts)
            found[hub.name] = "; ".join(filter(None, (passwords, token)))
    return {name: {"passwords": text} for name, text in found.items() if text}


def _display_notices(live: LivePlan) -> None:
    for text in login_notices(hub for cluster in live.clusters.values() for hub in cluster.hubs):
        display.display(f"notice: {text}", color="yellow")
    for cluster in live.clusters.values():
        for notice in cluster.platform.notices(cluster.state):
            if notice.warning:
                display.warning(notice.text)
            else:
                display.display(notice.text)


def _diff(hub: HubPlan) -> dict[str, str]:
    header = f"{hub.hub} ({hub.why})"
    return {
        "before": hub.before,
        "after": hub.after,
        "before_header": f"{header}: live",
        "after_header": f"{header}: desired",
    }
