# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check who may log in by JupyterHub's own configuration: ``hub.config`` of the chart.

Every problem is reported as (path below ``hub.config``, message); no message contains a secret.
"""

from __future__ import annotations

from typing import Any, Callable

from ...config_classes import Traits, chosen_authenticator, section_of

Report = Callable[[tuple[str, ...], str], None]

_AUTHENTICATOR = ("JupyterHub", "authenticator_class")
#: Effective settings: trait -> (path of the value, value).
_Settings = dict[str, tuple[tuple[str, ...], Any]]


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
            said = "authenticator_class" in section_of(config, "JupyterHub")
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


def _effective(chosen: str, config: dict[str, Any], traits: Traits) -> _Settings:
    """Return the settings of a class by their current names; its own section overrides those of its parents."""
    every = traits.of(chosen)
    settings: _Settings = {}
    for section in reversed(traits.sections(chosen)):
        for name, value in section_of(config, section).items():
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


def check_blocked_users(chosen: str, config: dict[str, Any], traits: Traits, report: Report) -> None:
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
