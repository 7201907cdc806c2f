# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Umbrella charts with the zero-to-jupyterhub chart as a dependency, most often named ``jupyterhub``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..common.nested import path_text
from ..platform.kubernetes.values.addons import ADDONS
from ..platform.kubernetes.values.layers import ChartPath, Values
from .errors import FleetImportError

PART = "jupyterhub"
#: Search depth: dependencies may have dependencies, such as ``daskhub.jupyterhub``.
_DEPTH = 3
#: Keys that distinguish the chart's own values from those of an umbrella chart.
_HUB_ONLY = ("hub", "singleuser")
#: Keys below which the name has another meaning.
_FREE = ("custom", "global")


def find_chart_values(values: Values) -> tuple[Values, ChartPath, dict[str, Any]]:
    """Return the chart's values, their path, and everything else as path -> values.

    Raises FleetImportError where several paths are possible.
    """
    places = [] if any(key in values for key in _HUB_ONLY) else list(_places(values, ()))
    if len(places) > 1:
        raise FleetImportError(
            f"the chart's values may be {' or '.join(map(path_text, places))}; import a file with only one of them"
        )
    left: dict[str, Any] = {}
    path = places[0] if places else ()
    for depth, step in enumerate(path):
        left.update({path_text((*path[:depth], key)): value for key, value in values.items() if key != step})
        values = values[step]
    return values, path, left


def _places(values: Values, path: ChartPath) -> Iterator[ChartPath]:
    for key, value in values.items():
        if not isinstance(value, dict) or key in _FREE:
            continue
        if key == PART:
            yield (*path, key)
        elif len(path) + 1 < _DEPTH:
            yield from _places(value, (*path, key))


def extract_addons(parts: dict[str, Any], enabled_by_default: Mapping[str, bool]) -> dict[str, Any]:
    """Remove known add-ons that are enabled from ``parts``; return them as ``hub_addons``.

    enabled_by_default: add-on -> whether the umbrella chart enables it by default.
    """
    addons: dict[str, Any] = {}
    for place, values in list(parts.items()):
        name = place.rpartition(".")[2]
        known = name in ADDONS and name not in addons and isinstance(values, dict)
        if known and values.get("enabled", enabled_by_default.get(name, False)):
            del parts[place]
            given = {key: value for key, value in values.items() if key != "enabled"}
            addons[name] = {"values": given} if given else {}
    return addons
