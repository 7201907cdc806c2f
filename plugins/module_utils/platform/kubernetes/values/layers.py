# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers of Helm values: merge them by Helm's rules, and compute differences between them.

Source of the rules: Helm 3 and 4, ``pkg/cli/values`` (several ``-f`` files) and
``pkg/chart/common/util/coalesce.go`` (values over the chart's defaults).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ....common import nested

Values = dict[str, Any]

#: A place in Helm values: keys of mappings, indexes of lists.
ChartPath = nested.Path


def merge(lower: Values, upper: Values) -> Values:
    """Return ``upper`` over ``lower`` as Helm merges one values file over another.

    Mappings merge key by key; everything else, lists and null included, replaces. Null stays: only
    :func:`over_defaults` lets it delete. Neither argument is changed; the result may share parts.
    """
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return merged


def merge_all(layers: Iterable[Values]) -> Values:
    """Return all layers merged, the last one on top."""
    merged: Values = {}
    for layer in layers:
        merged = merge(merged, layer)
    return merged


def over_defaults(defaults: Values, given: Values) -> Values:
    """Return what templates see: ``given`` over the chart's defaults.

    Null in ``given`` deletes the default; where the chart has none, it stays null.
    """
    merged: Values = {}
    for key, default in defaults.items():
        if key not in given:
            merged[key] = default
        elif isinstance(given[key], dict) and isinstance(default, dict):
            merged[key] = over_defaults(default, given[key])
        elif given[key] is not None:
            merged[key] = given[key]
    merged.update({key: value for key, value in given.items() if key not in defaults})
    return merged


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same to Helm: like ``==``, but true is not 1, nor 1 the same as 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def overlay(current: Values, wanted: Values) -> tuple[Values, list[ChartPath]]:
    """Return the smallest layer that turns ``current`` into ``wanted``, and the places that no layer can remove.

    A key that only ``current`` has stays: null above it would delete the chart's default as well.
    """
    layer: Values = {}
    surplus: list[ChartPath] = [(key,) for key in current if key not in wanted]
    for key, value in wanted.items():
        if key not in current:
            layer[key] = value
        elif isinstance(value, dict) and isinstance(current[key], dict):
            inner, more = overlay(current[key], value)
            surplus += [(key, *path) for path in more]
            if inner:
                layer[key] = inner
        elif not same(current[key], value):
            layer[key] = value
    return layer, surplus


def common(layers: list[Values]) -> Values:
    """Return the largest layer that is part of all ``layers``, so that each is it with a layer on top."""
    first, *others = layers
    shared: Values = {}
    for key, value in first.items():
        if not all(key in other for other in others):
            continue
        values = [value, *(other[key] for other in others)]
        if all(isinstance(each, dict) and each for each in values):
            inner = common(values)
            if inner:
                shared[key] = inner
        elif all(same(value, each) for each in values):
            shared[key] = value
    return shared


def without(values: Values, layer: Values) -> Values:
    """Return what is left of ``values`` once ``layer``, a part of it as :func:`common` finds it, is below."""
    left: Values = {}
    for key, value in values.items():
        if key not in layer:
            left[key] = value
        elif isinstance(value, dict) and isinstance(layer[key], dict) and layer[key]:
            inner = without(value, layer[key])
            if inner:
                left[key] = inner
    return left


def leaves(value: Any, path: ChartPath = ()) -> Iterator[tuple[ChartPath, Any]]:
    """Yield place and value of everything that merges as a whole: lists, scalars, null, empty mappings."""
    return nested.leaves(value, path, into_lists=False)


def assign(values: Values, path: ChartPath, value: Any) -> None:
    """Merge ``value`` into ``values``, which is changed, at ``path``; what was assigned before is not."""
    for key in path[:-1]:
        below = values.get(key)
        # A copy, since hubs share the mappings of their groups.
        values[key] = dict(below) if isinstance(below, dict) else {}
        values = values[key]
    last = path[-1]
    below = values.get(last)
    values[last] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value


def undotted(text: str, values: Values) -> ChartPath:
    """Return the place that ``text`` writes; keys that hold dots are found in ``values``.

    ``hub.annotations.example.org/team`` -> ``('hub', 'annotations', 'example.org/team')`` where
    ``values`` has that key; keys that are in no values are split at every dot.
    """
    parts: list[Any] = []
    words = text.replace("[", ".").replace("]", "").split(".")
    here: Any = values
    while words:
        step: Any = words[0]
        taken = 1
        if isinstance(here, list) and step.isdigit():
            step = int(step)
            here = here[step] if step < len(here) else None
        elif isinstance(here, dict):
            fitting = [count for count in range(len(words), 0, -1) if ".".join(words[:count]) in here]
            taken = fitting[0] if fitting else 1
            step = ".".join(words[:taken])
            here = here.get(step)
        parts.append(step)
        words = words[taken:]
    return tuple(parts)
