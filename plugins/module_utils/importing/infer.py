# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guess the options behind a hub's Helm values.

A wrong guess does no harm: exact.py takes back whatever does not give the same values again.
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
from ..schema.units import format_duration
from ..schema.validate import OPTIONS
from .catalogues import Catalogues
from .infer_software import guess_every_session
from .infer_storage import guess_storage
from .reconcile_values import MISSING, at, keeps, key_of, mapping_at, says

Variables = dict[str, Any]

_BUCKET = re.compile(r"((?:s3|gs|az|abfs)://\S+)/\$\(JUPYTERHUB_USER\)")
#: Options of RULES that need more than their rule.
_APART = ("hub_environment_variables",)


def guess(wanted: Values, catalogues: Catalogues) -> Variables:
    """Return hub_* variables that say as much of ``wanted`` as options can, without its profiles.

    Entries of catalogues are named in ``catalogues``.
    """
    return {
        **_simple(wanted),
        **_culling(wanted),
        **_login(wanted),
        **guess_every_session(wanted, catalogues),
        **guess_storage(wanted),
        **_environment_variables(wanted),
        **_network(wanted),
        **_services(wanted),
        **_roles(wanted),
    }


def _simple(wanted: Values) -> Variables:
    """Options that are one value of the chart."""
    found: Variables = {}
    for rule in RULES:
        value = at(wanted, rule.path)
        if value is MISSING or rule.ours or rule.option in _APART:
            continue
        try:
            given = rule.from_chart(value)
        except ValueError:
            continue
        given = _duration(given) if OPTIONS[rule.option].kind == "duration" else given
        if says(rule.option, given, value, rule.to_chart):
            found[rule.option] = given
    return found


def _duration(value: Any) -> Any:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return format_duration(value) if whole and value >= 0 else value


def _culling(wanted: Values) -> Variables:
    timeout = at(wanted, "cull.timeout")
    given = _duration(timeout)
    if timeout is not MISSING and timeout and says("hub_idle_timeout", given, timeout):
        return {"hub_idle_timeout": given}
    never = at(wanted, "cull.enabled") is False and timeout is MISSING
    return {"hub_idle_timeout": "never"} if never else {}


def _login(wanted: Values) -> Variables:
    """The authenticator, its settings, and who may log in."""
    found: Variables = {}
    for option, trait in PEOPLE.items():
        value = at(wanted, f"hub.config.Authenticator.{trait}")
        if value is not MISSING and keeps(option, value):
            found[option] = value
    entry_point = at(wanted, "hub.config.JupyterHub.authenticator_class")
    authenticator = next((each for each in AUTHENTICATORS if each.entry_point == entry_point), None)
    if authenticator is None:
        return found
    found["hub_authenticator"] = authenticator.name
    if authenticator.demonstration:
        # It lets anyone in already; the option only says so.
        found["hub_demonstration"] = True
    traits = dict(mapping_at(wanted, f"hub.config.{authenticator.config_class}"))
    for option, trait in RULE_TRAITS.get(authenticator.name, {}).items():
        if trait in traits and traits[trait] and keeps(option, traits[trait]):
            found[option] = traits.pop(trait)
    settings = _settings(authenticator, traits)
    return {**found, "hub_authenticator_settings": settings} if settings else found


def _settings(authenticator: Authenticator, traits: Values) -> Values:
    """Return the settings that traits are; any trait of the class may be one."""
    known = {setting.name: setting for setting in authenticator.settings}
    names = {trait_name(authenticator.name, name): name for name in known}
    settings = {}
    for trait, value in traits.items():
        name = names.get(trait, trait)
        if trait_name(authenticator.name, name) == trait and (name not in known or keeps(known[name], value)):
            settings[name] = value
    return settings


def _environment_variables(wanted: Values) -> Variables:
    """Texts, and the buckets of users among them."""
    texts: dict[str, str] = {}
    buckets: dict[str, str] = {}
    for name, value in mapping_at(wanted, "singleuser.extraEnv").items():
        bucket = _BUCKET.fullmatch(value) if isinstance(value, str) else None
        if bucket and keeps("hub_buckets", {name: bucket[1]}):
            buckets[name] = bucket[1]
        elif isinstance(value, str) and keeps("hub_environment_variables", {name: value}):
            texts[name] = value
    found = {"hub_environment_variables": texts, "hub_buckets": buckets}
    return {option: entries for option, entries in found.items() if entries}


def _network(wanted: Values) -> Variables:
    rules = mapping_at(wanted, EGRESS)
    found = {key: rules[name] for key, name in NETWORK.items() if isinstance(rules.get(name), bool)}
    return {"hub_user_egress": found} if found else {}


def _services(wanted: Values) -> Variables:
    """Services of which every key is an option."""
    keys = {name: key for key, name in SERVICE_KEYS.items()}
    found = []
    for name, service in mapping_at(wanted, "hub.services").items():
        if isinstance(service, dict) and service and service.keys() <= keys.keys():
            # true is what it is without, and the chart is not told.
            given = {keys[key]: value for key, value in service.items() if (key, value) != ("display", True)}
            entry = {"name": name, **given}
            if all(keeps(key_of("hub_services", key), value) for key, value in entry.items()):
                found.append(entry)
    return {"hub_services": found} if found else {}


def _roles(wanted: Values) -> Variables:
    """Roles of which every key is an option."""
    keys = {"description", "scopes", "users", "groups", "services"}
    found = []
    for name, role in mapping_at(wanted, "hub.loadRoles").items():
        if isinstance(role, dict) and role.get("scopes") and role.keys() <= keys:
            entry = {"name": name, **role}
            if all(value and keeps(key_of("hub_roles", key), value) for key, value in entry.items()):
                found.append(entry)
    return {"hub_roles": found} if found else {}
