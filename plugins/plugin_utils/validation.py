# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate an inventory: by the schema, then by the platforms of its clusters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Fleet, FleetInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import Problem, Problems
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.secrets import redactor
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.validate import validate
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.platforms import Platforms


@dataclass
class Validated:
    """An inventory and what was found out about it.

    problems: what is wrong with the hubs that were asked for, by place; such hubs must not be used.
    platforms: of the clusters. ignored: problems that hubs ignore (hub_ignored_problems).
    """

    fleet: Fleet
    problems: list[Problem]
    platforms: Platforms
    ignored: list[Problem] = field(default_factory=list)


def stopping(found: Validated, selected: Iterable[str], as_deployed: bool) -> list[Problem]:
    """Return the problems that stop an action on the hubs ``selected``.

    as_deployed: the action uses hubs as they were deployed, so that only options of their clusters matter: rolling back
    stays possible with an inventory that is not valid, for example after an upgrade of the collection.
    """
    if not as_deployed or not found.fleet.hubs.keys() >= set(selected):
        return found.problems
    return [problem for problem in found.problems if not "".join(map(str, problem.path[:1])).startswith("hub_")]


def single_hub(inventory: FleetInput, name: str, platforms: Platforms, as_deployed: bool) -> Hub:
    """Return one hub for a task that changes it; as_deployed: see :func:`stopping`.

    Raises AnsibleActionFail where it is not valid.
    """
    found = validated(inventory, [name], platforms)
    problems = stopping(found, [name], as_deployed)
    if problems:
        raise AnsibleActionFail("; ".join(problem.line() for problem in problems))
    return found.fleet.hubs[name]


def validated(inventory: FleetInput, selected: Iterable[str], platforms: Platforms | None = None) -> Validated:
    """Return what the inventory says of the hubs ``selected``, and everything that is wrong with them.

    platforms: of its clusters, where these are to be read later on.
    Raises PlatformError where hubs cannot be checked here at all.
    """
    platforms = platforms or Platforms(inventory)
    wanted = list(selected)
    fleet, problems = validate(inventory)
    for platform, members in platforms.by_cluster(_sound(fleet, wanted, problems)).values():
        platform.complete(members, problems)
    for platform, members in platforms.by_cluster(_sound(fleet, wanted, problems)).values():
        platform.validate(members, problems)
    found, ignored = (
        [_masked(problem, inventory) for problem in problems.of(wanted, ignored=each)] for each in (False, True)
    )
    return Validated(fleet, found, platforms, ignored)


def _sound(fleet: Fleet, wanted: list[str], problems: Problems) -> list[Hub]:
    """Return the hubs that nothing is known against."""
    broken = {name for problem in problems.of(wanted) for name in (*problem.hubs, *problem.stops)}
    return [fleet.hubs[name] for name in wanted if name in fleet.hubs and name not in broken]


def _masked(problem: Problem, inventory: FleetInput) -> Problem:
    """Return a problem whose message has no secret; values that do not fit may be encrypted ones."""
    hosts = [inventory.hosts[name] for name in problem.hubs if name in inventory.hosts]
    # All hubs of a problem have the same message, and so the same value.
    return replace(problem, message=redactor(hosts[0].secret_texts).mask_text(problem.message)) if hosts else problem
