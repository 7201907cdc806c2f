# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an option can say a value exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..common.nested import value_at
from ..platform.kubernetes.values.layers import Values, same
from ..schema.option import Option
from ..schema.validate import OPTIONS
from ..schema.values import check_value

#: Where values have nothing.
MISSING = object()


def at(values: Any, path: str) -> Any:
    """Return the value at ``path``, which is written with dots that no key holds; MISSING where there is none."""
    return value_at(values, path.split("."), MISSING)


def mapping_at(values: Any, path: str) -> Values:
    """Return the mapping at ``path``; an empty one where there is none."""
    found = at(values, path)
    return found if isinstance(found, dict) else {}


def says(
    option: Option | str, given: Any, wanted: Any, to_chart: Callable[[Any], Any] = lambda checked: checked
) -> bool:
    """Tell whether ``given`` is a valid value of an option that becomes ``wanted`` in the chart's values."""
    found: list[str] = []
    described = OPTIONS[option] if isinstance(option, str) else option
    checked = check_value(described, given, lambda _path, message: found.append(message))
    return not found and same(to_chart(checked), wanted)


def keeps(option: Option | str, value: Any) -> bool:
    """Tell whether an option takes ``value`` and leaves it as it is."""
    return says(option, value, value)


def key_of(option: Option | str, key: str) -> Option:
    """Return the option that describes a key of a mapping, or of the mappings that an option holds."""
    described = OPTIONS[option] if isinstance(option, str) else option
    inner = described.options or (described.elements.options if described.elements else ())
    return next(each for each in inner if each.name == key)
