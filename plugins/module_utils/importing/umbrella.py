# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts that hold the zero-to-jupyterhub chart: its values are one part of theirs, most often ``jupyterhub``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..common.nested import path_text
from ..platform.kubernetes.values.addons import ADDONS
from ..platform.kubernetes.values.layers import ChartPath, Values
from .errors import ImportProblem

PART = "jupyterhub"
#: How far below the top the part is looked for: charts within charts, such as ``daskhub.jupyterhub``.
_DEPTH = 3
#: Keys that tell the chart's own values from those of a chart around it.
_OWN = ("hub", "singleuser")
#: Where a key named like the part means something else.
_FREE = ("custom", "global")


def chart_part(values: Values) -> tuple[Values, ChartPath, dict[str, Any]]:
    """Return the chart's values, where they stand, () for the top, and everything else: place -> values.

    Raises ImportProblem where they may stand in several places.
    """
    places = [] if any(key in values for key in _OWN) else list(_places(values, ()))
    if len(places) > 1:
        raise ImportProblem(
            f"the chart's values may be {' or '.join(map(path_text, places))}; import one without the others"
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


def take_addons(parts: dict[str, Any], switched_on: Mapping[str, bool]) -> dict[str, Any]:
    """Take the add-ons that are known by name and switched on out of ``parts``; return them as hub_addons.

    switched_on: add-on -> whether the chart around has it without being asked.
    """
    addons: dict[str, Any] = {}
    for place, values in list(parts.items()):
        name = place.rpartition(".")[2]
        known = name in ADDONS and name not in addons and isinstance(values, dict)
        if known and values.get("enabled", switched_on.get(name, False)):
            del parts[place]
            given = {key: value for key, value in values.items() if key != "enabled"}
            addons[name] = {"values": given} if given else {}
    return addons
