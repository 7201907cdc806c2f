# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers, lines and tables for people."""

from __future__ import annotations

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.text import (
    aligned,
    markdown_table,
    nonempty_lines,
    one_line,
    plural,
)


def test_plural() -> None:
    assert [plural(number, "hub") for number in (0, 1, 2)] == ["0 hubs", "1 hub", "2 hubs"]
    assert [plural(number, "entry") for number in (1, 2)] == ["1 entry", "2 entries"]


def test_lines() -> None:
    assert one_line(" a\n b\tc ") == "a b c"
    assert one_line("abcdef", width=4) == "abc…"
    assert nonempty_lines("a  b\n\n c\n") == ["a b", "c"]


def test_tables() -> None:
    assert aligned([]) == []
    assert aligned([("hub", "s"), ("a", "12.5"), ("bcd", "")], numbers_from=1) == ["hub     s", "a    12.5", "bcd"]
    assert aligned([("hub", "s"), ("a", "b")]) == ["hub  s", "a    b"]
    assert markdown_table(("a", "n"), [("x|y", 1), ("", 2)], numbers=("n",)) == [
        "| a | n |",
        "| --- | ---: |",
        "| x\\|y | 1 |",
        "| | 2 |",
    ]
