# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check JupyterHub's own configuration in the chart's values: ``hub.config``, class -> trait -> value.

JupyterHub only logs a name that it does not know, and starts; it refuses a value of a wrong type,
and does not start. Both are reported here, before anything changes. The rules are those of traitlets
(docs, "Configuration") and of the packages in the hub's image, as recorded with the chart.

Every problem is reported as (path below ``hub.config``, message); no message contains a secret.
"""

from __future__ import annotations

import math
from typing import Any, Callable

from ....schema.problems import nearest
from ....schema.units import MEMORY_UNITS
from ...config_classes import (
    CLASS_TRAITS,
    Trait,
    Traits,
    chosen_authenticator,
    nearest_name,
    section_of,
    section_traits,
    unknown_class_problem,
)
from .login_rules import check_blocked_users

Report = Callable[[tuple[str, ...], str], None]

_AUTHENTICATOR = ("JupyterHub", "authenticator_class")
SPAWNER = "KubeSpawner"
_MEMORY = "an amount of memory such as 512M or 2G (units: K, M, G, T; 1G is what Kubernetes calls 1Gi)"
_TYPE_NAMES = {
    "text": "text",
    "int": "a whole number",
    "number": "a number",
    "bool": "true or false",
    "list": "a list",
    "set": "a list",
    "dict": "a mapping",
}


def check_config(config: dict[str, Any], traits: Traits, report: Report) -> None:
    """Report unknown classes and traits, wrong types, and settings of an authenticator that is not in use."""
    chosen = chosen_authenticator(config, traits)
    for section, settings in config.items():
        if section not in traits.classes:
            _check_unknown_class(section, config, traits, report)
        elif not isinstance(settings, dict):
            report((section,), f"must be a mapping of traits to values, not {type_name(settings)}")
        else:
            _check_section(section, config, traits, report)
            if chosen is not None and _belongs_to_another(section, chosen, config, traits):
                report(
                    (section,),
                    f"has settings, but the hub's authenticator is {chosen}, which has none; "
                    f"set JupyterHub.authenticator_class to {_entry_point(section, traits)!r}, or remove them",
                )
    _check_authenticator_class(config, traits, report)
    if chosen is not None:
        check_blocked_users(chosen, config, traits, report)


def check_spawner(overrides: dict[str, Any], config: dict[str, Any], traits: Traits, report: Report) -> None:
    """Report unknown, removed and mistyped traits in overrides of KubeSpawner."""
    known, unknown_allowed = section_traits(SPAWNER, config, traits)
    _check_settings(SPAWNER, overrides, known, unknown_allowed, lambda path, message: report(path[1:], message))


def check_trait(value: Any, trait: Trait, report: Report) -> None:
    """Report a value that a trait does not take; ``report`` takes the place inside the value."""
    _check_value((), value, trait, report)


# --- Classes


def _check_unknown_class(section: str, config: dict[str, Any], traits: Traits, report: Report) -> None:
    """Report a section of an unknown class, unless it may belong to a class that the image adds."""
    message = unknown_class_problem(section, traits, _own_classes(config))
    if message:
        report((section,), message)


def _own_classes(config: dict[str, Any]) -> set[str]:
    """Return the names of the classes that are set by dotted path."""
    chosen = (section_of(config, "JupyterHub").get(chooser) for chooser in CLASS_TRAITS.values())
    return {str(path).rpartition(".")[2] for path in chosen if path}


def _check_authenticator_class(config: dict[str, Any], traits: Traits, report: Report) -> None:
    """Report an authenticator that does not exist."""
    value = section_of(config, "JupyterHub").get("authenticator_class")
    if not isinstance(value, str) or chosen_authenticator(config, traits):
        return
    if "." not in value:
        names = [name for name in traits.authenticators if "." not in name]
        report(_AUTHENTICATOR, f"unknown authenticator {value!r}{nearest(value, names)}")
        return
    near = nearest_name(value, traits.authenticators)
    # A custom module may have a similar name, but not in the same package.
    if near and value.partition(".")[0] == near.partition(".")[0]:
        report(_AUTHENTICATOR, f"unknown authenticator {value!r}; did you mean {near!r}?")


def _belongs_to_another(section: str, chosen: str, config: dict[str, Any], traits: Traits) -> bool:
    """Tell whether a section configures another authenticator while the chosen one has no settings but needs some.

    Additional settings of other authenticators are not an error: shared values may contain them.
    """
    if "Authenticator" not in traits.classes[section].parents or section in traits.sections(chosen):
        return False
    forgotten = "authenticator_class" not in section_of(config, "JupyterHub")
    # OAuth needs settings; PAM and TmpAuthenticator do not.
    needs_settings = forgotten or "client_secret" in traits.of(chosen)
    return needs_settings and bool(section_of(config, section)) and not section_of(config, chosen)


def _entry_point(name: str, traits: Traits) -> str:
    """Return the shortest authenticator_class for a class: its entry point if it has one."""
    points = [point for point, class_name in traits.authenticators.items() if class_name == name]
    return min(points, key=lambda point: ("." in point, point), default=name)


# --- Traits


def _check_section(section: str, config: dict[str, Any], traits: Traits, report: Report) -> None:
    """Report unknown, removed and mistyped traits of one section."""
    known, unknown_allowed = section_traits(section, config, traits)
    settings = {}
    for name, value in section_of(config, section).items():
        if name not in known and name in traits.classes:
            report((section, name), f"is a class: its section must be next to {section}, not inside")
        else:
            settings[name] = value
    _check_settings(section, settings, known, unknown_allowed, report)


def _check_settings(
    section: str, settings: dict[str, Any], known: dict[str, Trait], unknown_allowed: bool, report: Report
) -> None:
    for name, value in settings.items():
        trait = known.get(name)
        if trait is None:
            near = nearest_name(name, known)
            if near:
                report((section, name), f"{section} has no such trait; did you mean {near!r}?")
            elif not unknown_allowed:
                report((section, name), f"{section} has no such trait{nearest(name, known)}")
        elif trait.removed:
            report((section, name), f"was removed; use {trait.alias_of}")
        else:
            _check_value((section, name), value, trait, report)


def _check_value(path: tuple[str, ...], value: Any, trait: Trait, report: Report) -> None:
    """Report a value of the wrong type, without showing it."""
    if value is None and (trait.nullable or "any" in trait.types):
        return
    if not any(_accepts(name, value) for name in trait.types):
        found = "" if "memory" in trait.types and isinstance(value, str) else f", not {type_name(value)}"
        report(path, f"must be {_expected_types(trait, value)}{found}")
        return
    if trait.choices and not _is_choice(value, trait.choices):
        choices = [str(choice) for choice in trait.choices]
        report(path, f"must be one of {', '.join(choices)}{_did_you_mean(value, choices)}")
    if trait.elements is None:
        return
    if isinstance(value, list):
        for index, element in enumerate(value):
            _check_value((*path, str(index)), element, trait.elements, report)
    elif isinstance(value, dict):
        for key, element in value.items():
            _check_value((*path, str(key)), element, trait.elements, report)


def _accepts(name: str, value: Any) -> bool:
    """Tell whether a JSON value is of a type; JSON has no functions and no bytes."""
    if name == "any":
        return True
    if isinstance(value, bool):
        return name == "bool"
    if name == "memory":
        return _is_memory(value)
    if isinstance(value, int):
        # Traitlets accepts 1 and 0 for true and false.
        return name in ("int", "number") or (name == "bool" and value in (0, 1))
    if isinstance(value, float):
        return name == "number"
    if isinstance(value, str):
        return name == "text"
    if isinstance(value, list):
        return name in ("list", "set")
    return isinstance(value, dict) and name == "dict"


def _is_memory(value: Any) -> bool:
    """Tell whether JupyterHub reads a value as an amount of memory, as its ByteSpecification does."""
    if not isinstance(value, str):
        return isinstance(value, (int, float)) and value >= 0
    try:
        return 0 <= float(value[:-1]) < math.inf and value[-1] in MEMORY_UNITS
    except (ValueError, IndexError):
        return False


def _is_choice(value: Any, choices: tuple[Any, ...]) -> bool:
    """Tell whether a value is one of the choices, in any case, since some traits ignore it."""
    if isinstance(value, str):
        return value.lower() in {str(choice).lower() for choice in choices}
    return value in choices


def _expected_types(trait: Trait, value: Any) -> str:
    names = {**_TYPE_NAMES, "memory": _MEMORY}
    wanted = list(dict.fromkeys(names[name] for name in trait.types if name in names))
    if not wanted:
        return "a Python function, which only hub.extraConfig can set"
    quoted = isinstance(value, str) and value.lower() in ("true", "false", "yes", "no")
    return " or ".join(wanted) + (" without quotes" if quoted and "bool" in trait.types else "")


def type_name(value: Any) -> str:
    """Return the name of a JSON value's type, for messages."""
    if value is None:
        return "null"
    return next((text for name, text in _TYPE_NAMES.items() if _accepts(name, value)), "a value without a JSON type")


def _did_you_mean(value: Any, choices: list[str]) -> str:
    near = nearest_name(str(value), choices)
    return f"; did you mean {near!r}?" if near else ""
