# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance windows: when a cluster's hubs may be changed."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
#: ``Sun 02:00-06:00`` or ``22:00-04:00`` for every day; the end may lie on the next day.
PATTERN = rf"(({'|'.join(DAYS)}) )?([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d"
TEXT = "a window such as 'Sun 02:00-06:00', or '22:00-04:00' for every day"


@dataclass(frozen=True)
class Window:
    """One window. day: 0 for Monday, None for every day; minutes since midnight."""

    day: int | None
    start: int
    end: int

    def holds(self, moment: datetime.datetime) -> bool:
        """Return whether a moment, in the time zone of the window, is inside it."""
        minute = moment.hour * 60 + moment.minute
        if self.start < self.end:
            return self._is_on(moment.weekday()) and self.start <= minute < self.end
        # Over midnight: the evening of its day, or the morning after.
        return (self._is_on(moment.weekday()) and minute >= self.start) or (
            self._is_on((moment.weekday() - 1) % 7) and minute < self.end
        )

    def _is_on(self, day: int) -> bool:
        return self.day is None or self.day == day


def window(text: str) -> Window:
    """Parse a window. Raises ValueError."""
    if not re.fullmatch(PATTERN, text):
        raise ValueError(f"{text!r} is not {TEXT}")
    day, _blank, hours = text.rpartition(" ")
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in hours.split("-"))
    return Window(DAYS.index(day) if day else None, start, end)


def is_open(windows: list[str], moment: datetime.datetime) -> bool:
    """Return whether a moment is inside any of the windows, or there are none."""
    return not windows or any(window(text).holds(moment) for text in windows)
