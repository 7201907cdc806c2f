# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate an inventory: by the schema, and hubs on Kubernetes by their chart as well."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.charts import (
    Charts,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.validation.hubs import (
    KubernetesCheck,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.chart_values import (
    ChartValues,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Fleet, FleetInput
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.option import KUBERNETES
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import Problem
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.validate import validate
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import (
    RECORDED_CHARTS,
    chart_cache,
    chart_code,
)


@dataclass
class Validated:
    """An inventory and what was found out about it.

    problems: what is wrong with the hubs that were asked for, by place; such hubs must not be used.
    charts: the charts of the hubs on Kubernetes.
    values: their values for the chart, by hub.
    ignored: problems that hubs ignore (hub_ignored_problems).
    """

    fleet: Fleet
    problems: list[Problem]
    charts: Charts
    values: dict[str, ChartValues] = field(default_factory=dict)
    ignored: list[Problem] = field(default_factory=list)


def validated(inventory: FleetInput, selected: Iterable[str], download: bool = False) -> Validated:
    """Return what the inventory says of the hubs ``selected``, and everything that is wrong with them.

    download: get charts that are not at hand, rather than make do with what is recorded of them.
    Raises PlatformError where hubs cannot be checked here at all.
    """
    wanted = list(selected)
    fleet, problems = validate(inventory)
    charts = Charts(RECORDED_CHARTS, inventory.directory, chart_cache(), download)
    check = KubernetesCheck(inventory, charts, chart_code(), problems)
    broken = {name for problem in problems.of(wanted) for name in (*problem.hubs, *problem.stops)}
    sound = [fleet.hubs[name] for name in wanted if name in fleet.hubs and name not in broken]
    check.check(hub for hub in sound if hub.platform == KUBERNETES)
    return Validated(fleet, problems.of(wanted), charts, check.values, problems.of(wanted, ignored=True))
