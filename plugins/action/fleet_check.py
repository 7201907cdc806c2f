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
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.stop import Stop
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import CheckOptions
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import (
    CheckResults,
    Platform,
    PlatformError,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import (
    Fleet,
    FleetInput,
    Hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.outcomes import OUTCOME, PROBLEM, fact
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.planning import for_each_cluster

#: Arguments that the playbook check takes from the command line -> the variables that people know them by.
VARIABLES = {"every": "check_every", "parallel": "check_parallel"}


class ActionModule(FleetAction):
    """Acts like a user on every hub; see the module's documentation."""

    ARGUMENTS = frozenset(
        {"every", "parallel", "start_timeout", "hubs", "outcome", "as_deployed", "ignore_unreachable"}
    )
    NEEDS_IMAGES = False

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Check the hubs, print the table, and fail if any hub failed."""
        hubs = self._chosen(hubs, task_vars)
        if not hubs:
            return {"changed": False, "skipped": True, "results": [], "failed_hubs": [], "problems": {}}
        every = self._converted("every", False, boolean, "true or false")
        options = CheckOptions(
            parallel_hubs=self._converted("parallel", 10, _count, "a whole number from 1"),
            start_timeout=self._converted("start_timeout", 180, _seconds, "a number of seconds above 0"),
        )
        if self._task.check_mode:
            display.display("check mode: no user is made and no server started")
            return {"changed": False, "skipped": True, "results": [], "failed_hubs": []}
        tolerant = bool(self.argument("ignore_unreachable", False))
        checked = self._check(hubs, every, options)
        results, problems = checked.results, dict(checked.problems)
        for name, problem in problems.items():
            display.display(f"{name}: {problem}", color="red")
        for line in table(results) if results else ():
            display.display(line)
        for result in results:
            for warning in result.warnings:
                display.display(f"{result.name}: {warning}", color="yellow")
        problems.update({result.name: f"the check failed: {result.problem}" for result in results if not result.ok})
        failed = list(problems)
        summary = {
            "changed": False,
            "results": [result.as_dict() for result in results],
            "failed_hubs": failed,
            "problems": problems,
        }
        if failed and not tolerant:
            message = f"{len(failed)} of {len(hubs)} hubs failed the check: {', '.join(failed)}"
            return {"failed": True, "msg": message, "failed_hubs": failed, "problems": problems}
        return summary

    def _check(self, hubs: list[Hub], every: bool, options: CheckOptions) -> CheckResults:
        """Check the hubs, clusters on Kubernetes at the same time."""
        as_deployed = bool(self.argument("as_deployed", False))
        stop, found = Stop(), CheckResults()

        def check(platform: Platform, members: list[Hub]) -> CheckResults:
            if stop.asked:
                raise KeyboardInterrupt()
            try:
                facts = platform.facts(members)
                targets = platform.check_targets(members, facts, every, as_deployed)
                return platform.check(members, targets, facts, options, display.display, stop)
            except PlatformError as error:
                return CheckResults(problems={hub.name: str(error) for hub in members})

        clusters = self.platforms.deployable(hubs)
        try:
            for results in for_each_cluster(clusters, check, stop.on_signals(display.display)).values():
                found.add(results)
        except RuntimeError as error:
            raise AnsibleActionFail(str(error)) from None
        return found.ordered([hub.name for hub in hubs])

    def _chosen(self, hubs: list[Hub], task_vars: Any) -> list[Hub]:
        """Return the hubs that are asked for: in the middle of a deploy, those that came so far."""
        among = self.argument("hubs")
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
            raise AnsibleActionFail(f"{VARIABLES.get(name, name)}: {value!r} is not {what}") from None


def _count(value: Any) -> int:
    number = int(str(value))  # not 2.5, nor true
    if number < 1:
        raise ValueError
    return number


def _seconds(value: Any) -> float:
    number = float(value)
    if not 0 < number < math.inf:
        raise ValueError
    return number
