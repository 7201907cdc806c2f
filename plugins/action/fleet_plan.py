# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_plan."""

from __future__ import annotations

import os
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import UNREACHABLE
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.plan import (
    HubPlan,
    Plan,
    kept_plan,
    moved,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.platform import (
    ServerPlatform,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import (
    LOCALHOST,
    Fleet,
    FleetInput,
    Hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
    report_problems,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.machines import host_of
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.planning import (
    LivePlan,
    plan_against,
    plan_live,
)


class ActionModule(FleetAction):
    """Compares every hub with its live state, or with another revision; see the module's documentation."""

    ARGUMENTS = frozenset({"against", "file", "markdown", "fail_on_changes", "plan_file", "ignore_unreachable"})

    def keep_encrypted(self) -> bool:
        """Two revisions can be compared without the secrets in them."""
        return bool(self.argument("against"))

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Return changes, and what the machines need for them."""
        against = self.argument("against")
        if against is not None and not str(against).strip():
            # Such as a variable of CI that is not set; nobody who says this wants hubs to be asked.
            raise AnsibleActionFail("plan_against: is empty; say a revision, such as origin/main")
        machines: list[dict[str, Any]] = []
        passwords: dict[str, dict[str, str]] = {}
        if against:
            plan = plan_against(str(against), self.validated, hubs, inventory, task_vars, self._loader)
        else:
            live = plan_live(hubs, inventory, self.asking(task_vars))
            if live.problems or live.refused:
                return report_problems([*live.problems, *live.refused])
            _tell_machines(live)
            plan = live.plan
            machines, passwords = live.machines, _passwords(hubs, live)
        for line in plan.lines():
            display.display(line)
        stale = self._stale(plan)
        if stale:
            return {
                "failed": True,
                "msg": f"the world has moved since the plan was made: {'; '.join(stale)}. Plan anew",
            }
        self._write(plan)
        result: dict[str, Any] = {
            "changed": any(hub.changes for hub in plan.hubs),
            "to_deploy": sum(hub.changes for hub in plan.hubs),
            "changes": [{**hub.summary(), **passwords.get(hub.hub, {})} for hub in plan.hubs],
            "machines": machines,
            "counts": dict(plan.counts()),
        }
        if self._task.diff:
            result["diff"] = [_diff(hub) for hub in plan.hubs if hub.before != hub.after]
        if self.argument("fail_on_changes", False) and plan.differs:
            # Ansible shows no differences of what failed.
            for hub in plan.hubs if self._task.diff else ():
                if hub.before != hub.after:
                    display.display(f"{hub.hub}:\n{hub.diff()}")
            return {**result, "failed": True, "msg": f"the fleet is not as the inventory says: {plan.counted()}"}
        away = sorted({hub.cluster for hub in plan.hubs if hub.action == UNREACHABLE})
        if away and not self.argument("ignore_unreachable", False):
            return {**result, "failed": True, "msg": f"nobody knows what would change in {', '.join(away)}, see above"}
        return result

    def _stale(self, plan: Plan) -> list[str]:
        """Return why the kept plan that is to be deployed is no longer true."""
        name = str(self.argument("plan_file") or "")
        if not name:
            return []
        try:
            with open(os.path.expanduser(name), encoding="utf-8") as file:
                return moved(kept_plan(file.read(), name), plan)
        except OSError as error:
            raise AnsibleActionFail(f"the plan {name} cannot be read: {error.strerror}; nothing was touched") from None
        except UnicodeDecodeError:
            raise AnsibleActionFail(f"the plan {name} is no UTF-8 text; nothing was touched") from None

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
                raise AnsibleActionFail(f"the plan could not be written to {path}: {error.strerror}") from None
            display.display(f"plan written to {path}")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _place(hub: Hub, layout: Layout) -> str:
    """Return where a hub's secrets are, as scp has it where that is another machine."""
    host, path = host_of(hub), layout.hub(hub.name).path("secrets")
    return path if host == LOCALHOST else f"{host}:{path}"


def _passwords(hubs: list[Hub], live: LivePlan) -> dict[str, dict[str, str]]:
    """Return, for hubs that make their own passwords, where these are on the machine."""
    return {
        hub.name: {"passwords": _place(hub, live.platforms[hub.cluster.name].setup.layout)}
        for hub in hubs
        if hub["hub_authenticator"] == "shared-password" and hub.cluster.name in live.platforms
    }


def _tell_machines(live: LivePlan) -> None:
    for name, platform in live.platforms.items():
        _tell_machine(name, platform)


def _tell_machine(name: str, platform: ServerPlatform) -> None:
    setup = platform.setup
    display.display(
        f"{name}: isolation {setup.isolation} ({setup.limits}), supervisor {setup.supervisor}, "
        f"state in {setup.layout.root}"
    )
    if platform.reverse_proxy.wanted:
        proxy = platform.reverse_proxy
        display.display(
            f"{name}: reverse proxy on ports {proxy.http_port} and {proxy.https_port}, Caddy {proxy.version}"
        )
    if setup.isolation == "none":
        display.warning(
            f"cluster {name}: cluster_isolation is none: "
            "every user of its hubs can read the files and tokens of all others"
        )


def _diff(hub: HubPlan) -> dict[str, str]:
    header = f"{hub.hub} ({', '.join(hub.reasons)})"
    return {
        "before": hub.before,
        "after": hub.after,
        "before_header": f"{header}: live",
        "after_header": f"{header}: desired",
    }
