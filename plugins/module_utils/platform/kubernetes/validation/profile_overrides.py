# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate overrides of KubeSpawner in profiles: misspelt traits have no effect, wrong values fail the start.

Source of the form: KubeSpawner's documentation of ``profile_list``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ....common.nested import depth_of
from ....schema.catalogue import CATALOGUES
from ....schema.model import Hub, ValuePath
from ....schema.values import is_name
from ..chart.recorded import Traits
from ..values.chart_values import LAYERS, ChartValues
from ..values.layers import ChartPath, Values
from .hub_config import check_spawner

PROFILE_LIST = ("singleuser", "profileList")
Report = Callable[[ValuePath, str], None]
_Overrides = Iterator[tuple[ValuePath, Values]]


def check_option_choices(hub: Hub, config: Values, traits: Traits, report: Report) -> None:
    """Check the overrides in the catalogues and profiles of a hub; ``report`` takes places in the inventory."""
    for path, overrides in (*_of_entries(hub), *_of_profiles(hub)):
        _check(path, overrides, config, traits, report)


def check_chart_choices(values: ChartValues, config: Values, traits: Traits, report: Report) -> None:
    """Check a profile list that is the operator's Helm values; ``report`` takes places in the chart's values."""
    given = depth_of(values.merged, PROFILE_LIST) == len(PROFILE_LIST)
    if not given or values.sources(PROFILE_LIST)[-1][0] not in LAYERS:
        return
    profiles = values.merged["singleuser"]["profileList"]
    for index, profile in enumerate(profiles if isinstance(profiles, list) else ()):
        path: ChartPath = (*PROFILE_LIST, index)
        if not isinstance(profile, dict):
            report(path, "must be a mapping, a profile")
            continue
        if not profile.get("display_name"):
            report(path, "display_name is missing (name that users see)")
        for place, overrides in _of_profile(profile, "profile_options", path):
            _check(place, overrides, config, traits, report)


def _check(path: ValuePath, overrides: Values, config: Values, traits: Traits, report: Report) -> None:
    # The value that a user enters is filled in later, so its type is unknown.
    known = {key: value for key, value in overrides.items() if "{value}" not in str(value)}
    check_spawner(known, config, traits, lambda inside, message: report((*path, *inside), message))


def _of_entries(hub: Hub) -> _Overrides:
    """Yield place and overrides of the environments and sizes that a hub offers."""
    for variable, catalogue in CATALOGUES.items():
        key = variable.replace("hub_", "")
        named = [name for profile in hub["hub_profiles"] or () for name in profile[key] or ()]
        for index, item in enumerate(hub[variable] or ()):
            if is_name(item):
                named.append(str(item))
            elif item["override"]:
                yield (variable, index, "override"), item["override"]
        for name in dict.fromkeys(named):
            overrides = hub[catalogue][name]["override"]
            if overrides:
                yield (catalogue, name, "override"), overrides


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


def _override_in(entry: Any, path: ValuePath) -> _Overrides:
    overrides = entry.get("kubespawner_override") if isinstance(entry, dict) else None
    if isinstance(overrides, dict):
        yield (*path, "kubespawner_override"), overrides


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []
