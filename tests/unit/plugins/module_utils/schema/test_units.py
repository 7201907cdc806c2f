# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amounts as people write them."""

from __future__ import annotations

import re

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.units import (
    format_duration,
    format_memory,
    parse_duration,
    parse_memory,
)


def test_examples() -> None:
    assert parse_memory("1.5G") == 1610612736
    assert parse_memory("2GiB") == parse_memory("2GB") == parse_memory("2g") == parse_memory(" 2 G ") == 2**31
    assert parse_memory(2**63 + 1) == 2**63 + 1
    assert parse_duration("1.5h") == parse_duration("90m") == 5400
    assert parse_duration("never") == parse_duration("0s") == 0
    assert format_memory(2**30) == "1G"
    assert format_memory(2**30 + 1) == str(2**30 + 1)
    assert format_duration(5400) == "90m"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (30, "30 has no unit; write 30s for seconds, or 30m for minutes"),
        ("1.5", "'1.5' has no unit; write 1.5s for seconds, or 1.5m for minutes"),
        (7200, "7200 has no unit; write 2h for 7200 seconds"),
        (0, "0 has no unit; write never"),
        ("30 minutes", "unknown unit in '30 minutes'; write 30m (units"),
        ("2 Hours", "unknown unit in '2 Hours'; write 2h (units"),
        ("3 weeks", "unknown unit in '3 weeks'; write a duration like 30m or 2h (units"),
    ],
)
def test_durations_are_refused_with_the_right_spelling(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_duration(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["9" * 400, "1e9", "0x10", "1,5G", "G", "", "٣x", True, [], {}])
def test_refused(value: object) -> None:
    if value == "9" * 400:
        assert parse_memory(value) == int(value)  # beyond every float, yet a number
        return
    for parse in (parse_memory, parse_duration):
        with pytest.raises(ValueError, match="write (it|memory|a duration) like|has no unit"):
            parse(value)  # type: ignore[arg-type]
