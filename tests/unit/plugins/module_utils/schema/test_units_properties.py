# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amounts: exact, monotone, and never anything but ValueError."""

from __future__ import annotations

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.units import (
    format_duration,
    format_memory,
    parse_duration,
    parse_memory,
)

hypothesis = pytest.importorskip("hypothesis")
given, st = hypothesis.given, hypothesis.strategies

SIZES = st.integers(min_value=0, max_value=2**80)
NUMBERS = st.decimals(min_value=0, max_value=10**9, places=3).map(lambda number: format(number, "f"))
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.lists(st.integers()),
    st.from_regex(r"\s*\d*\.?\d*\s*[A-Za-z]*\s*"),
)


@given(SIZES)
def test_memory_round_trip(size: int) -> None:
    assert parse_memory(format_memory(size)) == size


@given(SIZES)
def test_duration_round_trip(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@given(NUMBERS, NUMBERS, st.sampled_from(["", "K", "M", "G", "T", "GB", "MiB"]))
def test_memory_is_monotone(one: str, other: str, unit: str) -> None:
    low, high = sorted((one, other), key=float)
    assert parse_memory(low + unit) <= parse_memory(high + unit)


@given(NUMBERS, NUMBERS, st.sampled_from(["s", "m", "h", "d"]))
def test_duration_is_monotone(one: str, other: str, unit: str) -> None:
    low, high = sorted((one, other), key=float)
    assert parse_duration(low + unit) <= parse_duration(high + unit)


@given(ANYTHING)
def test_nothing_but_value_errors(value: object) -> None:
    for parse in (parse_memory, parse_duration):
        try:
            result = parse(value)  # type: ignore[arg-type]
        except ValueError:
            continue
        assert isinstance(result, int)
        assert result >= 0
