# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Infer a hub's options from its Helm values.

Wrong results are harmless: reconcile.py removes every option that does not render to the same values.
"""

from __future__ import annotations

import re
from typing import Any

from ..platform.kubernetes.values.extension import SERVICE_KEYS
from ..platform.kubernetes.values.layers import Values
from ..platform.kubernetes.values.login import PEOPLE
from ..platform.kubernetes.values.settings import EGRESS, NETWORK, RULES
from ..platform.traits import trait_name
from ..schema.authenticators import AUTHENTICATORS, RULE_TRAITS, Authenticator
from ..schema.formatted_text import from_literal_variable
from ..schema.option import KUBERNETES
from ..schema.options import OPTIONS
from ..schema.units import format_duration
from .catalogues import Catalogues
from .infer_environments import infer_default_session
from .infer_storage import infer_storage
from .option_values import MISSING, accepts, chart_mapping, chart_value, renders_as, suboption

Variables = dict[str, Any]

_BUCKET = re.compile(r"((?:s3|gs|az|abfs)://\S+)/\$\(JUPYTERHUB_USER\)")
#: Options of RULES that are inferred by a function of their own.
_SEPARATE_OPTIONS = ("hub_environment_variables",)


def infer_options(values: Values, catalogues: Catalogues) -> Variables:
    """Return hub_* variables for as many values as possible, without profiles.

    Environments and sizes are added to ``catalogues``.
    """
    return {
        **_simple(values),
        **_culling(values),
        **_login(values),
        **infer_default_session(values, catalogues),
        **infer_storage(values),
        **_environment_variables(values),
        **_network(values),
        **_services(values),
        **_roles(values),
    }


def _simple(values: Values) -> Variables:
    """Options that are one value of the chart."""
    found: Variables = {}
    for rule in RULES:
        value = chart_value(values, rule.path)
        if value is MISSING or rule.option in _SEPARATE_OPTIONS:
            continue
        try:
            given = rule.from_chart(value)
        except ValueError:
            continue
        given = _duration(given) if OPTIONS[rule.option].kind == "duration" else given
        if renders_as(rule.option, given, value, rule.to_chart):
            found[rule.option] = given
    return found


def _duration(value: Any) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return format_duration(value) if whole and value >= 0 else value


def _culling(values: Values) -> Variables:
    timeout = chart_value(values, "cull.timeout")
    given = _duration(timeout)
    if timeout is not MISSING and timeout and renders_as("hub_idle_timeout", given, timeout):
        return {"hub_idle_timeout": given}
    never = chart_value(values, "cull.enabled") is False and timeout is MISSING
    return {"hub_idle_timeout": "never"} if never else {}


def _login(values: Values) -> Variables:
    """The authenticator, its settings, and who may log in."""
    found: Variables = {}
    for option, trait in PEOPLE.items():
        value = chart_value(values, f"hub.config.Authenticator.{trait}")
        if value is not MISSING and accepts(option, value):
            found[option] = value
    entry_point = chart_value(values, "hub.config.JupyterHub.authenticator_class")
    possible = [each for each in AUTHENTICATORS if each.works_on(KUBERNETES)]
    authenticator = next((each for each in possible if each.entry_point == entry_point), None)
    if authenticator is None:
        return found
    found["hub_authenticator"] = authenticator.name
    if authenticator.demonstration:
        # It accepts everybody already; the option only confirms it.
        found["hub_demonstration"] = True
    traits = dict(chart_mapping(values, f"hub.config.{authenticator.config_class}"))
    for option, trait in RULE_TRAITS.get(authenticator.name, {}).items():
        if trait in traits and traits[trait] and accepts(option, traits[trait]):
            found[option] = traits.pop(trait)
    settings = _settings(authenticator, traits)
    return {**found, "hub_authenticator_settings": settings} if settings else found


def _settings(authenticator: Authenticator, traits: Values) -> Values:
    """Return ``hub_authenticator_settings`` for traits; any trait of the class may be a setting."""
    known = {setting.name: setting for setting in authenticator.settings}
    names = {trait_name(authenticator.name, name): name for name in known}
    settings = {}
    for trait, value in traits.items():
        name = names.get(trait, trait)
        if trait_name(authenticator.name, name) == trait and (name not in known or accepts(known[name], value)):
            settings[name] = value
    return settings


def _environment_variables(values: Values) -> Variables:
    """Environment variables, and the buckets of users among them."""
    texts: dict[str, str] = {}
    buckets: dict[str, str] = {}
    for name, value in chart_mapping(values, "singleuser.extraEnv").items():
        if not isinstance(value, str):
            continue
        bucket = _BUCKET.fullmatch(value)
        option, entries = ("hub_buckets", buckets) if bucket else ("hub_environment_variables", texts)
        try:
            text = from_literal_variable(bucket[1] if bucket else value)
        except ValueError:
            continue
        if accepts(option, {name: text}):
            entries[name] = text
    found = {"hub_environment_variables": texts, "hub_buckets": buckets}
    return {option: entries for option, entries in found.items() if entries}


def _network(values: Values) -> Variables:
    rules = chart_mapping(values, EGRESS)
    found = {key: rules[name] for key, name in NETWORK.items() if isinstance(rules.get(name), bool)}
    return {"hub_user_egress": found} if found else {}


def _services(values: Values) -> Variables:
    """Services of which every key is an option."""
    keys = {name: key for key, name in SERVICE_KEYS.items()}
    found = []
    for name, service in chart_mapping(values, "hub.services").items():
        if isinstance(service, dict) and service and service.keys() <= keys.keys():
            # true is the default, which the option does not render.
            given = {keys[key]: value for key, value in service.items() if (key, value) != ("display", True)}
            entry = {"name": name, **given}
            if all(accepts(suboption("hub_services", key), value) for key, value in entry.items()):
                found.append(entry)
    return {"hub_services": found} if found else {}


def _roles(values: Values) -> Variables:
    """Roles of which every key is an option."""
    keys = {"description", "scopes", "users", "groups", "services"}
    found = []
    for name, role in chart_mapping(values, "hub.loadRoles").items():
        if isinstance(role, dict) and role.get("scopes") and role.keys() <= keys:
            entry = {"name": name, **role}
            if all(value and accepts(suboption("hub_roles", key), value) for key, value in entry.items()):
                found.append(entry)
    return {"hub_roles": found} if found else {}
