# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Infer ``hub_profiles`` from a profile list: environments, sizes, and which of them users choose from.

Source of the schema: KubeSpawner's documentation of ``profile_list``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..platform.kubernetes.values.layers import Values, overlay, same
from ..platform.kubernetes.values.profile_list import ENVIRONMENT_OPTION, SIZE_OPTION
from ..schema.option import Option
from ..schema.profile_options import PROFILE
from .catalogues import ENVIRONMENTS, SIZES, Catalogues, Entry
from .infer_environments import ENVIRONMENT_TRAITS, KEYS, SIZE_TRAITS, entry_from_traits
from .option_values import accepts, suboption

Profile = dict[str, Any]

#: render(profiles): entries of the profile list, None for a profile that is not valid.
Render = Callable[[list[Profile]], list[Any]]

_UNLISTED = {
    "display_name": "title",
    "validation_regex": "pattern",
    "validation_message": "message",
    "display_name_in_choices": "choice_title",
    "description_in_choices": "choice_description",
    "allowed_groups": "allowed_groups",
}
#: Order of keys in the written inventory.
_KEYS = [option.name for option in PROFILE]
_CHOSEN_IMAGE = {"image": "{value}"}
#: Catalogue -> (prefix of its keys in a profile, default key of the option).
_PROFILE_KEYS = {ENVIRONMENTS: ("environment", ENVIRONMENT_OPTION), SIZES: ("size", SIZE_OPTION)}


def infer_profiles(listed: Any, catalogues: Catalogues, render: Render) -> list[Profile] | None:
    """Return ``hub_profiles`` that render to exactly the profile list ``listed``; None where that is not possible."""
    if not isinstance(listed, list) or not listed:
        return None
    if not all(isinstance(each, dict) and isinstance(each.get("display_name"), str) for each in listed):
        return None
    typed = [_InferredProfile(wanted, catalogues).profile for wanted in listed]
    completed = [
        _with_remaining_values(profile, wanted, rendered)
        for profile, wanted, rendered in zip(typed, listed, render(typed))
    ]
    profiles = completed
    for instead in (_verbatim_profile, _untitled_profile):
        profiles = [
            profile if same(rendered, wanted) else instead(index, wanted)
            for index, (profile, wanted, rendered) in enumerate(zip(profiles, listed, render(profiles)))
        ]
    if not same(render(profiles), listed):
        return None
    return [{key: profile[key] for key in sorted(profile, key=_KEYS.index)} for profile in profiles]


def _with_remaining_values(profile: Profile, wanted: Values, rendered: Any) -> Profile:
    """Return the profile with its remaining values in ``override``, ``options`` and ``extra``."""
    if not isinstance(rendered, dict):
        return profile
    layer, _surplus = overlay(rendered, wanted)
    completed, extra = dict(profile), {}
    for key, value in layer.items():
        place = {"kubespawner_override": "override", "profile_options": "options"}.get(key)
        if place and isinstance(value, dict) and value:
            completed[place] = value
        else:
            extra[key] = wanted[key]
    return {**completed, "extra": extra} if extra else completed


def _verbatim_profile(index: int, wanted: Values) -> Profile:
    """Return a profile with all values of ``wanted`` in ``extra``."""
    title = wanted["display_name"]
    if not accepts(suboption("hub_profiles", "title"), title):
        return _untitled_profile(index, wanted)
    rest = {key: value for key, value in wanted.items() if key != "display_name"}
    return {"title": title, "extra": rest} if rest else {"title": title}


def _untitled_profile(index: int, wanted: Values) -> Profile:
    """Return the same for a title that the schema does not accept, such as a duplicate."""
    return {"title": f"Profile {index + 1}", "extra": dict(wanted)}


class _InferredProfile:
    """One profile as keys of hub_profiles; it may be incomplete or wrong, and is reconciled later."""

    def __init__(self, wanted: Values, catalogues: Catalogues) -> None:
        self.catalogues = catalogues
        self.name = wanted.get("slug") or wanted["display_name"].partition(":")[0].partition(",")[0]
        self.profile: Profile = {"title": wanted["display_name"]}
        for key in ("slug", "description", "default", "allowed_groups"):
            if key in wanted and accepts(suboption("hub_profiles", key), wanted[key]):
                self.profile[key] = wanted[key]
        override, options = wanted.get("kubespawner_override"), wanted.get("profile_options")
        override = override if isinstance(override, dict) else {}
        chosen = _choices(options if isinstance(options, dict) else {})
        for catalogue, traits in ((ENVIRONMENTS, ENVIRONMENT_TRAITS), (SIZES, SIZE_TRAITS)):
            if catalogue in chosen:
                self._add_choices(catalogue, *chosen[catalogue])
            else:
                self._add_single(catalogue, {trait: value for trait, value in override.items() if trait in traits})

    def _add_single(self, catalogue: str, override: Values) -> None:
        """Add the single environment or size of the profile."""
        body = entry_from_traits(catalogue, override)
        if not body.keys() - {"override"} or (catalogue == ENVIRONMENTS and "image" not in body):
            return
        preferred = str(self.name)
        if catalogue == ENVIRONMENTS:
            preferred = body["image"].rpartition(":")[0].rpartition("/")[2]
        word, _default = _PROFILE_KEYS[catalogue]
        self.profile[f"{word}s"] = [self.catalogues.name(catalogue, preferred, body)]

    def _add_choices(self, catalogue: str, key: str, option: Values) -> None:
        """Add the environments or sizes that users choose from."""
        word, default_key = _PROFILE_KEYS[catalogue]
        names = []
        for choice, entry in option["choices"].items():
            is_default = entry.get("default") is True and f"default_{word}" not in self.profile
            name = self.catalogues.name(catalogue, choice, _entry_of(catalogue, entry, is_default), choice)
            names.append(name)
            if is_default:
                self.profile[f"default_{word}"] = name
        self.profile[f"{word}s"] = names
        unlisted = _unlisted(option.get("unlisted_choice")) if catalogue == ENVIRONMENTS else None
        if unlisted is not None:
            self.profile["unlisted_image"] = unlisted
        if key != default_key or (len(names) == 1 and unlisted is None):
            self.profile[f"{word}_option"] = key
        title = suboption("hub_profiles", f"{word}_title")
        if option["display_name"] != title.default:
            self.profile[title.name] = option["display_name"]


def _choices(options: Values) -> dict[str, tuple[str, Values]]:
    """Return the options for an environment and a size: catalogue -> (key, option)."""
    found: dict[str, tuple[str, Values]] = {}
    for key, option in options.items():
        catalogue = _catalogue_of(option)
        word = _PROFILE_KEYS[catalogue][0] if catalogue else ""
        if catalogue and catalogue not in found and accepts(suboption("hub_profiles", f"{word}_option"), key):
            found[catalogue] = (key, option)
    return found


def _catalogue_of(option: Any) -> str | None:
    """Return the catalogue of the choices of an option, or None."""
    if not isinstance(option, dict) or not isinstance(option.get("display_name"), str) or not option["display_name"]:
        return None
    choices = option.get("choices")
    if not isinstance(choices, dict) or not choices:
        return None
    overrides = []
    for choice, entry in choices.items():
        override = entry.get("kubespawner_override") if isinstance(entry, dict) else None
        fits = isinstance(override, dict) and accepts(KEYS[SIZES]["choice"], choice)
        if not fits or not accepts(KEYS[SIZES]["title"], entry.get("display_name")):
            return None
        overrides.append(override or {})
    if all("image" in entry_from_traits(ENVIRONMENTS, override) for override in overrides):
        return ENVIRONMENTS
    return SIZES if any(SIZE_TRAITS.keys() & override.keys() for override in overrides) else None


def _entry_of(catalogue: str, choice: Values, is_default: bool) -> Entry:
    """Return the catalogue entry for a choice."""
    entry: Entry = {"title": choice["display_name"]}
    extra: Entry = {}
    for key, value in choice.items():
        if key in ("display_name", "kubespawner_override") or (key == "default" and is_default):
            continue
        known = key in ("description", "allowed_groups") and value and accepts(KEYS[catalogue][key], value)
        (entry if known else extra)[key] = value
    entry.update(entry_from_traits(catalogue, choice["kubespawner_override"]))
    return {**entry, "extra": extra} if extra else entry


def _unlisted(option: Any) -> Values | None:
    """Return ``unlisted_image``; None where users cannot name an image, or the key cannot express it."""
    described: Option = suboption("hub_profiles", "unlisted_image")
    if not isinstance(option, dict) or option.get("enabled") is not True:
        return None
    if option.get("kubespawner_override") != _CHOSEN_IMAGE:
        return None
    made: Values = {}
    for word, key in _UNLISTED.items():
        known = suboption(described, key)
        if word not in option:
            if known.default is not None:
                return None
        elif not accepts(known, option[word]):
            return None
        elif option[word] != known.default:
            made[key] = option[word]
    return made
