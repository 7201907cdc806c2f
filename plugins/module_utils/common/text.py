# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts for people: numbers of things, lines and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def plural(number: int, noun: str) -> str:
    """Return a number of things: ``1 hub``, ``2 hubs``, ``3 entries``."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("ry") else f"{number} {noun}s"


def abbreviated(texts: Sequence[str], most: int) -> str:
    """Return texts in one line, at most so many of them: ``a, b and 3 more``."""
    shown = ", ".join(texts[:most])
    return f"{shown} and {len(texts) - most} more" if len(texts) > most else shown


def one_line(text: object, width: int | None = None) -> str:
    """Return a text as one line, cut to ``width`` characters."""
    line = " ".join(str(text).split())
    return line if width is None or len(line) <= width else line[: width - 1] + "…"


def nonempty_lines(text: str) -> list[str]:
    """Return the lines of a text that hold anything, with single spaces."""
    return [one_line(line) for line in text.splitlines() if line.strip()]


def aligned(rows: Sequence[Sequence[str]], numbers_from: int | None = None) -> list[str]:
    """Return the lines of a table; columns from the index ``numbers_from`` on are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if numbers_from is None or column < numbers_from else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def markdown_row(cells: Iterable[object]) -> str:
    """Return a row of a Markdown table."""
    texts = [str(cell).replace("|", "\\|") for cell in cells]
    return "|" + "".join(f" {text} |" if text else " |" for text in texts)


def markdown_table(headings: Sequence[str], rows: Iterable[Iterable[object]], numbers: Sequence[str] = ()) -> list[str]:
    """Return the lines of a Markdown table; the columns called ``numbers`` are aligned to the right."""
    rule = markdown_row("---:" if heading in numbers else "---" for heading in headings)
    return [markdown_row(headings), rule, *map(markdown_row, rows)]
