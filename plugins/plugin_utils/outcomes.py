# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of hubs so far in a run: facts of playbooks/tasks/deploy_hubs.yml, and hosts that Ansible gave up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail

#: The fact that says what went wrong with a hub, and the one that says what became of it.
PROBLEM, OUTCOME = "hubfleet_problem", "hubfleet_outcome"


def fact(hub: str, name: str, task_vars: Mapping[str, Any]) -> str:
    """Return a fact that this run has set for a hub, "" where it has not."""
    variables = task_vars["hostvars"].raw_get(hub) if hub in task_vars["hostvars"] else {}
    return str(variables.get(name) or "")


def names_of(value: Any) -> set[str]:
    """Return the names in a list, or in a text with commas between them, such as an extra variable."""
    return {name.strip() for name in (value.split(",") if isinstance(value, str) else map(str, value or ()))}


def given_up(task_vars: Mapping[str, Any]) -> set[str]:
    """Return the hosts of the play that failed for good earlier in the run."""
    return set(map(str, task_vars["ansible_play_hosts_all"])) - set(map(str, task_vars["ansible_play_hosts"]))


def failed_hubs(changes: list[dict[str, Any]], task_vars: Mapping[str, Any]) -> set[str]:
    """Return the hubs that did not come through, whether or not they are what they were before again."""
    failed = given_up(task_vars)
    return {change["hub"] for change in changes if change["hub"] in failed or fact(change["hub"], PROBLEM, task_vars)}


def broken_clusters(machines: list[dict[str, Any]], task_vars: Mapping[str, Any]) -> set[str]:
    """Return the clusters whose machine could not be prepared: the hub that represents it failed."""
    failed = given_up(task_vars)
    named = {machine["cluster"] for machine in machines if fact(machine["hub"], "hubfleet_machine_problem", task_vars)}
    return named | {machine["cluster"] for machine in machines if machine["hub"] in failed and machine["changes"]}


def limit_of(value: Any) -> int | None:
    """Return deploy_max_failures as a number; text comes from the command line."""
    if value in (None, ""):
        return None
    if not re.fullmatch("[0-9]+", str(value)):
        raise AnsibleActionFail(f"deploy_max_failures: {value!r} is not a whole number from 0; nothing was changed")
    return int(value)
