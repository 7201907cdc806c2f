# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate and apply KubeSpawner's profile list on a server. Pure functions.

Source of the schema: KubeSpawner 7, documentation of KubeSpawner.profile_list and its methods
_get_initialized_profile_list, _load_profile and _options_from_form. Errors list the possible choices.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

Profile = dict[str, Any]

ALLOWED = frozenset(
    {
        "image",
        "cpu_limit",
        "cpu_guarantee",
        "mem_limit",
        "mem_guarantee",
        "environment",
        "default_url",
    }
)
UNLISTED = "--unlisted-choice"
_MEMORY = re.compile(r"\d+(\.\d+)?[KMGT]?")


class ChoiceError(ValueError):
    """The user's choice is not possible; the text lists the possible ones."""


class ProfileError(ValueError):
    """The profile list is invalid; the text names the profile."""


def initialized(profile_list: Iterable[Mapping[str, Any]]) -> list[Profile]:
    """Return a copy with slugs, a default profile, and a default choice per option."""
    profiles = [copy.deepcopy(dict(profile)) for profile in profile_list]
    for profile in profiles:
        profile.setdefault("slug", slugify(str(profile.get("display_name", ""))))
        profile.setdefault("display_name", profile["slug"])
        options = profile["profile_options"] = profile.get("profile_options") or {}
        for name, option in options.items():
            option.setdefault("display_name", name)
            choices = option["choices"] = option.get("choices") or {}
            if choices and not any(choice.get("default") for choice in choices.values()):
                next(iter(choices.values()))["default"] = True
            option["unlisted_choice"] = {"enabled": False, **(option.get("unlisted_choice") or {})}
    if profiles and not any(profile.get("default") for profile in profiles):
        profiles[0]["default"] = True
    return profiles


def slugify(text: str) -> str:
    """Return the slug of a profile without one."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def validate(profile_list: Iterable[Mapping[str, Any]], environments: Collection[str]) -> None:
    """Raise ProfileError if a profile has overrides that a server does not support, or an unknown environment."""
    seen: set[str] = set()
    for profile in initialized(profile_list):
        place = f"profile {profile['slug']!r}"
        if not profile["slug"] or profile["slug"] in seen:
            raise ProfileError(f"{place}: every profile needs a unique slug or display_name")
        seen.add(profile["slug"])
        _validate_overrides(place, profile.get("kubespawner_override"), environments)
        for name, option in profile["profile_options"].items():
            here = f"{place}, option {name!r}"
            if name == "profile" or name.endswith(UNLISTED):
                raise ProfileError(f"{here}: this name of an option is reserved")
            if not option["choices"] and not option["unlisted_choice"]["enabled"]:
                raise ProfileError(f"{here}: there are no choices")
            for key, choice in option["choices"].items():
                _validate_overrides(f"{here}, choice {key!r}", choice.get("kubespawner_override"), environments)
            _validate_overrides(
                f"{here}, unlisted_choice",
                option["unlisted_choice"].get("kubespawner_override"),
                None,
            )


def _validate_overrides(place: str, overrides: Any, environments: Collection[str] | None) -> None:
    for key, value in (overrides or {}).items():
        if key not in ALLOWED:
            raise ProfileError(
                f"{place}: kubespawner_override {key!r} is not supported on a server; "
                f"possible: {', '.join(sorted(ALLOWED))}"
            )
        if key == "image" and environments is not None and value not in environments:
            raise ProfileError(
                f"{place}: environment {value!r} is not built on this machine; "
                f"possible: {', '.join(sorted(environments)) or 'none'}"
            )
        if key == "environment" and not all(isinstance(item, (str, int, float)) for item in value.values()):
            raise ProfileError(f"{place}: kubespawner_override 'environment' must contain text values only")
        if key.startswith("mem_") and not _is_memory(value) and environments is not None:
            raise ProfileError(f"{place}: {key} is {value!r}, expected bytes, or a string such as '2G'")


def _is_memory(value: Any) -> bool:
    if isinstance(value, str):
        return _MEMORY.fullmatch(value) is not None
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def choose(
    profile_list: Iterable[Mapping[str, Any]],
    user_options: Mapping[str, Any] | None,
    environments: Collection[str] = (),
) -> dict[str, Any]:
    """Return what the user's choice overrides, as {trait of the spawner: value}. Raises ChoiceError.

    user_options: {"profile": slug, option: choice, "<option>--unlisted-choice": text}; the default is chosen for what
    is missing.
    """
    profiles = initialized(profile_list)
    requested = {str(key): value for key, value in (user_options or {}).items() if value not in (None, "")}
    profile = _choose_profile(profiles, requested.pop("profile", None))
    options = profile["profile_options"] if profile else {}
    unknown = sorted(key for key in requested if key.removesuffix(UNLISTED) not in options)
    if unknown:
        raise ChoiceError(
            f"unknown option {', '.join(map(repr, unknown))}; possible: "
            f"{', '.join(['profile', *options]) if profiles else 'none'}"
        )
    overrides: dict[str, Any] = {}
    _merge(overrides, (profile or {}).get("kubespawner_override"))
    for name, option in options.items():
        _merge(overrides, _option_overrides(name, option, requested))
    image = overrides.get("image")
    if image is not None and image not in environments:
        raise ChoiceError(f"unknown environment {image!r}; possible: {', '.join(sorted(environments)) or 'none'}")
    return overrides


def _choose_profile(profiles: list[Profile], slug: Any) -> Profile | None:
    if slug is None:
        return next((profile for profile in profiles if profile.get("default")), None)
    for profile in profiles:
        if profile["slug"] == slug:
            return profile
    raise ChoiceError(
        f"unknown profile {slug!r}; possible: {', '.join(profile['slug'] for profile in profiles) or 'none'}"
    )


def _option_overrides(name: str, option: dict[str, Any], requested: Mapping[str, Any]) -> Mapping[str, Any] | None:
    choices, unlisted = option["choices"], option["unlisted_choice"]
    text = requested.get(name + UNLISTED)
    if text is not None:
        return _unlisted_overrides(name, unlisted, text, choices)
    key = requested.get(name)
    if key is None:
        key = next((each for each, choice in choices.items() if choice.get("default")), None)
        if key is None:
            raise ChoiceError(f"{name}: a value is required as {name}{UNLISTED}")
    if not isinstance(key, str) or key not in choices:
        raise ChoiceError(f"{name}: unknown choice {key!r}; possible: {', '.join(choices) or 'none'}")
    chosen: Mapping[str, Any] | None = choices[key].get("kubespawner_override")
    return chosen


def _unlisted_overrides(name: str, unlisted: dict[str, Any], text: Any, choices: Collection[str]) -> dict[str, Any]:
    if not unlisted["enabled"]:
        raise ChoiceError(f"{name}: an unlisted choice is not possible; possible: {', '.join(choices)}")
    pattern = unlisted.get("validation_regex")
    # the whole text must match, not only its beginning
    if not isinstance(text, str) or (pattern and not re.fullmatch(pattern, text)):
        raise ChoiceError(
            f"{name}: {text!r} is invalid; {unlisted.get('validation_message') or f'it must match {pattern}'}"
        )
    return {key: _fill(value, text) for key, value in (unlisted.get("kubespawner_override") or {}).items()}


def _fill(template: Any, text: str) -> Any:
    # not str.format, by which a template could read attributes
    if isinstance(template, str):
        return template.replace("{value}", text)
    if isinstance(template, dict):
        return {key: _fill(value, text) for key, value in template.items()}
    return template


def _merge(target: dict[str, Any], overrides: Mapping[str, Any] | None) -> None:
    for key, value in (overrides or {}).items():
        if key not in ALLOWED:
            raise ProfileError(f"kubespawner_override {key!r} is not supported on a server")
        if key == "environment":
            value = {**target.get(key, {}), **{name: str(item) for name, item in value.items()}}
        target[key] = value


def options_from_form(form: Mapping[str, list[str]]) -> dict[str, str]:
    """Return the user options in the fields of a form: those of the chosen profile, without empty ones."""
    slug = next(iter(form.get("profile") or []), "")
    if not slug:
        return {}
    prefix = f"profile-option-{slug}--"
    options = {"profile": slug}
    for name, values in form.items():
        if name.startswith(prefix) and values and values[0]:
            options[name.removeprefix(prefix)] = values[0]
    return options
