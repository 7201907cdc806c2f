# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read data classes from files that another release of the collection may have written."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


def from_persisted(kind: type[T], values: Mapping[str, Any]) -> T:
    """Return a data class from the values of its fields.

    Fields that this release does not know are ignored. Raises TypeError if one without a default is missing.
    """
    known = {each.name for each in dataclasses.fields(kind)}  # type: ignore[arg-type]  # a data class
    return kind(**{name: value for name, value in values.items() if name in known})
