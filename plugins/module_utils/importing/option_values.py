# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare values of the chart with the options that may express them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..common import nested
from ..platform.kubernetes.values.layers import Values, same
from ..schema.model import UserName, ValuePath
from ..schema.option import Option
from ..schema.options import OPTIONS
from ..schema.values import check_value
from ..schema.written import Misreading

#: Marks a place without a value.
MISSING = object()


def chart_value(values: Any, path: str) -> Any:
    """Return the value at a path of keys with dots between them; MISSING where there is none."""
    return nested.value_at(values, path.split("."), MISSING)


def chart_mapping(values: Any, path: str) -> Values:
    """Return the mapping at a path; an empty one where there is none."""
    found = chart_value(values, path)
    return found if isinstance(found, dict) else {}


def renders_as(
    option: Option | str, value: Any, rendered: Any, to_chart: Callable[[Any], Any] = lambda checked: checked
) -> bool:
    """Tell whether ``value`` is valid for an option and renders as ``rendered`` in the chart's values."""
    problems, checked = _checked(option, value)
    return not problems and same(to_chart(_as_written(checked)), rendered)


def is_valid(option: Option | str, value: Any) -> bool:
    """Tell whether ``value`` is valid for an option, whatever is filled in."""
    return not _checked(option, value)[0]


def _checked(option: Option | str, value: Any) -> tuple[list[str], Any]:
    """Return the problems of a value of an option, and the parsed value."""
    problems: list[str] = []

    def report(_path: ValuePath, message: str) -> None:
        # Numbers are written as they were read.
        problems.append(message.problem("") if isinstance(message, Misreading) else message)

    described = OPTIONS[option] if isinstance(option, str) else option
    checked = check_value(described, value, report)
    return [problem for problem in problems if problem], checked


def _as_written(checked: Any) -> Any:
    """Return a parsed value with names of users as they are written; JupyterHub normalizes them itself."""
    return nested.map_leaves(checked, lambda leaf: leaf.written if isinstance(leaf, UserName) else leaf)


def accepts(option: Option | str, value: Any) -> bool:
    """Tell whether ``value`` is valid for an option and renders unchanged."""
    return renders_as(option, value, value)


def suboption(option: Option | str, key: str) -> Option:
    """Return the option that describes a key of a mapping, or of the mappings that an option holds."""
    described = OPTIONS[option] if isinstance(option, str) else option
    inner = described.options or (described.elements.options if described.elements else ())
    return next(each for each in inner if each.name == key)
