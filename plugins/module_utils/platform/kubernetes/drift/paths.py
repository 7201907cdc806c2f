# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places in an object of the API, as people write them: ``spec.template.spec.containers[hub].image``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Union

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Item:
    """An item of a list. label: what people know it by.

    live, wanted: its index in the live list and in the one of the manifest, None where it is not there.
    """

    label: str
    live: int | None
    wanted: int | None


#: Keys of dictionaries, and items of lists.
Steps = tuple[Union[str, Item], ...]


class Absent:
    """The value of a place that an object does not have."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = Absent()


def path_text(steps: Steps) -> str:
    """Return a place as people write it."""
    text = ""
    for step in steps:
        if isinstance(step, Item):
            text += f"[{step.label}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{step}]"
    return text


def live_value(value: Any, steps: Steps) -> Any:
    """Return what is at a place in the live object, ABSENT where there is nothing."""
    return _value(value, [step.live if isinstance(step, Item) else step for step in steps])


def wanted_value(value: Any, steps: Steps) -> Any:
    """Return what is at a place in the object that the manifest makes, ABSENT where there is nothing."""
    return _value(value, [step.wanted if isinstance(step, Item) else step for step in steps])


def _value(value: Any, keys: Sequence[Any]) -> Any:
    for key in keys:
        if isinstance(value, list):
            is_there = isinstance(key, int) and key < len(value)
        else:
            is_there = isinstance(value, dict) and key in value
        if not is_there:
            return ABSENT
        value = value[key]
    return value
