# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of hubs so far in a run: facts of the playbooks, and hosts that Ansible gave up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail

#: The fact that says what went wrong with a hub, and the one that says what became of it.
PROBLEM, OUTCOME = "hubfleet_problem", "hubfleet_outcome"


def _variables(hub: str, task_vars: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = task_vars["hostvars"].raw_get(hub) if hub in task_vars["hostvars"] else {}
    return found


def fact(hub: str, name: str, task_vars: Mapping[str, Any]) -> str:
    """Return a fact that this run has set for a hub, "" where it has not."""
    return str(_variables(hub, task_vars).get(name) or "")


def unbuilt_hubs(machines: list[dict[str, Any]], task_vars: Mapping[str, Any]) -> dict[str, str]:
    """Return the hubs that need something that could not be built -> why."""
    found: dict[str, str] = {}
    for machine in machines:
        # Directory -> why; the hub that represents the cluster has the fact.
        failed = _variables(machine["hub"], task_vars).get("__cluster_failed_builds") or {}
        for build in machine["builds"]:
            for hub in build["hubs"] if build["directory"] in failed else ():
                found.setdefault(hub, str(failed[build["directory"]]))
    return found


def names_of(value: Any) -> set[str]:
    """Return the names in a list, or in a text with commas between them, such as an extra variable."""
    return {name.strip() for name in (value.split(",") if isinstance(value, str) else map(str, value or ()))}


def given_up(task_vars: Mapping[str, Any]) -> set[str]:
    """Return the hosts of the play that failed for good earlier in the run."""
    return set(map(str, task_vars["ansible_play_hosts_all"])) - set(map(str, task_vars["ansible_play_hosts"]))


def failed_hubs(
    changes: list[dict[str, Any]], machines: list[dict[str, Any]], task_vars: Mapping[str, Any]
) -> set[str]:
    """Return the hubs that did not come through, whether or not they are what they were before again."""
    failed = given_up(task_vars) | set(unbuilt_hubs(machines, task_vars))
    return {change["hub"] for change in changes if change["hub"] in failed or fact(change["hub"], PROBLEM, task_vars)}


def broken_clusters(machines: list[dict[str, Any]], task_vars: Mapping[str, Any]) -> dict[str, str]:
    """Return the clusters whose machine could not be prepared, since the hub that represents it failed -> why."""
    failed = given_up(task_vars)
    problems = {each["cluster"]: fact(each["hub"], "hubfleet_machine_problem", task_vars) for each in machines}
    lost = {each["cluster"] for each in machines if each["hub"] in failed and each["changes"]}
    return {cluster: problem for cluster, problem in problems.items() if problem or cluster in lost}


def limit_of(value: Any) -> int | None:
    """Return deploy_max_failures as a number; text comes from the command line."""
    if value in (None, ""):
        return None
    if not re.fullmatch("[0-9]+", str(value)):
        raise AnsibleActionFail(f"deploy_max_failures: {value!r} is not a whole number from 0; nothing was changed")
    return int(value)
