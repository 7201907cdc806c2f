# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was wrong with hubs before they were imported: carried over as it is, and named where it stands."""

from __future__ import annotations

from collections.abc import Callable

from ..platform.kubernetes.chart.charts import Charts
from ..platform.kubernetes.validation.hubs import KubernetesCheck
from ..platform.kubernetes.values.chart_values import ChartCode
from ..schema.model import FleetInput
from ..schema.option import KUBERNETES
from ..schema.problems import Problem
from ..schema.validate import validate
from .factor import Layers

IGNORED = "hub_ignored_problems"
PENDING = "hub_pending_secrets"
#: What is said of a hub whose files lack what its provider gave it: that comes from elsewhere, and is to be brought.
CLIENT = "hub_authenticator_settings"
TO_BRING = "settings of its authenticator"


def ignore_existing(inventory: Callable[[], FleetInput], layers: Layers, charts: Charts, code: ChartCode) -> list[str]:
    """Name every fault of the sources in ``hub_ignored_problems`` of its hubs; return the faults, one sentence each.

    Missing settings of an authenticator are named in ``hub_pending_secrets``.

    inventory: gives what is to be written, with what ``layers`` holds by then: some faults show only once others
        are ignored.
    A hub that runs in spite of a misspelt trait must not stop its import, nor be changed by it. Those faults
    that nothing can ignore, such as a hub that lets everybody in, are returned as well.
    """
    told: list[str] = []
    while True:
        found = _problems(inventory(), charts, code)
        told += [problem.line() for problem in found if problem.line() not in told]
        new = [_name(problem, layers) for problem in found]
        if not any(new):
            return told


def _problems(inventory: FleetInput, charts: Charts, code: ChartCode) -> list[Problem]:
    fleet, problems = validate(inventory)
    broken = {name for problem in problems.of(inventory.hosts) for name in problem.hubs}
    sound = [hub for hub in fleet.hubs.values() if hub.platform == KUBERNETES and hub.name not in broken]
    KubernetesCheck(inventory, charts, code, problems).check(sound)
    return problems.of(inventory.hosts)


def _name(problem: Problem, layers: Layers) -> bool:
    """Name a fault in the variables of its hubs; return whether that was new."""
    variable, entry = IGNORED, problem.ignorable_as
    if not entry and problem.path == (CLIENT,):
        variable, entry = PENDING, TO_BRING
    new = False
    for name in problem.hubs if entry else ():
        named = layers.hubs[name].setdefault(variable, [])
        if entry not in named:
            named.append(entry)
            new = True
    return new
