# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_recap."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.text import (
    aligned,
    nonempty_lines,
    one_line,
    plural,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import (
    ORPHANED,
    UNCHANGED,
    UNREACHABLE,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.order import (
    DONE,
    FAILED,
    ROLLED_BACK,
    SAME,
    SKIPPED,
    gate,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import PRODUCTION, STAGING
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import BulkAction, display
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.inventory import plain
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.outcomes import (
    OUTCOME,
    PROBLEM,
    broken_clusters,
    fact,
    failed_hubs,
    given_up,
    limit_of,
    unbuilt_hubs,
)

#: More hubs that did not change are only counted.
_MOST_UNCHANGED = 20


class ActionModule(BulkAction):
    """Tells what a deploy did; see the module's documentation."""

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Print one line per hub, and how to log in where the hub itself made the passwords."""
        super().run(tmp, task_vars)
        changes: list[dict[str, Any]] = plain(self._task.args.get("changes") or [])
        if self._task.check_mode or all(change["action"] in (UNCHANGED, ORPHANED) for change in changes):
            return {"changed": False, "skipped": True, "skip_reason": "nothing was deployed"}
        machines: list[dict[str, Any]] = plain(self._task.args.get("machines") or [])
        allowed = limit_of(plain(self._task.args.get("max_failures")))
        skipped = _skipped(changes, machines, allowed, task_vars)
        unbuilt = unbuilt_hubs(machines, task_vars)
        results = {
            change["hub"]: _result(change, skipped, unbuilt, task_vars)
            for change in changes
            if change["action"] != ORPHANED
        }
        urls = {change["hub"]: change["url"] for change in changes}
        _print(results, urls)
        for change in changes:
            if change.get("passwords") and results[change["hub"]][0] == DONE:
                display.display(f"{change['hub']}: {change['passwords']}")
        counts = Counter(result for result, _why in results.values())
        summary = {
            "changed": False,
            "hubs": {hub: {"result": result, "why": why, "url": urls[hub]} for hub, (result, why) in results.items()},
        }
        wrong = [
            f"{counts[result]} {result}" for result in (FAILED, UNREACHABLE, ROLLED_BACK, SKIPPED) if counts[result]
        ]
        if wrong:
            return {**summary, "failed": True, "msg": f"some hubs differ from the inventory: {', '.join(wrong)}"}
        return summary


def _skipped(
    changes: list[dict[str, Any]], machines: list[dict[str, Any]], allowed: int | None, task_vars: Any
) -> dict[str, str]:
    """Return the hubs that were not let through, as the gates did it, and why."""
    failed, broken = failed_hubs(changes, machines, task_vars), broken_clusters(machines, task_vars)
    found: dict[str, str] = {}
    for stage in (STAGING, PRODUCTION):
        found.update(gate(stage, changes, failed, broken, allowed).skipped)
    return found


def _result(
    change: dict[str, Any], skipped: dict[str, str], unbuilt: dict[str, str], task_vars: Any
) -> tuple[str, str]:
    hub = change["hub"]
    problem = fact(hub, PROBLEM, task_vars) or unbuilt.get(hub, "")
    outcome = fact(hub, OUTCOME, task_vars)
    if outcome:
        return outcome, "" if outcome == DONE else problem
    if problem or hub in given_up(task_vars):
        return FAILED, problem
    if change["action"] == UNCHANGED:
        return SAME, ""
    if change["action"] == UNREACHABLE:
        return UNREACHABLE, change["reasons"][0]
    return SKIPPED, skipped.get(hub, "not reached in this run")


def _print(results: dict[str, tuple[str, str]], urls: dict[str, str]) -> None:
    same = [hub for hub, (result, _why) in results.items() if result == SAME]
    left_out = set(same) if len(same) > _MOST_UNCHANGED else set()
    rows = [
        (hub, result, urls[hub], _first_and_last_line(why))
        for hub, (result, why) in results.items()
        if hub not in left_out
    ]
    colors = {FAILED: "red", UNREACHABLE: "red", ROLLED_BACK: "red", SKIPPED: "yellow"}
    for row, line in zip(rows, aligned(rows)):
        display.display(line, color=colors.get(row[1]))
    if left_out:
        display.display(f"{plural(len(left_out), 'hub')} {SAME}")


def _first_and_last_line(text: str) -> str:
    """Return the first line of a text and, of several, the last one, which is where a log says why."""
    lines = nonempty_lines(text)
    return one_line(" … ".join(dict.fromkeys((lines[0], lines[-1]))), width=300) if lines else ""
