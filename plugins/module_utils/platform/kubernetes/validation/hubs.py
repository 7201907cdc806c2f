# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate hubs on Kubernetes: their values against the chart, and who can log in.

Problems are reported at their place in the inventory: the option, or the line of Helm values.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ....common.nested import depth_of, path_text, value_at
from ....common.text import abbreviated
from ....schema.authenticators import AUTHENTICATORS, COMMON_RULES
from ....schema.authenticators import BY_NAME as AUTHENTICATORS_BY_NAME
from ....schema.model import EncryptedValue, FleetInput, HostInput, Hub, ValuePath
from ....schema.problems import Problems
from ...config_classes import chosen_authenticator, section_of
from ...config_code import code_problems, read_code
from ..chart.charts import ChartFacts, Charts, UnusableChartError, incompatibility
from ..chart.content import ChartError
from ..drift.ignored import check_rule
from ..values.addons import check_addons
from ..values.chart_values import LAYERS, ChartCode, ChartValues, chart_values
from ..values.layers import ChartPath, Values, over_defaults
from .chart_schema import ChartSchema
from .hub_config import SPAWNER, check_config
from .hub_pods import check_pods
from .login_rules import check_login
from .profile_overrides import check_chart_choices, check_option_choices, place_of_override
from .replacements import check_configuration, check_layers
from .services_and_roles import check_services_and_roles
from .session_checks import check_sessions

_BY_CLASS = {authenticator.config_class: authenticator for authenticator in AUTHENTICATORS}
CONFIG = ("hub", "config")
EXTRA_CONFIG_PATH = ("hub", "extraConfig")
#: The option that is a part of it.
OPERATORS_CODE = "hub_jupyterhub_config"
_AUTHENTICATOR = (*CONFIG, "JupyterHub", "authenticator_class")


class KubernetesValidator:
    """Validates hubs. values: hub -> its values for the chart."""

    def __init__(self, inventory: FleetInput, charts: Charts, code: ChartCode, problems: Problems):
        self.inventory = inventory
        self.charts = charts
        self.code = code
        self.problems = problems
        self.values: dict[str, ChartValues] = {}
        self._schemas: dict[int, ChartSchema] = {}

    def check(self, hubs: Iterable[Hub]) -> None:
        """Validate hubs whose variables are valid; raises PlatformError where nothing can be validated."""
        for hub in hubs:
            host = self.inventory.hosts[hub.name]
            check_addons(hub, lambda path, message, host=host: self._report(host, path, message))  # type: ignore[misc]
            try:
                facts = self.charts.of(hub)
                schema = self._schema(facts)
            except ChartError as error:
                variable = error.variable if isinstance(error, UnusableChartError) else self.charts.chart_variable(hub)
                self.problems.add((variable,), str(error), host.locate((variable,)), host.name, ignorable_as=variable)
                continue
            if facts.checked_as:
                variable = self.charts.chart_variable(hub)
                message = f"chart version {facts.version} is not recorded; it is checked as {facts.checked_as}"
                self.problems.add((variable,), message, host.locate((variable,)), hub.name, ignored=True)
            wrong = incompatibility(facts, hub.cluster["cluster_kubernetes_version"], self.charts.chart_variable(hub))
            if wrong:
                self._report(host, (wrong[0],), wrong[1])
                continue
            values = chart_values(hub, self.inventory.directory, self.code, facts.defaults)
            self.values[hub.name] = values
            _HubValidator(hub, host, values, facts, self.problems).run(schema)

    def _schema(self, facts: ChartFacts) -> ChartSchema:
        key = id(facts.schema)
        if key not in self._schemas:
            self._schemas[key] = ChartSchema(facts.schema)
        return self._schemas[key]

    def _report(self, host: HostInput, path: ValuePath, message: str) -> None:
        self.problems.add(path, message, host.locate(path), host.name)


class _HubValidator:
    """Validates the values of one hub.

    full: the values that templates get, with the chart's defaults.
    broken: places with problems, but for those that the hub ignores.
    """

    def __init__(
        self,
        hub: Hub,
        host: HostInput,
        values: ChartValues,
        facts: ChartFacts,
        problems: Problems,
    ):
        self.hub = hub
        self.host = host
        self.values = values
        self.facts = facts
        self.problems = problems
        self.full = over_defaults(facts.defaults, values.merged)
        self.broken: set[ChartPath] = set()
        self.reported: set[ChartPath] = set()
        self._allows_everybody = False

    def run(self, schema: ChartSchema) -> None:
        """Report all problems, each once."""
        for index, rule in enumerate(self.hub["hub_ignored_drift"]):
            wrong = check_rule(rule)
            if wrong:
                self._report_option(("hub_ignored_drift", index), f"{rule!r} {wrong}")
        config = self._config()
        if config is not None:
            check_config(config, self.facts.traits, self._report_config)
            check_option_choices(self.hub, config, self.facts.traits, self._report_option)
        for path, message in schema.errors(self.full):
            self._report_new(path, message)
        check_layers(self.values, self.hub.explicit_options, self._report_layer, self._named)
        check_services_and_roles(self.hub, self.full, self._report_new)
        check_pods(self.full, self._report_new)
        if config is not None:
            check_configuration(self.full, self.values, self.facts.traits, self._report_replacement, self._named)
            session = check_sessions(self.full, self.values.merged, self.facts.traits, self._report_new)
            check_chart_choices(self.values, session, config, self.facts.traits, self._report_choice)
            self._check_code(config)
        if config is not None and not any(map(self._affects_login, self.broken)):
            self._check_login(config)

    def _check_code(self, config: Values) -> None:
        """Report traits that no class has in the operator's Python; the chart runs all of it together."""
        code = value_at(self.full, EXTRA_CONFIG_PATH, {})
        texts = {
            key: text
            for key, text in (code.items() if isinstance(code, dict) else ())
            if isinstance(text, str) and self._source((*EXTRA_CONFIG_PATH, key))[0] in (*LAYERS, OPERATORS_CODE)
        }
        settings = {"spawner_class": f"kubespawner.{SPAWNER}", **section_of(config, "JupyterHub")}
        own = {name for text in texts.values() for name in read_code(text).own_names}
        for key, text in texts.items():
            by_option = self._source((*EXTRA_CONFIG_PATH, key))[0] == OPERATORS_CODE
            place = (OPERATORS_CODE,) if by_option else (*EXTRA_CONFIG_PATH, key)
            for section, trait, message in code_problems(
                text, {**config, "JupyterHub": settings}, self.facts.traits, own
            ):
                report = self._report_option if by_option else self._report
                report((*place, section, trait), message)

    def _config(self) -> Values | None:
        """Return JupyterHub's configuration, without the authenticator if it is only the chart's default."""
        section = self.full.get("hub")
        config = section.get("config") if isinstance(section, dict) else None
        if not isinstance(config, dict):
            return None
        settings = config.get("JupyterHub")
        if isinstance(settings, dict) and settings.get("authenticator_class") == "dummy" and not self._chosen():
            others = {key: value for key, value in settings.items() if key != "authenticator_class"}
            return {**config, "JupyterHub": others}
        return config

    def _chosen(self) -> bool:
        """Tell whether the inventory sets the authenticator."""
        return depth_of(self.values.merged, _AUTHENTICATOR) == len(_AUTHENTICATOR)

    def _affects_login(self, path: ChartPath) -> bool:
        """Tell whether a problem makes it unknown who may log in."""
        if path in (CONFIG[:1], CONFIG):
            return True
        if path[:2] != CONFIG:
            return False
        section, classes = path[2], self.facts.traits.classes
        if section == "JupyterHub":
            return path in (_AUTHENTICATOR[:3], _AUTHENTICATOR)
        return section not in classes or "Authenticator" in self.facts.traits.sections(section)

    def _check_login(self, config: Values) -> None:
        if self.hub["hub_pending_secrets"] and not self._chosen():
            return  # the pending secrets may set the authenticator
        authenticator = AUTHENTICATORS_BY_NAME.get(self.hub["hub_authenticator"])
        by_option = authenticator is not None and self._source(_AUTHENTICATOR) == ("hub_authenticator",)
        rules = (*COMMON_RULES, *authenticator.rules, "hub_allow_everyone") if authenticator and by_option else ()

        def name_of(path: tuple[Any, ...]) -> str:
            source = self._source((*CONFIG, *path))
            return source[0] if source[0] not in LAYERS else str(path[-1])

        before = set(self.broken)
        chosen = chosen_authenticator(config, self.facts.traits)
        # Only hub_demonstration permits a hub that allows everybody.
        checks_nothing = chosen in ("DummyAuthenticator", "TmpAuthenticator")
        self._allows_everybody = checks_nothing and not self.hub["hub_demonstration"]
        check_login(
            config,
            self.facts.traits,
            self._report_config,
            self.hub["hub_demonstration"],
            complete=not self.hub["hub_pending_secrets"],
            allow_options=", ".join(rules),
            name_of=name_of,
        )
        if self.broken != before:
            return
        if chosen == "TmpAuthenticator" and not self.hub["hub_demonstration"]:
            message = (
                "tmp allows everybody without logging in; it needs hub_demonstration: true, and is not for real users"
            )
            self._report(_AUTHENTICATOR, message)
        self._check_client(config, chosen, by_option)

    def _check_client(self, config: Values, chosen: str | None, by_option: bool) -> None:
        """Report missing settings of an OAuth client, unless they are pending or in the cluster."""
        authenticator = _BY_CLASS.get(chosen or "")
        merged = self.values.merged.get("hub", {})
        elsewhere = merged.get("existingSecret") or merged.get("extraEnv")
        if authenticator is None or self.hub["hub_pending_secrets"] or elsewhere:
            return
        sections = [config.get(name) or {} for name in self.facts.traits.sections(str(chosen))]
        missing = [
            setting
            for setting in authenticator.settings
            if setting.required and not any(section.get(setting.name) for section in sections)
        ]
        if not missing:
            return
        message = f"{missing[0].name} is missing ({missing[0].summary})"
        if len(missing) > 1:
            message = f"{', '.join(setting.name for setting in missing)} are missing"
        if not by_option:
            self._report((*CONFIG, str(chosen)), message)
            return
        where = self.host.locate(("hub_authenticator_settings",)) or self.host.locate(("hub_authenticator",))
        self.problems.add(("hub_authenticator_settings",), message, where, self.host.name)

    def _source(self, path: ChartPath) -> ValuePath:
        """Return the place in the inventory that a place in the chart's values comes from."""
        if path == _AUTHENTICATOR and not self._chosen():
            return ("hub_authenticator",)
        sources = self.values.sources(path)
        # Nothing in the inventory sets it: the chart requires more than its defaults.
        return sources[-1] if sources else ("hub_helm_values", *path)

    def _report_config(self, path: tuple[Any, ...], message: str) -> None:
        place: ChartPath = CONFIG
        here: Any = self.full["hub"]["config"]
        for part in path:
            # Indexes come as text.
            step = int(part) if isinstance(here, list) else part
            inside = isinstance(here, list) or (isinstance(here, dict) and step in here)
            here = here[step] if inside else None
            place = (*place, step)
        self._report(place, message)

    def _report_option(self, path: ValuePath, message: str) -> None:
        """Record a problem at a place in an option."""
        if not _is_opaque(self.host.variables, path):
            self._add(path, message, path, path)

    def _report_choice(self, path: ChartPath, message: str) -> None:
        """Record a problem in the profile list: of one that options made, at the override that it comes from."""
        place = place_of_override(self.hub, self.values, path) if self._source(path)[0] not in LAYERS else None
        if place is None:
            self._report_new(path, message)
        elif not self._is_known(place):
            self.reported.add(place)
            self._report_option(place, message)

    def _is_ignored(self, path: tuple[Any, ...]) -> bool:
        return not self._allows_everybody and path_text(path) in (self.hub["hub_ignored_problems"] or ())

    def _report_layer(self, path: ValuePath, message: str, note: bool) -> None:
        """Record what a layer of Helm values replaces; ``path`` begins with its variable."""
        place = path[1:]
        if note:
            self.problems.add(path, message, self.host.locate(path), self.host.name, note=True)
        elif not self._is_known(place):
            self.reported.add(place)
            self._add(path, message, path, place)

    def _report_replacement(self, path: ChartPath, message: str, note: bool) -> None:
        """Record what a value replaces beside its layers."""
        if not note:
            self._report_new(path, message)
        else:
            source = self._source(path)
            self.problems.add(source, message, self.host.locate(source), self.host.name, note=True)

    def _named(self, places: Iterable[ValuePath]) -> str:
        """Return places in the inventory with file and line, for messages; three at most."""
        every = list(dict.fromkeys(places))
        # Defaults are only of interest where nothing else is.
        known = [place for place in every if place[0] in (*self.hub.explicit_options, *LAYERS)] or every
        origins = [(path_text(place), self.host.locate(place)) for place in known]
        return abbreviated([f"{text} ({origin})" if origin else text for text, origin in origins], 3)

    def _is_known(self, path: ChartPath) -> bool:
        """Tell whether a problem at this place, around or below it is known."""
        return any(known[: len(path)] == path[: len(known)] for known in self.reported)

    def _report_new(self, path: ChartPath, message: str) -> None:
        """Record a problem, unless one at this place, around or below it is known."""
        if not self._is_known(path):
            self._report(path, message)

    def _report(self, path: ChartPath, message: str) -> None:
        """Record a problem at a place in the chart's values, unless the value is encrypted and thus unknown."""
        self.reported.add(path)
        if _is_opaque(self.full, path):
            return
        if not self._is_ignored(path):
            self.broken.add(path)
        source = self._source(path)
        if source[0] in LAYERS:
            # The whole path, even where only a part of it exists: something is missing in it.
            self._add((source[0], *path), message, source, path)
        else:
            self._add(source, f"{message} ({path_text(path)} of the chart)", source, path)

    def _add(self, place: ValuePath, message: str, source: ValuePath, path: tuple[Any, ...]) -> None:
        self.problems.add(
            place,
            message,
            self.host.locate(source),
            self.host.name,
            ignorable_as="" if self._allows_everybody else path_text(path),
            ignored=self._is_ignored(path),
        )


def _is_opaque(values: Any, path: ChartPath) -> bool:
    """Tell whether the place ``path`` is encrypted, or inside of what is."""
    return any(isinstance(value_at(values, path[:length]), EncryptedValue) for length in range(1, len(path) + 1))
