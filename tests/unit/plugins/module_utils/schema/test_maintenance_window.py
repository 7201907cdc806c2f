# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance windows, also over midnight."""

from __future__ import annotations

import datetime
import re

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.maintenance_window import (
    DAYS,
    PATTERN,
    is_open,
    window,
)


def moment(text: str) -> datetime.datetime:
    """Return a moment of the week of Monday, 2026-11-23, such as ``Sun 02:00``."""
    day, _blank, clock = text.partition(" ")
    date = datetime.date(2026, 11, 23) + datetime.timedelta(days=DAYS.index(day))
    return datetime.datetime.combine(date, datetime.time.fromisoformat(clock))


def test_days_are_those_of_the_calendar() -> None:
    assert [moment(f"{day} 00:00").strftime("%a") for day in DAYS] == list(DAYS)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("Sun 02:00-06:00", ["Sun 02:00", "Sun 05:59"], ["Sun 01:59", "Sun 06:00", "Sat 03:00", "Mon 03:00"]),
        ("02:00-06:00", [f"{day} 02:00" for day in DAYS], ["Mon 01:59", "Sun 06:00"]),
        (
            "Sun 22:00-04:00",
            ["Sun 22:00", "Sun 23:59", "Mon 00:00", "Mon 03:59"],
            ["Sun 21:59", "Mon 04:00", "Sun 03:00", "Mon 22:00", "Sat 23:00"],
        ),
        ("Mon 22:00-04:00", ["Mon 23:00", "Tue 01:00"], ["Mon 01:00", "Tue 23:00"]),
        ("22:00-04:00", ["Wed 22:00", "Wed 03:59", "Sun 23:00", "Mon 01:00"], ["Wed 04:00", "Wed 12:00", "Wed 21:59"]),
        ("Sat 00:00-00:00", ["Sat 00:00", "Sat 23:59"], ["Fri 23:59", "Sun 00:00"]),
        ("00:00-00:00", ["Mon 00:00", "Sun 23:59"], []),
    ],
)
def test_window(text: str, inside: list[str], outside: list[str]) -> None:
    assert [when for when in inside if not window(text).holds(moment(when))] == []
    assert [when for when in outside if window(text).holds(moment(when))] == []


def test_seconds_count_to_their_minute() -> None:
    assert window("02:00-06:00").holds(moment("Mon 05:59").replace(second=59, microsecond=999999))


def test_any_of_several() -> None:
    windows = ["Sat 02:00-06:00", "Sun 22:00-04:00"]
    assert [is_open(windows, moment(when)) for when in ("Sat 03:00", "Mon 03:00", "Fri 03:00")] == [True, True, False]


def test_none_is_always() -> None:
    assert is_open([], moment("Wed 12:00"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sun",
        "02:00",
        "Sun 2:00-6:00",
        "sun 02:00-06:00",
        "Sunday 02:00-06:00",
        "Sun  02:00-06:00",
        "Sun 24:00-06:00",
        "Sun 02:60-06:00",
        "Sun 02:00 - 06:00",
        "Sun-Mon 02:00-06:00",
        "Sun 02:00-06:00\n",
        " 02:00-06:00",
    ],
)
def test_bad_texts(text: str) -> None:
    """Validation, by the pattern, and the deploy agree on them."""
    assert not re.fullmatch(PATTERN, text)
    with pytest.raises(ValueError, match=r"is not a window such as 'Sun 02:00-06:00', or '22:00-04:00' for every day"):
        window(text)
