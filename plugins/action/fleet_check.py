# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_check."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.report import table
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.run import run_checks
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import (
    CheckOptions,
    Choice,
    HubTarget,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.model import (
    Fleet,
    FleetInput,
    Hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.outcomes import OUTCOME, PROBLEM, fact
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.platforms import platforms


class ActionModule(FleetAction):
    """Acts like a user on every hub; see the module's documentation."""

    ARGUMENTS = frozenset({"every", "parallel", "start_timeout", "among", "outcome", "tolerant"})

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Check the hubs, print the table, and fail if any hub failed."""
        hubs = self._chosen(hubs, task_vars)
        if not hubs:
            return {"changed": False, "results": [], "failed_hubs": [], "problems": {}}
        every = self._converted("every", False, boolean, "true or false")
        options = CheckOptions(
            parallel_hubs=self._converted("parallel", 10, _count, "a whole number from 1"),
            start_timeout=self._converted("start_timeout", 180, _seconds, "a number of seconds above 0"),
        )
        if self._task.check_mode:
            display.display("check mode: no user is made and no server started")
            return {"changed": False, "skipped": True, "results": [], "failed_hubs": []}
        found = platforms(hubs, inventory.directory)
        tolerant = bool(self.argument("tolerant", False))
        targets: list[HubTarget] = []
        problems: dict[str, str] = {}
        for hub in hubs:
            try:
                targets.append(_target(hub, found[hub.cluster.name].check_token(hub), every))
            except PlatformError as error:
                if not tolerant:
                    raise AnsibleActionFail(str(error)) from error
                problems[hub.name] = str(error)
        hubs = [hub for hub in hubs if hub.name not in problems]
        try:
            results = run_checks(targets, options, display.display) if targets else []
        except RuntimeError as error:
            raise AnsibleActionFail(str(error)) from error
        for hub, result in zip(hubs, results):
            found[hub.cluster.name].note_check(hub, result.ok)
        for line in table(results) if results else ():
            display.display(line)
        problems.update({result.name: f"the check failed: {result.problem}" for result in results if not result.ok})
        failed = list(problems)
        summary = {
            "changed": False,
            "results": [result.as_dict() for result in results],
            "failed_hubs": failed,
            "problems": problems,
        }
        if failed and not tolerant:
            message = f"{len(failed)} of {len(results)} hubs failed the check: {', '.join(failed)}"
            return {"failed": True, "msg": message, "failed_hubs": failed, "problems": problems}
        return summary

    def _chosen(self, hubs: list[Hub], task_vars: Any) -> list[Hub]:
        """Return the hubs that are asked for: in the middle of a deploy, those that came so far."""
        among = self.argument("among")
        if among is None:
            return hubs
        outcome = str(self.argument("outcome", ""))
        if outcome:
            return [hub for hub in hubs if hub.name in among and fact(hub.name, OUTCOME, task_vars) == outcome]
        return [hub for hub in hubs if hub.name in among and not fact(hub.name, PROBLEM, task_vars)]

    def _converted(self, name: str, default: Any, convert: Callable[[Any], Any], what: str) -> Any:
        """Return an argument, which may come as text from the command line, as what it should be."""
        value = self.argument(name, default)
        try:
            return convert(value)
        except (TypeError, ValueError):
            raise AnsibleActionFail(f"{name}: {value!r} is not {what}") from None


def _count(value: Any) -> int:
    number = int(value)
    if number < 1:
        raise ValueError
    return number


def _seconds(value: Any) -> float:
    number = float(value)
    if not 0 < number < math.inf:
        raise ValueError
    return number


def _target(hub: Hub, token: str, every: bool) -> HubTarget:
    """Return a hub and what is tried on it: its default choice, or every one."""
    environments = hub.environments if every else hub.environments[:1]
    sizes = hub.sizes if every else hub.sizes[:1]
    choices = [
        Choice(
            environment=environment.name,
            size=size.name,
            options={"profile": environment.name, "size": size.name},
            code=environment.check_code,
            expect=environment.check_output,
        )
        for environment in environments
        for size in sizes
    ]
    return HubTarget(hub.name, hub.cluster.name, hub.url, token, choices)
