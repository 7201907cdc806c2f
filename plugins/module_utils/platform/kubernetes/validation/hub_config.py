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

import difflib
import math
from collections.abc import Iterable
from typing import Any, Callable

from ....schema.problems import nearest
from ....schema.units import MEMORY_UNITS
from ..chart.recorded import Trait, Traits

Report = Callable[[tuple[str, ...], str], None]

#: Base class -> the trait of JupyterHub that selects one of its subclasses.
_CLASS_TRAITS = {"Authenticator": "authenticator_class", "Spawner": "spawner_class", "Proxy": "proxy_class"}
_AUTHENTICATOR = ("JupyterHub", "authenticator_class")
SPAWNER = "KubeSpawner"
#: Effective settings: trait -> (path of the value, value).
_Settings = dict[str, tuple[tuple[str, ...], Any]]
#: How similar an unknown name must be to be a misspelling, where unknown names may be valid.
_SIMILARITY = 0.8
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
        _check_blocked_users(chosen, config, traits, report)


def check_spawner(overrides: dict[str, Any], config: dict[str, Any], traits: Traits, report: Report) -> None:
    """Report unknown, removed and mistyped traits in overrides of KubeSpawner."""
    known, unknown_allowed = _traits_of(SPAWNER, config, traits)
    _check_settings(SPAWNER, overrides, known, unknown_allowed, lambda path, message: report(path[1:], message))


def check_trait(value: Any, trait: Trait, report: Report) -> None:
    """Report a value that a trait does not take; ``report`` takes the place inside the value."""
    _check_value((), value, trait, report)


def check_login(
    config: dict[str, Any],
    traits: Traits,
    report: Report,
    demonstration: bool = False,
    complete: bool = True,
    allow_options: str = "",
    name_of: Callable[[tuple[str, ...]], str] = lambda path: path[-1],
) -> None:
    """Report a hub that allows nobody or anybody to log in, and rules without effect.

    demonstration: anybody is intended.
    complete: False where secrets are pending, which may contain rules, so that missing rules are not reported.
    allow_options: names of the options that can allow users, "" for traits.
    name_of: returns the name of the trait at a path, for messages.
    The rules are those of JupyterHub 5 (docs, "Authentication: allowing and blocking access") and of
    check_allowed in OAuthenticator. Classes that are not in the image are not checked.
    """
    chosen = chosen_authenticator(config, traits)
    if chosen is None or chosen == "NullAuthenticator":  # its purpose is that nobody can log in
        return
    if chosen == "DummyAuthenticator":
        if not demonstration:
            said = "authenticator_class" in _section(config, "JupyterHub")
            subject = "dummy allows" if said else "is not set, and the chart's default, dummy, allows"
            report(_AUTHENTICATOR, f"{subject} anybody to log in as anybody; choose another authenticator")
        return
    settings = _effective(chosen, config, traits)
    rules = {
        name: settings[name]
        for name, trait in traits.of(chosen).items()
        if trait.rule and not trait.alias_of and name in settings
    }
    if complete:
        _check_allowed(chosen, settings, rules, traits, report, allow_options)
    _check_ineffective_rules(settings, rules, report, name_of)


def chosen_authenticator(config: dict[str, Any], traits: Traits) -> str | None:
    """Return the name of the authenticator's class; None if it is not in the image. The chart's default is dummy."""
    if not isinstance(config.get("JupyterHub", {}), dict):
        return None
    value = _section(config, "JupyterHub").get("authenticator_class", "dummy")
    if not isinstance(value, str):
        return None
    # Entry points are case-insensitive (jupyterhub.traitlets.EntryPointType), dotted paths are not.
    return traits.authenticators.get(value if "." in value else value.lower())


def _section(config: dict[str, Any], name: str) -> dict[str, Any]:
    settings = config.get(name)
    return settings if isinstance(settings, dict) else {}


# --- Classes


def _check_unknown_class(section: str, config: dict[str, Any], traits: Traits, report: Report) -> None:
    """Report a section of an unknown class, unless it may belong to a class that the image adds."""
    if not section[:1].isupper():
        report((section,), f"is not a class: class names begin with a capital letter{nearest(section, traits.classes)}")
        return
    known = {name.lower(): name for name in traits.classes}
    if section.lower() in known:
        report((section,), f"unknown class; did you mean {known[section.lower()]!r}?")
        return
    # Custom classes are usually name_of after their base class: CustomGitHubOAuthenticator.
    if section in _own_classes(config) or any(map(section.endswith, traits.classes)):
        return
    near = _nearest_name(section, traits.classes)
    if near:
        report((section,), f"unknown class; did you mean {near!r}?")


def _own_classes(config: dict[str, Any]) -> set[str]:
    """Return the names of the classes that are set by dotted path."""
    chosen = (_section(config, "JupyterHub").get(chooser) for chooser in _CLASS_TRAITS.values())
    return {str(path).rpartition(".")[2] for path in chosen if path}


def _check_authenticator_class(config: dict[str, Any], traits: Traits, report: Report) -> None:
    """Report an authenticator that does not exist."""
    value = _section(config, "JupyterHub").get("authenticator_class")
    if not isinstance(value, str) or chosen_authenticator(config, traits):
        return
    if "." not in value:
        names = [name for name in traits.authenticators if "." not in name]
        report(_AUTHENTICATOR, f"unknown authenticator {value!r}{nearest(value, names)}")
        return
    near = _nearest_name(value, traits.authenticators)
    # A custom module may have a similar name, but not in the same package.
    if near and value.partition(".")[0] == near.partition(".")[0]:
        report(_AUTHENTICATOR, f"unknown authenticator {value!r}; did you mean {near!r}?")


def _belongs_to_another(section: str, chosen: str, config: dict[str, Any], traits: Traits) -> bool:
    """Tell whether a section configures another authenticator while the chosen one has no settings but needs some.

    Additional settings of other authenticators are not an error: shared values may contain them.
    """
    if "Authenticator" not in traits.classes[section].parents or section in traits.sections(chosen):
        return False
    forgotten = "authenticator_class" not in _section(config, "JupyterHub")
    # OAuth needs settings; PAM and TmpAuthenticator do not.
    needs_settings = forgotten or "client_secret" in traits.of(chosen)
    return needs_settings and bool(_section(config, section)) and not _section(config, chosen)


def _entry_point(name: str, traits: Traits) -> str:
    """Return the shortest authenticator_class for a class: its entry point if it has one."""
    points = [point for point, class_name in traits.authenticators.items() if class_name == name]
    return min(points, key=lambda point: ("." in point, point), default=name)


# --- Traits


def _traits_of(section: str, config: dict[str, Any], traits: Traits) -> tuple[dict[str, Trait], bool]:
    """Return the traits that a section may have, and whether unknown ones are allowed as well.

    A class reads the sections of all its parents (traitlets' Configurable._load_config): KubeSpawner.image may be in
    the section Spawner. So a section may have the traits of the classes in use that inherit from it.
    """
    subclasses = traits.subclasses(section)
    family = next((root for root in _CLASS_TRAITS if root in traits.sections(section)), None)
    unknown_class_in_use = False
    if family == "Authenticator":
        chosen = chosen_authenticator(config, traits)
        unknown_class_in_use = chosen is None
        if chosen is not None:
            subclasses = [heir for heir in subclasses if heir in traits.sections(chosen)]
    elif family is not None:
        name = str(_section(config, "JupyterHub").get(_CLASS_TRAITS[family]) or "")
        unknown_class_in_use = "." in name and name.rpartition(".")[2] not in traits.classes
    allowed: dict[str, Trait] = {}
    for name in (*subclasses, section):
        allowed.update(traits.of(name))
    return allowed, unknown_class_in_use


def _check_section(section: str, config: dict[str, Any], traits: Traits, report: Report) -> None:
    """Report unknown, removed and mistyped traits of one section."""
    known, unknown_allowed = _traits_of(section, config, traits)
    settings = {}
    for name, value in _section(config, section).items():
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
            near = _nearest_name(name, known)
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


def _nearest_name(name: str, known: Iterable[str]) -> str | None:
    close = difflib.get_close_matches(str(name), list(known), n=1, cutoff=_SIMILARITY)
    return close[0] if close else None


def _did_you_mean(value: Any, choices: list[str]) -> str:
    near = _nearest_name(str(value), choices)
    return f"; did you mean {near!r}?" if near else ""


# --- Who may log in


def _effective(chosen: str, config: dict[str, Any], traits: Traits) -> _Settings:
    """Return the settings of a class by their current names; its own section overrides those of its parents."""
    every = traits.of(chosen)
    settings: _Settings = {}
    for section in reversed(traits.sections(chosen)):
        for name, value in _section(config, section).items():
            trait = every.get(name)
            if trait is None or not trait.removed:
                settings[trait.alias_of if trait and trait.alias_of else name] = ((section, name), value)
    return settings


def _check_allowed(
    chosen: str, settings: _Settings, rules: _Settings, traits: Traits, report: Report, allow_options: str
) -> None:
    """Report a hub where no rule allows anyone."""
    # Set where something else, such as a hook, decides.
    if settings.get("any_allow_config", ((), False))[1]:
        return
    if "allow_all" not in rules and traits.classes[chosen].allows_all:
        return
    if any(_allows(name, value) for name, (_path, value) in rules.items()):
        return
    # Only OAuthenticator allows admins without another rule.
    admins = "OAuthenticator" in traits.classes[chosen].parents and any(
        name.startswith("admin_") and value for name, (_path, value) in settings.items()
    )
    names = sorted(name for name, trait in traits.of(chosen).items() if trait.rule and not trait.alias_of)
    described = ["allow_all or allowed_domains in idps" if name == "idps" else name for name in names]
    allow_options = allow_options or f"{', '.join(described)} of {chosen}"
    report(
        _AUTHENTICATOR,
        f"nobody{' but admins' if admins else ''} is allowed to log in; set one of {allow_options}; "
        "or any_allow_config, if Python in hub.extraConfig decides",
    )


def _allows(name: str, value: Any) -> bool:
    """Tell whether a rule allows anybody. CILogon has rules in the settings of each identity provider."""
    if name != "idps" or not isinstance(value, dict):
        return bool(value)
    return any(_provider_rule(provider, "allow_all", "allowed_domains") for provider in value.values())


def _provider_rule(provider: Any, *names: str) -> bool:
    return isinstance(provider, dict) and any(provider.get(name) for name in names)


def _check_ineffective_rules(
    settings: _Settings, rules: _Settings, report: Report, name_of: Callable[[tuple[str, ...]], str]
) -> None:
    """Report rules without effect, since allow_all allows everyone."""
    place, everyone = settings.get("allow_all", (("allow_all",), False))
    message = f"has no effect, since {name_of(place)} allows everyone; remove one of them"
    for name, (path, value) in rules.items():
        if name == "idps" and isinstance(value, dict):
            for provider, its_settings in value.items():
                if _provider_rule(its_settings, "allowed_domains") and (
                    everyone or _provider_rule(its_settings, "allow_all")
                ):
                    report((*path, str(provider), "allowed_domains"), message)
        elif everyone and value and name.startswith("allowed_"):
            report(path, message)


def _check_blocked_users(chosen: str, config: dict[str, Any], traits: Traits, report: Report) -> None:
    """Report names that block nobody: JupyterHub compares them with normalized names, without normalizing them.

    Source: check_blocked_users and normalize_username in jupyterhub.auth, and the classes that override the latter.
    """
    settings = _effective(chosen, config, traits)
    path, names = settings.get("blocked_users", ((), ()))
    others = settings.get("username_map", ((), {}))[1]
    if chosen == "MWOAuthenticator" or settings.get("pam_normalize_username", ((), False))[1]:
        return
    for index, name in enumerate(names if isinstance(names, list) else ()):
        mapped = isinstance(others, dict) and name in others.values()
        if isinstance(name, str) and name != name.lower() and not mapped:
            message = f"{name!r} blocks nobody, since JupyterHub changes names to lower case; write {name.lower()!r}"
            report((*path, str(index)), message)
