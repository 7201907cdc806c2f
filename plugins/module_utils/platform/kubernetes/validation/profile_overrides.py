# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate profiles and their overrides of KubeSpawner: misspelt traits have no effect, wrong values fail the start.

Source of the form: KubeSpawner's documentation of ``profile_list``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ....common.nested import depth_of, value_at
from ....schema.catalogue import CATALOGUES
from ....schema.kubernetes_checks import slug_of
from ....schema.model import Hub, ValuePath
from ....schema.values import is_name
from ...config_classes import Traits
from ..values.chart_values import LAYERS, ChartValues
from ..values.layers import ChartPath, Values
from ..values.pages import START_PAGE_CONFIG
from .hub_config import check_spawner
from .session_checks import check_choice, check_overrides
from .sessions import Session

PROFILE_LIST = ("singleuser", "profileList")
_OVERRIDE = "kubespawner_override"
#: Part of the names of both traits that replace KubeSpawner's form.
_FORM = "profile_form_template"
#: Keys of profiles and choices that options make -> the key that they are made of.
_MADE_OF_KEYS = {
    "display_name": "title",
    **{key: key for key in ("description", "slug", "default", "allowed_groups", "link", "icon")},
    _OVERRIDE: "override",
    "profile_options": "options",
}
Report = Callable[[ValuePath, str], None]
_Overrides = Iterator[tuple[ValuePath, Values]]


def check_option_choices(hub: Hub, config: Values, traits: Traits, report: Report) -> None:
    """Check the overrides in the catalogues and profiles of a hub; ``report`` takes places in the inventory."""
    for path, overrides in (*_of_entries(hub), *_of_profiles(hub)):
        _check(path, overrides, config, traits, report)
    for path, entry in (
        *_entries(hub),
        *((("hub_profiles", at), made) for at, made in enumerate(hub["hub_profiles"] or ())),
    ):
        for key, own in _MADE_OF_KEYS.items():
            if key in (entry["extra"] or {}) and entry.get(own) and entry["extra"][key] != entry[own]:
                report((*path, "extra", key), f"replaces {own}, which is set as well; remove one of them")


def place_of_override(hub: Hub, values: ChartValues, path: ChartPath) -> ValuePath | None:
    """Return the place in the inventory of an override in a profile list that options made; None if there is none.

    path: in the values of the chart.
    """
    if path[:2] != PROFILE_LIST or _OVERRIDE not in path:
        return None
    inside = path[path.index(_OVERRIDE) + 1 :]
    value = value_at(values.merged, path)
    own = [(place, overrides) for place, overrides in _of_profiles(hub) if place[1] == path[2]]
    for place, overrides in (*own, *_of_entries(hub)):
        if value is not None and value_at(overrides, inside) == value:
            return (*place, *inside)
    return None


def check_chart_choices(values: ChartValues, session: Session, config: Values, traits: Traits, report: Report) -> None:
    """Check the profile list; ``report`` takes places in the chart's values.

    What is in a list of the operator's Helm values is checked altogether; of one that options made, only what does
    not fit together.
    """
    if depth_of(values.merged, PROFILE_LIST) < len(PROFILE_LIST):
        return
    by_options = values.sources(PROFILE_LIST)[-1][0] not in LAYERS
    profiles = values.merged["singleuser"]["profileList"]
    if not by_options:
        _check_list(profiles, report)
    code = ("hub", "extraConfig")
    own_form = value_at(values.merged, (*code, START_PAGE_CONFIG)) is not None or any(
        _FORM in str(part) for part in (config, value_at(values.merged, code))
    )
    for index, profile in enumerate(profiles if isinstance(profiles, list) else ()):
        path: ChartPath = (*PROFILE_LIST, index)
        if not isinstance(profile, dict):
            continue
        for option, described in _items(profile.get("profile_options")):
            _check_option(described, (*path, "profile_options", option), own_form, report)
        for place, overrides in _of_profile(profile, "profile_options", path) if not by_options else ():
            _check(place, overrides, config, traits, report)
        _check_together(profile, path, session, report)


def _check(path: ValuePath, overrides: Values, config: Values, traits: Traits, report: Report) -> None:
    # The value that a user enters is filled in later, so its type is unknown.
    known = {key: value for key, value in overrides.items() if "{value}" not in str(value)}
    check_spawner(known, config, traits, lambda inside, message: report((*path, *inside), message))
    check_overrides(path, known, report)


def _check_together(profile: Values, path: ChartPath, session: Session, report: Report) -> None:
    """Report overrides that do not fit each other, nor what every session has."""
    for place, overrides in _override_in(profile, path):
        session = check_choice(session, place, overrides, report)
    for option, described in _items(profile.get("profile_options")):
        inside = (*path, "profile_options", option)
        for choice, chosen in _items(described.get("choices") if isinstance(described, dict) else None):
            for place, overrides in _override_in(chosen, (*inside, "choices", choice)):
                check_choice(session, place, overrides, report)


# --- The list itself


def _check_list(profiles: Any, report: Report) -> None:
    """Report profiles that users cannot tell apart or not choose."""
    seen: set[str] = set()
    default_found = False
    for index, profile in enumerate(profiles if isinstance(profiles, list) else ()):
        path: ChartPath = (*PROFILE_LIST, index)
        if not isinstance(profile, dict):
            report(path, "must be a mapping, a profile")
            continue
        if not profile.get("display_name"):
            report(path, "display_name is missing (name that users see)")
        # Profiles for groups may never be shown to the same user.
        key = "slug" if profile.get("slug") else "display_name"
        slug = str(profile["slug"]) if profile.get("slug") else slug_of(str(profile.get("display_name") or ""))
        if slug and slug in seen and not (key == "display_name" and profile.get("allowed_groups")):
            hint = "" if key == "slug" else "; set a slug for one of them"
            report((*path, key), f"{profile[key]!r} is used twice{hint}")
        seen.add(slug)
        if profile.get("default") and default_found:
            report((*path, "default"), "is true for a second profile; only one can be preselected")
        default_found = default_found or bool(profile.get("default"))


def _check_option(described: Any, path: ChartPath, own_form: bool, report: Report) -> None:
    """Report an option of a profile without a choice, or with two defaults; own_form: KubeSpawner's is not used."""
    if not isinstance(described, dict):
        report(path, "must be a mapping, an option of the profile")
        return
    choices, unlisted = described.get("choices"), described.get("unlisted_choice")
    enabled = isinstance(unlisted, dict) and unlisted.get("enabled")
    if not choices and not enabled:
        report(path, "has no choices, so that the profile cannot be started")
    elif not isinstance(choices, dict) and not own_form:
        report(path, "has no choices, so that the start page cannot be shown; add choices: {}")
    defaults = [name for name, choice in _items(choices) if isinstance(choice, dict) and choice.get("default")]
    if len(defaults) > 1:
        report((*path, "choices", defaults[1], "default"), "is true for a second choice; only one can be preselected")
    pattern = unlisted.get("validation_regex") if isinstance(unlisted, dict) else None
    try:
        re.compile(pattern if isinstance(pattern, str) else "")
    except re.error as error:
        report((*path, "unlisted_choice", "validation_regex"), f"is not a regular expression: {error.msg}")


# --- Where overrides are


def _entries(hub: Hub) -> Iterator[tuple[ValuePath, Values]]:
    """Yield the environments and sizes that a hub offers, each with its place."""
    for variable, catalogue in CATALOGUES.items():
        key = variable.replace("hub_", "")
        named = [name for profile in hub["hub_profiles"] or () for name in profile[key] or ()]
        for index, item in enumerate(hub[variable] or ()):
            if is_name(item):
                named.append(str(item))
            else:
                yield (variable, index), item
        for name in dict.fromkeys(named):
            yield (catalogue, name), hub[catalogue][name]


def _of_entries(hub: Hub) -> _Overrides:
    """Yield place and overrides of the environments and sizes that a hub offers."""
    for path, entry in _entries(hub):
        if entry["override"]:
            yield (*path, "override"), entry["override"]


def _of_profiles(hub: Hub) -> _Overrides:
    for index, profile in enumerate(hub["hub_profiles"] or ()):
        if profile["override"]:
            yield ("hub_profiles", index, "override"), profile["override"]
        yield from _of_profile({"options": profile["options"]}, "options", ("hub_profiles", index))


def _of_profile(profile: Values, options: str, path: ValuePath) -> _Overrides:
    """Yield place and overrides of a profile and of its options, whose key is ``options``."""
    yield from _override_in(profile, path)
    for option, described in _items(profile.get(options)):
        place = (*path, options, option)
        for choice, chosen in _items(described.get("choices") if isinstance(described, dict) else None):
            yield from _override_in(chosen, (*place, "choices", choice))
        if isinstance(described, dict):
            yield from _override_in(described.get("unlisted_choice"), (*place, "unlisted_choice"))


def _override_in(entry: Any, path: ValuePath) -> _Overrides:
    overrides = entry.get(_OVERRIDE) if isinstance(entry, dict) else None
    if isinstance(overrides, dict):
        yield (*path, _OVERRIDE), overrides


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []
