# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check what hubs on Kubernetes come to: their values against the chart, and who could log in.

What is wrong is told where it stands in the inventory: the option, or the line of Helm values.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...fleet.model import FleetInput, HostInput, Hub, ValuePath
from ...spec.authenticators import AUTHENTICATORS
from ...spec.problems import Problems, written
from ..base import PlatformError
from .addons import check_addons
from .charts import ChartFacts, Charts, skew
from .hub_config import check_config, check_login, chosen_authenticator
from .layers import ChartPath, dotted, over_defaults
from .schema_check import SchemaCheck
from .values import LAYERS, ChartCode, ChartValues, chart_values

_BY_CLASS = {authenticator.config_class: authenticator for authenticator in AUTHENTICATORS}


class KubernetesCheck:
    """Checks hubs, and keeps the values that it found for whoever needs them next.

    values: by hub, of hubs that could be worked out.
    tolerated: problems at places that the hubs themselves tolerate.
    """

    def __init__(self, inventory: FleetInput, charts: Charts, code: ChartCode, problems: Problems):
        self.inventory = inventory
        self.charts = charts
        self.code = code
        self.problems = problems
        self.values: dict[str, ChartValues] = {}
        self.tolerated = Problems()
        self._schemas: dict[int, SchemaCheck] = {}

    def check(self, hubs: Iterable[Hub]) -> None:
        """Check hubs whose own variables are sound; PlatformError where nothing can be checked at all."""
        for hub in hubs:
            host = self.inventory.hosts[hub.name]
            check_addons(hub, lambda path, message, host=host: self._report(host, path, message))  # type: ignore[misc]
            try:
                facts = self.charts.of(hub)
            except PlatformError as error:
                variable = "hub_chart_version" if hub["hub_chart_version"] else "cluster_chart_version"
                if hub.cluster["cluster_chart"] != "jupyterhub" and variable not in hub.given:
                    variable = "cluster_chart"
                self._report(host, (variable,), str(error))
                continue
            wrong = skew(facts, hub.cluster["cluster_kubernetes_version"])
            if wrong:
                self._report(host, (wrong[0],), wrong[1])
                continue
            self._check_values(hub, host, facts)

    def _check_values(self, hub: Hub, host: HostInput, facts: ChartFacts) -> None:
        values = self.values[hub.name] = chart_values(hub, self.inventory.directory, self.code)

        def report(path: ChartPath, message: str) -> None:
            ignored = dotted(path) in hub["hub_tolerated_values"]
            self._report_value(self.tolerated if ignored else self.problems, host, values, path, message)

        full = over_defaults(facts.defaults, values.merged)
        for path, message in self._schema(facts).errors(full):
            report(path, message)
        config = full.get("hub", {}).get("config")
        if not isinstance(config, dict):
            return

        def report_config(path: tuple[Any, ...], message: str) -> None:
            report(("hub", "config", *path), message)

        check_config(config, facts.traits, report_config)
        check_login(
            config, facts.traits, report_config, hub["hub_demonstration"], complete=not hub["hub_pending_secrets"]
        )
        self._check_client(hub, host, values, config, facts)

    def _check_client(
        self, hub: Hub, host: HostInput, values: ChartValues, config: dict[str, Any], facts: ChartFacts
    ) -> None:
        """What a provider gave the hub must be there, unless it is still to be brought, or kept in the cluster."""
        chosen = chosen_authenticator(config, facts.traits)
        authenticator = _BY_CLASS.get(chosen or "")
        merged = values.merged.get("hub", {})
        elsewhere = merged.get("existingSecret") or merged.get("extraEnv")
        if authenticator is None or hub["hub_pending_secrets"] or elsewhere:
            return
        sections = [config.get(name) or {} for name in facts.traits.sections(str(chosen))]
        for setting in authenticator.settings:
            if setting.required and not any(section.get(setting.name) for section in sections):
                self._report(host, ("hub_authenticator_settings",), f"{setting.name} is missing ({setting.summary})")

    def _schema(self, facts: ChartFacts) -> SchemaCheck:
        key = id(facts.schema)
        if key not in self._schemas:
            self._schemas[key] = SchemaCheck(facts.schema)
        return self._schemas[key]

    def _report_value(
        self, problems: Problems, host: HostInput, values: ChartValues, path: ChartPath, message: str
    ) -> None:
        sources = values.sources(path)
        if not sources:
            # Nothing in the inventory is near: the chart itself wants more than its defaults.
            source: ValuePath = ("hub_helm_values", *path)
        else:
            source = sources[-1]
        where = host.locate(source)
        if source[0] in LAYERS:
            # The whole place, also where only a part of it is there: something is missing in it.
            problems.add(written((source[0], *path)), message, where, host.name)
        else:
            problems.add(written(source), f"{message} ({dotted(path)} of the chart)", where, host.name)

    def _report(self, host: HostInput, path: ValuePath, message: str) -> None:
        self.problems.add(written(path), message, host.locate(path), host.name)
