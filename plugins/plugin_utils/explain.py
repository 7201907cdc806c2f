# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a value comes from: every place of the inventory that sets it, what wins first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.nested import depth_of, path_text, value_at
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.text import aligned, one_line, plural
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.charts import (
    ChartFacts,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.chart_values import (
    ChartValues,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.layers import (
    ChartPath,
    over_defaults,
    undotted,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.redaction.mask import MASK
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.documentation import written_default
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import HostInput, ValuePath
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.options import OPTIONS
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import nearest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.secrets import redactor
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils import origin
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.inventory import layers_of, plain
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.secret_texts import encrypted_texts

#: Longer values are cut; the file that is named has them in full.
WIDTH = 100
TABLE_WIDTH = 60
_MISSING = object()
DEFAULT = "default"
COMMAND_LINE = "-e on the command line"


@dataclass(frozen=True)
class Place:
    """One place that sets a value; the first of a list wins. where: file and line, or words."""

    where: str
    what: str
    value: Any


class UnknownName(LookupError):
    """There is no such option or key of the chart; the message names the nearest."""


def explain_option(name: str, host: HostInput, hostvars: Any) -> tuple[Any, list[Place]]:
    """Return the value of a hub_*, cluster_* or fleet_* variable, and the places that set it, its default last.

    The value is templated, the places show what is in their files; secrets are masked. Raises UnknownName.
    """
    option = OPTIONS.get(name)
    if option is None:
        raise UnknownName(f"there is no option {name!r}{nearest(name, OPTIONS, prefix=name.split('_')[0] + '_')}")
    places = []
    extra = hostvars._variable_manager.extra_vars
    if name in extra:
        places.append(Place(COMMAND_LINE, name, _masked_raw(extra[name], name)))
    for layer in layers_of(hostvars, host.name):
        found, where = _value_in(layer, name, hostvars._loader)
        if found is not _MISSING:
            hidden = origin.is_encrypted(found) or origin.is_encrypted_file(where.partition(":")[0])
            places.append(Place(where, name, MASK if hidden else _masked_raw(found, name)))
    if option.default is not None or not places:
        places.append(Place(DEFAULT, name, written_default(option)))
    if name not in host.variables or places[0].value == MASK:
        return places[0].value, places
    return redactor(host.secret_texts).mask(host.variables[name], (name,)), places


def explain_all(platform: str, host: HostInput, hostvars: Any) -> dict[str, tuple[Any, list[Place]]]:
    """Return what :func:`explain_option` does for every option of a platform that is set or has a default."""
    found = {}
    for name, option in OPTIONS.items():
        if name in host.variables or (option.applies_to(platform) and option.default is not None):
            found[name] = explain_option(name, host, hostvars)
    return found


def _masked_raw(value: Any, name: str) -> Any:
    """Return what a place sets a variable to, before templating, with secrets masked."""
    return redactor(lambda: encrypted_texts(value)).mask(plain(value), (name,))


def _value_in(layer: str | Mapping[str, Any], name: str, loader: Any) -> tuple[Any, str]:
    """Return the value that a layer sets a variable to, or _MISSING, and its file and line."""
    if isinstance(layer, Mapping):
        variables: Any = layer
    else:
        variables = loader.load_from_file(layer, cache="all")
    if not isinstance(variables, Mapping) or name not in variables:
        return _MISSING, ""
    place = origin.variable_place(variables, name, [layer])
    return variables[name], origin.shown(place) or (layer if isinstance(layer, str) else "the inventory")


def explain_chart(
    text: str, values: ChartValues, facts: ChartFacts, host: HostInput, hostvars: Any
) -> tuple[ChartPath, Any, list[Place]]:
    """Return the path in the chart's values that ``text`` writes, its value, and what sets it. Raises UnknownName."""
    mask = redactor(host.secret_texts).mask
    extra = hostvars._variable_manager.extra_vars
    full = over_defaults(facts.defaults, values.merged)
    path = undotted(text, full)
    _check_exists(path, full)
    places = []
    # A path that only the chart's defaults have is set by nothing else.
    for source, key in reversed(values.setters(path)) if depth_of(values.merged, path) == len(path) else ():
        where = host.locate(source) or (COMMAND_LINE if source[0] in extra else "default of the collection")
        what = path_text(source) if key == path else f"{path_text(source)} -> {path_text(key)}"
        places.append(Place(where, what, _set_by(source, key, values, mask)))
    if depth_of(facts.defaults, path) == len(path):
        default = mask(_at(facts.defaults, path), ("", *path))
        places.append(Place("default of the chart", path_text(path), default))
    return path, mask(_at(full, path), ("", *path)), places


def _check_exists(path: ChartPath, values: Any) -> None:
    """Raise UnknownName, with the nearest key, unless ``path`` is in the chart's values."""
    known = depth_of(values, path)
    if known == len(path):
        return
    wrong, inside = repr(str(path[known])), f" in {path_text(path[:known])}" if known else ""
    around = _at(values, path[:known])
    if isinstance(around, list):
        raise UnknownName(f"there is no {wrong}{inside} of the chart; it has {plural(len(around), 'entry')}")
    keys = list(map(str, around)) if isinstance(around, dict) else []
    raise UnknownName(f"there is no {wrong}{inside} of the chart{nearest(str(path[known]), keys)}")


def _set_by(source: ValuePath, path: ChartPath, values: ChartValues, mask: Callable[[Any, ChartPath], Any]) -> Any:
    """Return what a source sets a path to; for options, the value of the chart that they are translated to."""
    for variable, layer in values.layers:
        if variable == source[0]:
            return mask(_at(layer, path[: len(source) - 1]), ("", *path))
    made: Any = None
    for item in values.settings:
        inside = min(len(path), len(item.path))
        if item.source == source and item.path[:inside] == path[:inside]:
            whole = item.path if len(item.path) > len(path) else path
            made = mask(_at(item.value, path[inside:]), ("", *whole))
    return made


def _at(values: Any, path: ChartPath) -> Any:
    """Return the value at a path, or at the longest part of it that exists."""
    return value_at(values, path[: depth_of(values, path)])


def format_lines(subject: str, value: Any, places: list[Place], side_by_side: bool = False) -> Iterator[str]:
    """Yield the lines to print. side_by_side: the places set parts of the value, and override nothing."""
    yield f"{subject} = {format_value(value)}"
    width = max((len(place.where) for place in places), default=0)
    for index, place in enumerate(places):
        mark = "" if index == 0 or side_by_side else "  (overridden)"
        what = "" if place.what.startswith(subject.split(": ")[-1]) else f"{place.what}: "
        yield f"  {place.where.ljust(width)}  {what}{format_value(place.value)}{mark}"


def format_table(values: Mapping[str, tuple[Any, list[Place]]]) -> list[str]:
    """Return a line for each option: its name, its value and what sets it; what the inventory sets comes first."""
    rows = [
        (name, format_value(value, TABLE_WIDTH), places[0].where)
        for name, (value, places) in sorted(values.items(), key=lambda item: item[1][1][0].where == DEFAULT)
    ]
    return [f"  {line}" for line in aligned(rows)] if rows else []


def format_value(value: Any, width: int = WIDTH) -> str:
    """Return a value as one line, cut where it is long: text as it is, unless it is empty, all else as JSON."""
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False, default=str)
    return one_line(text, width)
