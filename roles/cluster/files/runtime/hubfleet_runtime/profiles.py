# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of profiles users choose from, with KubeSpawner's meaning, for a server.

Pure functions. Source of the schema: KubeSpawner 7, documentation of KubeSpawner.profile_list and
its methods _get_initialized_profile_list, _load_profile and _options_from_form. Where KubeSpawner
lets a wrong choice end in an error of the hub, this says what can be chosen.
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
    """The user asked for something that cannot be chosen; the text says what can be."""


class ProfileError(ValueError):
    """The list of profiles itself is wrong; the text names the place."""


def initialized(profile_list: Iterable[Mapping[str, Any]]) -> list[Profile]:
    """A copy with all filled in: slugs, a default profile, a default choice per option."""
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
    """The slug of a profile that has none: its name in lower case, words joined by hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def validate(profile_list: Iterable[Mapping[str, Any]], environments: Collection[str]) -> None:
    """ProfileError when a profile asks for what a server cannot give, or for what is not built.

    Nothing is ignored silently: a limit that is written down and not applied would mislead.
    """
    seen: set[str] = set()
    for profile in initialized(profile_list):
        place = f"profile {profile['slug']!r}"
        if not profile["slug"] or profile["slug"] in seen:
            raise ProfileError(f"{place}: every profile needs a slug or display_name of its own")
        seen.add(profile["slug"])
        _validate_overrides(place, profile.get("kubespawner_override"), environments)
        for name, option in profile["profile_options"].items():
            here = f"{place}, option {name!r}"
            if name == "profile" or name.endswith(UNLISTED):
                raise ProfileError(f"{here}: an option cannot have this name")
            if not option["choices"] and not option["unlisted_choice"]["enabled"]:
                raise ProfileError(f"{here}: there is nothing to choose")
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
                f"{place}: kubespawner_override {key!r} has no meaning on a server; "
                f"possible: {', '.join(sorted(ALLOWED))}"
            )
        if key == "image" and environments is not None and value not in environments:
            raise ProfileError(
                f"{place}: environment {value!r} is not built on this machine; "
                f"there are: {', '.join(sorted(environments)) or 'none'}"
            )
        if key == "environment" and not all(isinstance(item, (str, int, float)) for item in value.values()):
            raise ProfileError(f"{place}: kubespawner_override 'environment' must hold text values only")
        if key.startswith("mem_") and not _is_memory(value) and environments is not None:
            raise ProfileError(f"{place}: {key} is {value!r}, expected bytes, or a text like '2G'")


def _is_memory(value: Any) -> bool:
    if isinstance(value, str):
        return _MEMORY.fullmatch(value) is not None
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def choose(
    profile_list: Iterable[Mapping[str, Any]],
    user_options: Mapping[str, Any] | None,
    environments: Collection[str] = (),
) -> dict[str, Any]:
    """What the user's choice overrides, as {trait of the spawner: value}.

    user_options is {"profile": slug, option: choice, "<option>--unlisted-choice": text}; what is
    left out is chosen by default. ChoiceError lists what there is.
    """
    profiles = initialized(profile_list)
    asked = {str(key): value for key, value in (user_options or {}).items() if value not in (None, "")}
    profile = _choose_profile(profiles, asked.pop("profile", None))
    options = profile["profile_options"] if profile else {}
    unknown = sorted(key for key in asked if key.removesuffix(UNLISTED) not in options)
    if unknown:
        raise ChoiceError(
            f"no option {', '.join(map(repr, unknown))}; there are: "
            f"{', '.join(['profile', *options]) if profiles else 'none'}"
        )
    overrides: dict[str, Any] = {}
    _merge(overrides, (profile or {}).get("kubespawner_override"))
    for name, option in options.items():
        _merge(overrides, _option_overrides(name, option, asked))
    image = overrides.get("image")
    if image is not None and image not in environments:
        raise ChoiceError(f"no environment {image!r}; there are: {', '.join(sorted(environments)) or 'none'}")
    return overrides


def _choose_profile(profiles: list[Profile], slug: Any) -> Profile | None:
    if slug is None:
        return next((profile for profile in profiles if profile.get("default")), None)
    for profile in profiles:
        if profile["slug"] == slug:
            return profile
    raise ChoiceError(f"no profile {slug!r}; there are: {', '.join(profile['slug'] for profile in profiles) or 'none'}")


def _option_overrides(name: str, option: dict[str, Any], asked: Mapping[str, Any]) -> Mapping[str, Any] | None:
    choices, unlisted = option["choices"], option["unlisted_choice"]
    text = asked.get(name + UNLISTED)
    if text is not None:
        return _unlisted_overrides(name, unlisted, text, choices)
    key = asked.get(name)
    if key is None:
        key = next((each for each, choice in choices.items() if choice.get("default")), None)
        if key is None:
            raise ChoiceError(f"{name}: a value must be given as {name}{UNLISTED}")
    if not isinstance(key, str) or key not in choices:
        raise ChoiceError(f"{name}: no choice {key!r}; there are: {', '.join(choices) or 'none'}")
    chosen: Mapping[str, Any] | None = choices[key].get("kubespawner_override")
    return chosen


def _unlisted_overrides(name: str, unlisted: dict[str, Any], text: Any, choices: Collection[str]) -> dict[str, Any]:
    if not unlisted["enabled"]:
        raise ChoiceError(f"{name}: a value of one's own is not possible here; there are: {', '.join(choices)}")
    pattern = unlisted.get("validation_regex")
    # the whole text must match: a prefix that matches proves nothing about the rest
    if not isinstance(text, str) or (pattern and not re.fullmatch(pattern, text)):
        raise ChoiceError(
            f"{name}: {text!r} is not possible; {unlisted.get('validation_message') or f'it must match {pattern}'}"
        )
    return {key: _fill(value, text) for key, value in (unlisted.get("kubespawner_override") or {}).items()}


def _fill(template: Any, text: str) -> Any:
    # not str.format: that would let a template reach into attributes
    if isinstance(template, str):
        return template.replace("{value}", text)
    if isinstance(template, dict):
        return {key: _fill(value, text) for key, value in template.items()}
    return template


def _merge(target: dict[str, Any], overrides: Mapping[str, Any] | None) -> None:
    for key, value in (overrides or {}).items():
        if key not in ALLOWED:
            raise ProfileError(f"kubespawner_override {key!r} has no meaning on a server")
        if key == "environment":
            value = {**target.get(key, {}), **{name: str(item) for name, item in value.items()}}
        target[key] = value


def single_choice(profile_list: Iterable[Mapping[str, Any]]) -> bool:
    """Whether there is nothing to choose, so that no form is needed."""
    profiles = initialized(profile_list)
    return len(profiles) <= 1 and not any(
        len(option["choices"]) > 1 or option["unlisted_choice"]["enabled"]
        for profile in profiles
        for option in profile["profile_options"].values()
    )


def options_from_form(form: Mapping[str, list[str]]) -> dict[str, str]:
    """user_options from the fields of a form: those of the chosen profile, without empty ones."""
    slug = next(iter(form.get("profile") or []), "")
    if not slug:
        return {}
    prefix = f"profile-option-{slug}--"
    options = {"profile": slug}
    for name, values in form.items():
        if name.startswith(prefix) and values and values[0]:
            options[name.removeprefix(prefix)] = values[0]
    return options
