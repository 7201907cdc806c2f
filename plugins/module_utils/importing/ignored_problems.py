# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems that hubs had before they were imported: imported unchanged, and listed in ``hub_ignored_problems``."""

from __future__ import annotations

from collections.abc import Callable, Collection

from ..platform.kubernetes.chart.charts import Charts
from ..platform.kubernetes.validation.hubs import KubernetesValidator
from ..platform.kubernetes.values.chart_values import ChartCode
from ..schema.model import FleetInput
from ..schema.option import KUBERNETES
from ..schema.problems import Problem
from ..schema.validate import validate
from .factor import Layers

IGNORED = "hub_ignored_problems"
PENDING = "hub_pending_secrets"
SETTINGS = "hub_authenticator_settings"
#: Listed for a hub without the OAuth client of its provider, which is in no file of the source.
MISSING_SETTINGS = "settings of its authenticator"


def ignore_existing_problems(
    inventory: Callable[[], FleetInput], layers: Layers, charts: Charts, code: ChartCode
) -> list[str]:
    """Add every problem of the source to ``hub_ignored_problems`` of its hubs; return the problems, a line each.

    Missing settings of an authenticator are added to ``hub_pending_secrets``, which hubs on a machine do not have. A
    hub that runs in spite of a misspelt trait must be imported, and not changed. Problems that cannot be ignored, such
    as a hub that accepts everybody, are returned as well.

    inventory: returns the new inventory with the present content of ``layers``; some problems are found only once
        others are ignored.
    """
    lines: list[str] = []
    while True:
        present = inventory()
        problems = _problems(present, charts, code)
        lines += [problem.line() for problem in problems if problem.line() not in lines]
        on_kubernetes = {
            name for name, host in present.hosts.items() if host.variables.get("cluster_platform") == KUBERNETES
        }
        added = [_add_to_hubs(problem, layers, on_kubernetes) for problem in problems]
        if not any(added):
            return lines


def _problems(inventory: FleetInput, charts: Charts, code: ChartCode) -> list[Problem]:
    fleet, problems = validate(inventory)
    broken = {name for problem in problems.of(inventory.hosts) for name in problem.hubs}
    valid = [hub for hub in fleet.hubs.values() if hub.platform == KUBERNETES and hub.name not in broken]
    KubernetesValidator(inventory, charts, code, problems).check(valid)
    return problems.of(inventory.hosts)


def _add_to_hubs(problem: Problem, layers: Layers, on_kubernetes: Collection[str]) -> bool:
    """Add a problem to the variables of its hubs that are on Kubernetes; return whether it was new."""
    variable, entry = IGNORED, problem.ignorable_as
    if not entry and problem.path == (SETTINGS,):
        variable, entry = PENDING, MISSING_SETTINGS
    added = False
    for name in set(problem.hubs) & set(on_kubernetes) if entry else ():
        entries = layers.hubs[name].setdefault(variable, [])
        if entry not in entries:
            entries.append(entry)
            added = True
    return added
