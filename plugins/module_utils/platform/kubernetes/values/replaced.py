# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what a layer of Helm values removes of what options or lower layers set.

Mappings merge, and a single value over another is what layers are for. What is left are values of different kinds, of
which one disappears as a whole; lists; null; and code of this collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ....common.nested import depth_of
from ....schema.model import ValuePath
from .chart_values import ChartValues
from .layers import ChartPath, Values, leaves, merge, same

#: Kinds of replacements; the first three happen by mistake.
MAPPING, LIST, CODE, ITEMS, NULL = "mapping", "list", "code", "items", "null"
MISTAKES = (MAPPING, LIST, CODE)
_CODE = ("hub", "extraConfig")


@dataclass(frozen=True)
class Replacement:
    """A value that removes others.

    kind: what it removes: a whole mapping, a list that a mapping replaces, code of options, items of a list that a list
        replaces, or anything by null.
    variable, path: its layer, and its place there.
    removed: the places in the inventory of what it removes.
    """

    kind: str
    variable: str
    path: ChartPath
    removed: list[ValuePath]


def replacements(values: ChartValues) -> Iterator[Replacement]:
    """Yield what each layer removes, the lowest layer first."""
    below = ChartValues(values.settings, [])
    current = below.own
    for variable, layer in values.layers:
        for path, value in leaves(layer) if layer else ():
            kind, place = _replaced(current, values.own, path, value)
            removed = list(dict.fromkeys(below.sources(place))) if kind else []
            if removed:
                yield Replacement(kind, variable, place, removed)
        below = ChartValues(values.settings, [*below.layers, (variable, layer)])
        current = merge(current, layer)


def _replaced(below: Values, own: Values, path: ChartPath, value: Any) -> tuple[str, ChartPath]:
    """Return the kind of what ``value`` at ``path`` removes, and its place; "" where nothing is removed."""
    current: Any = below
    for length, key in enumerate(path):
        if not isinstance(current, dict) or key not in current:
            mapping_over_list = isinstance(current, list) and current
            return (LIST, path[:length]) if mapping_over_list else ("", path)
        current = current[key]
    if current in (None, {}, []):
        return "", path
    if value == {}:
        return (LIST if isinstance(current, list) else "", path)
    if value is None:
        return NULL, path
    if isinstance(current, dict):
        return MAPPING, path
    if isinstance(current, list):
        kept = value if isinstance(value, list) else []
        return (ITEMS if any(not any(same(item, other) for other in kept) for item in current) else "", path)
    if path[: len(_CODE)] == _CODE and depth_of(own, path) == len(path) and not same(current, value):
        return CODE, path
    return "", path
