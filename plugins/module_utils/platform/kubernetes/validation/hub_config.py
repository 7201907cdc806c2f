# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check JupyterHub's own configuration in the chart's values: ``hub.config``, class -> trait -> value.

JupyterHub only logs a name that it does not know, and starts; it refuses a value of a wrong type,
and does not start. Both are found here, before anything is touched. Rules are those of traitlets
(docs, "Configuration") and of the packages in the hub's image, as recorded with the chart.

Every problem is reported as (path below ``hub.config``, message); no message holds a secret.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Callable

from ....schema.problems import nearest
from ..chart.recorded import Trait, Traits

Report = Callable[[tuple[str, ...], str], None]

#: Which trait of JupyterHub chooses the class of a family, by the class that all in it inherit from.
_CHOOSERS = {"Authenticator": "authenticator_class", "Spawner": "spawner_class", "Proxy": "proxy_class"}
_AUTHENTICATOR = ("JupyterHub", "authenticator_class")
SPAWNER = "KubeSpawner"
#: What an effective setting is made of: (path of the value, value).
_Settings = dict[str, tuple[tuple[str, ...], Any]]
#: How alike two names must be for one to be a misspelling where unknown names may be right.
_NEAR = 0.8
_SPOKEN = {
    "text": "text",
    "int": "a whole number",
    "number": "a number",
    "bool": "true or false",
    "list": "a list",
    "set": "a list",
    "dict": "a mapping",
}


def check_config(config: dict[str, Any], traits: Traits, report: Report) -> None:
    """Report unknown classes and traits, wrong types, and settings of an authenticator that is not chosen."""
    chosen = chosen_authenticator(config, traits)
    for section, settings in config.items():
        if section not in traits.classes:
            _check_unknown_class(section, config, traits, report)
        elif not isinstance(settings, dict):
            report((section,), f"must be a mapping of traits to values, not {_spoken(settings)}")
        else:
            _check_section(section, config, traits, report)
            if chosen is not None and _belongs_to_another(section, chosen, config, traits):
                report(
                    (section,),
                    f"has settings, but the hub's authenticator is {chosen}, which has none; "
                    f"set JupyterHub.authenticator_class to {_entry_point(section, traits)!r}, or remove them",
                )
    _check_authenticator_class(config, traits, report)


def check_spawner(overrides: dict[str, Any], config: dict[str, Any], traits: Traits, report: Report) -> None:
    """Report unknown, removed and mistyped traits in what is set on KubeSpawner for one choice of a user's."""
    known, others_too = _traits_of(SPAWNER, config, traits)
    _check_settings(SPAWNER, overrides, known, others_too, lambda path, message: report(path[1:], message))


def check_login(
    config: dict[str, Any],
    traits: Traits,
    report: Report,
    demonstration: bool = False,
    complete: bool = True,
    ways: str = "",
    named: Callable[[tuple[str, ...]], str] = lambda path: path[-1],
) -> None:
    """Report a hub that nobody or anybody can log in to, and rules that another rule makes useless.

    demonstration: anybody is meant to.
    complete: False where files with secrets, which may hold rules too, are still to be brought; then
        nobody is found missing.
    ways: names of what can let people in, where that is not traits.
    named: returns what people call the trait at a path.
    Rules are those of JupyterHub 5 (docs, "Authentication: allowing and blocking access") and of
    check_allowed in OAuthenticator. What a class of the hub's own does is not known, so not judged.
    """
    chosen = chosen_authenticator(config, traits)
    if chosen is None or chosen == "NullAuthenticator":  # which is there to let nobody log in
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
        _check_somebody(chosen, settings, rules, traits, report, ways)
    _check_useless(settings, rules, report, named)


def chosen_authenticator(config: dict[str, Any], traits: Traits) -> str | None:
    """Return the name of the class that users log in with; None if it is not one of the image's own.

    Without authenticator_class it is the chart's default, dummy.
    """
    if not isinstance(config.get("JupyterHub", {}), dict):
        return None
    value = _section(config, "JupyterHub").get("authenticator_class", "dummy")
    if not isinstance(value, str):
        return None
    # Entry points are found in any case (jupyterhub.traitlets.EntryPointType), dotted paths are not.
    return traits.authenticators.get(value if "." in value else value.lower())


def _section(config: dict[str, Any], name: str) -> dict[str, Any]:
    settings = config.get(name)
    return settings if isinstance(settings, dict) else {}


# --- Classes


def _check_unknown_class(section: str, config: dict[str, Any], traits: Traits, report: Report) -> None:
    """Report a section that no class reads, if it is surely a mistake: images may bring classes of their own."""
    if not section[:1].isupper():
        report((section,), f"is not a class: class names begin with a capital letter{nearest(section, traits.classes)}")
        return
    known = {name.lower(): name for name in traits.classes}
    if section.lower() in known:
        report((section,), f"unknown class; did you mean {known[section.lower()]!r}?")
        return
    # Hubs' own classes are usually named after the one they extend: CustomGitHubOAuthenticator.
    if section in _own_classes(config) or any(map(section.endswith, traits.classes)):
        return
    near = _near(section, traits.classes)
    if near:
        report((section,), f"unknown class; did you mean {near!r}?")


def _own_classes(config: dict[str, Any]) -> set[str]:
    """Return the names of the classes that the hub is told to use by dotted path."""
    chosen = (_section(config, "JupyterHub").get(chooser) for chooser in _CHOOSERS.values())
    return {str(path).rpartition(".")[2] for path in chosen if path}


def _check_authenticator_class(config: dict[str, Any], traits: Traits, report: Report) -> None:
    """Report an authenticator that JupyterHub would not find."""
    value = _section(config, "JupyterHub").get("authenticator_class")
    if not isinstance(value, str) or chosen_authenticator(config, traits):
        return
    if "." not in value:
        names = [name for name in traits.authenticators if "." not in name]
        report(_AUTHENTICATOR, f"unknown authenticator {value!r}{nearest(value, names)}")
        return
    near = _near(value, traits.authenticators)
    # A module of the hub's own may be named like one of the packages, but not like one of their modules.
    if near and value.partition(".")[0] == near.partition(".")[0]:
        report(_AUTHENTICATOR, f"unknown authenticator {value!r}; did you mean {near!r}?")


def _belongs_to_another(section: str, chosen: str, config: dict[str, Any], traits: Traits) -> bool:
    """Whether a section holds settings of an authenticator while the chosen one lacks those that it needs.

    Settings of other authenticators besides are no mistake: common values hold them for every hub
    that does not choose another one.
    """
    if "Authenticator" not in traits.classes[section].parents or section in traits.sections(chosen):
        return False
    forgotten = "authenticator_class" not in _section(config, "JupyterHub")
    # OAuth cannot do without settings; PAM or the temporary users of TmpAuthenticator can.
    needs_settings = forgotten or "client_secret" in traits.of(chosen)
    return needs_settings and bool(_section(config, section)) and not _section(config, chosen)


def _entry_point(name: str, traits: Traits) -> str:
    """Return the shortest way to say authenticator_class: an entry point if the class has one."""
    ways = [way for way, class_name in traits.authenticators.items() if class_name == name]
    return min(ways, key=lambda way: ("." in way, way), default=name)


# --- Traits


def _traits_of(section: str, config: dict[str, Any], traits: Traits) -> tuple[dict[str, Trait], bool]:
    """Return the traits that a section may hold, and whether unknown ones may be right as well.

    A class reads the sections of all its parents and takes from them whatever trait it has
    (traitlets' Configurable._load_config): KubeSpawner.image may stand under Spawner. So a section
    may hold the traits of the classes in use that inherit from it.
    """
    heirs = traits.heirs(section)
    family = next((root for root in _CHOOSERS if root in traits.sections(section)), None)
    unknown_class_in_use = False
    if family == "Authenticator":
        chosen = chosen_authenticator(config, traits)
        unknown_class_in_use = chosen is None
        if chosen is not None:
            heirs = [heir for heir in heirs if heir in traits.sections(chosen)]
    elif family is not None:
        name = str(_section(config, "JupyterHub").get(_CHOOSERS[family]) or "")
        unknown_class_in_use = "." in name and name.rpartition(".")[2] not in traits.classes
    allowed: dict[str, Trait] = {}
    for name in (*heirs, section):
        allowed.update(traits.of(name))
    return allowed, unknown_class_in_use


def _check_section(section: str, config: dict[str, Any], traits: Traits, report: Report) -> None:
    """Report unknown, removed and mistyped traits of one section."""
    known, others_too = _traits_of(section, config, traits)
    settings = {}
    for name, value in _section(config, section).items():
        if name not in known and name in traits.classes:
            report((section, name), f"is a class: its settings stand beside {section}, not in it")
        else:
            settings[name] = value
    _check_settings(section, settings, known, others_too, report)


def _check_settings(
    section: str, settings: dict[str, Any], known: dict[str, Trait], others_too: bool, report: Report
) -> None:
    for name, value in settings.items():
        trait = known.get(name)
        if trait is None:
            near = _near(name, known)
            if near:
                report((section, name), f"{section} has no such trait; did you mean {near!r}?")
            elif not others_too:
                report((section, name), f"{section} has no such trait{nearest(name, known)}")
        elif trait.removed:
            report((section, name), f"was removed; use {trait.alias_of}")
        else:
            _check_value((section, name), value, trait, report)


def _check_value(path: tuple[str, ...], value: Any, trait: Trait, report: Report) -> None:
    """Report a value that a trait does not take, without showing it."""
    if value is None and (trait.nullable or "any" in trait.types):
        return
    if not any(_takes(name, value) for name in trait.types):
        report(path, f"must be {_wanted(trait, value)}, not {_spoken(value)}")
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


def _takes(name: str, value: Any) -> bool:
    """Whether a JSON value is of a type; nothing in JSON is a function or bytes."""
    if name == "any":
        return True
    if isinstance(value, bool):
        return name == "bool"
    if isinstance(value, int):
        # Traitlets takes 1 and 0 for true and false.
        return name in ("int", "number") or (name == "bool" and value in (0, 1))
    if isinstance(value, float):
        return name == "number"
    if isinstance(value, str):
        return name == "text"
    if isinstance(value, list):
        return name in ("list", "set")
    return isinstance(value, dict) and name == "dict"


def _is_choice(value: Any, choices: tuple[Any, ...]) -> bool:
    """Whether a value is one of the choices; some traits do not look at the case, so it is not looked at."""
    if isinstance(value, str):
        return value.lower() in {str(choice).lower() for choice in choices}
    return value in choices


def _wanted(trait: Trait, value: Any) -> str:
    wanted = list(dict.fromkeys(_SPOKEN[name] for name in trait.types if name in _SPOKEN))
    if not wanted:
        return "a Python function, which only hub.extraConfig can set"
    quoted = isinstance(value, str) and value.lower() in ("true", "false", "yes", "no")
    return " or ".join(wanted) + (" without quotes" if quoted and "bool" in trait.types else "")


def _spoken(value: Any) -> str:
    if value is None:
        return "null"
    return next(text for name, text in _SPOKEN.items() if _takes(name, value))


def _near(name: str, known: Iterable[str]) -> str | None:
    close = difflib.get_close_matches(str(name), list(known), n=1, cutoff=_NEAR)
    return close[0] if close else None


def _did_you_mean(value: Any, choices: list[str]) -> str:
    near = _near(str(value), choices)
    return f"; did you mean {near!r}?" if near else ""


# --- Who may log in


def _effective(chosen: str, config: dict[str, Any], traits: Traits) -> _Settings:
    """Return the settings of a class by their present names; its own section wins over those of its parents."""
    every = traits.of(chosen)
    settings: _Settings = {}
    for section in reversed(traits.sections(chosen)):
        for name, value in _section(config, section).items():
            trait = every.get(name)
            if trait is None or not trait.removed:
                settings[trait.alias_of if trait and trait.alias_of else name] = ((section, name), value)
    return settings


def _check_somebody(
    chosen: str, settings: _Settings, rules: _Settings, traits: Traits, report: Report, ways: str
) -> None:
    """Report a hub where no rule lets anyone in."""
    # JupyterHub's own way to say that something else, such as a hook, decides.
    if settings.get("any_allow_config", ((), False))[1]:
        return
    if "allow_all" not in rules and traits.classes[chosen].allows_all:
        return
    if any(_lets_in(name, value) for name, (_path, value) in rules.items()):
        return
    # Only OAuthenticator lets in admins whom no other rule lets in.
    admins = "OAuthenticator" in traits.classes[chosen].parents and any(
        name.startswith("admin_") and value for name, (_path, value) in settings.items()
    )
    names = sorted(name for name, trait in traits.of(chosen).items() if trait.rule and not trait.alias_of)
    spoken = ["allow_all or allowed_domains in idps" if name == "idps" else name for name in names]
    ways = ways or f"{', '.join(spoken)} of {chosen}"
    report(
        _AUTHENTICATOR,
        f"nobody{' but admins' if admins else ''} is allowed to log in; set one of {ways}; "
        "or any_allow_config, if Python in hub.extraConfig decides",
    )


def _lets_in(name: str, value: Any) -> bool:
    """Whether a rule lets anybody in. CILogon's are in the settings of each identity provider."""
    if name != "idps" or not isinstance(value, dict):
        return bool(value)
    return any(_provider_rule(provider, "allow_all", "allowed_domains") for provider in value.values())


def _provider_rule(provider: Any, *names: str) -> bool:
    return isinstance(provider, dict) and any(provider.get(name) for name in names)


def _check_useless(
    settings: _Settings, rules: _Settings, report: Report, named: Callable[[tuple[str, ...]], str]
) -> None:
    """Report who is named in vain, since allow_all lets everyone in."""
    place, everyone = settings.get("allow_all", (("allow_all",), False))
    message = f"has no effect, since {named(place)} allows everyone; remove one of them"
    for name, (path, value) in rules.items():
        if name == "idps" and isinstance(value, dict):
            for provider, its_settings in value.items():
                if _provider_rule(its_settings, "allowed_domains") and (
                    everyone or _provider_rule(its_settings, "allow_all")
                ):
                    report((*path, str(provider), "allowed_domains"), message)
        elif everyone and value and name.startswith("allowed_"):
            report(path, message)
