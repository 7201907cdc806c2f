# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amounts as people write them: memory (``2G``) and durations (``30m``).

The words are those of JupyterHub's ``ByteSpecification`` (powers of 1024) and of systemd's
time spans, cut down to what needs no explanation.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

MEMORY_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
DURATION_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

_AMOUNT = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$")


class Memory(int):
    """Bytes that keep their original text: charts get ``7.2G`` as it is, and diffs stay readable."""

    written: str | int | float

    def __new__(cls, size: int, written: str | int | float | None = None) -> Memory:
        memory = super().__new__(cls, size)
        memory.written = size if written is None else written
        return memory

    @property
    def specification(self) -> str | int | float:
        """The amount in the format of JupyterHub's ByteSpecification: the original text if it is valid there."""
        if not isinstance(self.written, str) or re.fullmatch(r"\d+(\.\d+)?[KMGT]?", self.written):
            return self.written
        return format_memory(self)


def parse_memory(value: str | int | float) -> Memory:
    """Return ``value`` in bytes.

    Takes a number of bytes or text such as ``512M``, ``2G``, ``1.5G``, ``2GB`` or ``2GiB``.
    Raises ValueError, with the allowed units, for anything else.
    """
    number, unit = _split(value, "memory", "512M or 2G")
    unit = re.sub(r"I?B$", "", unit.upper())
    if unit not in MEMORY_UNITS:
        raise ValueError(f"unknown unit in {value!r}; write memory like 512M or 2G (units: K, M, G, T)")
    return Memory(int(number * MEMORY_UNITS[unit]), value)


def parse_duration(value: str | int | float) -> int:
    """Return ``value`` in whole seconds.

    Takes text such as ``90s``, ``30m``, ``2h``, ``1d``, or ``never`` (0). A number without a unit is refused, since
    people mean seconds or minutes by it. Raises ValueError, with the nearest valid spelling, for anything else.
    """
    if isinstance(value, str) and value.strip() == "never":
        return 0
    number, unit = _split(value, "a duration", "30m or 2h")
    if not unit:
        raise ValueError(f"{value!r} has no unit; write {_with_unit(number)}")
    if unit not in DURATION_UNITS:
        likely = (
            f"{_shown(number)}{unit[0].lower()}" if unit[0].lower() in DURATION_UNITS else "a duration like 30m or 2h"
        )
        raise ValueError(f"unknown unit in {value!r}; write {likely} (units: s, m, h, d), or 'never'")
    return int(number * DURATION_UNITS[unit])


def _with_unit(number: Fraction) -> str:
    """Return what a duration without a unit may have meant."""
    if not number:
        return "never"
    if number.denominator == 1 and not number % 60:
        return f"{format_duration(int(number))} for {number} seconds"
    return f"{_shown(number)}s for seconds, or {_shown(number)}m for minutes"


def _shown(number: Fraction) -> str:
    return str(number) if number.denominator == 1 else f"{float(number):g}"


def format_memory(size: int) -> str:
    """Return bytes as the shortest exact text with a unit: 1073741824 -> ``1G``."""
    for unit in ("T", "G", "M", "K"):
        if size and size % MEMORY_UNITS[unit] == 0:
            return f"{size // MEMORY_UNITS[unit]}{unit}"
    return str(size)


def format_duration(seconds: int) -> str:
    """Return seconds as the shortest exact text with a unit: 5400 -> ``90m``; 0 -> ``never``."""
    if not seconds:
        return "never"
    for unit in ("d", "h", "m"):
        if seconds % DURATION_UNITS[unit] == 0:
            return f"{seconds // DURATION_UNITS[unit]}{unit}"
    return f"{seconds}s"


def _split(value: Any, what: str, examples: str) -> tuple[Fraction, str]:
    """Return (number, unit) of an amount; refuse booleans, negative numbers and free text."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"{value!r} is not {what}; write it like {examples}")
    match = _AMOUNT.match(str(value))
    if not match:
        raise ValueError(f"{value!r} is not {what}; write it like {examples}")
    # Exact for numbers of any size, unlike float.
    return Fraction(match.group(1)), match.group(2)
