# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of a check as a table."""

from __future__ import annotations

from collections.abc import Sequence

from ..common.text import aligned
from .results import ChoiceResult, HubResult

HEADINGS = ("hub", "environment/size", "result", "start s", "kernel s", "code s", "total s")
NUMBERS_FROM = 3
ABSENT = "-"


def table(results: Sequence[HubResult]) -> list[str]:
    """Return the lines of a table with one row per choice, and the failures below it.

    A failure names the step and the error, followed by the last lines of the server's log. A hub without choices has a
    row of its own.
    """
    rows: list[tuple[str, ...]] = [HEADINGS]
    details: list[str] = []
    for hub in results:
        rows += [_row(hub, choice) for choice in hub.choices]
        if not hub.choices:
            numbers = (ABSENT, ABSENT, ABSENT, _seconds(hub.seconds))
            rows.append((hub.name, ABSENT, _result(hub.ok), *numbers))
        details += _details(hub)
    return aligned(rows, NUMBERS_FROM) + (["", *details] if details else [])


def _row(hub: HubResult, choice: ChoiceResult) -> tuple[str, ...]:
    return (
        hub.name,
        choice.choice.title,
        _result(choice.ok),
        _seconds(choice.seconds("start", "progress")),
        _seconds(choice.seconds("kernel")),
        _seconds(choice.seconds("run")),
        _seconds(choice.seconds()),
    )


def _result(ok: bool) -> str:
    return "ok" if ok else "FAILED"


def _seconds(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.1f}"


def _details(hub: HubResult) -> list[str]:
    lines: list[str] = []
    if hub.error:
        lines.append(f"{hub.name}: failed in step connect ({hub.url}): {hub.error}")
    for choice in hub.choices:
        where = f"{hub.name}: {choice.choice.title}"
        if choice.skipped:
            lines.append(f"{where}: {choice.skipped}")
        if choice.ok or hub.error:
            continue
        lines.append(f"{where} failed in step {choice.failed_step}: {choice.error}")
        lines += [f"    {line}" for line in choice.log_lines]
    lines += [f"{hub.name}: not cleaned up: {problem}" for problem in hub.cleanup_problems]
    return lines
