# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line of a log that says why a program ended."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ....common.text import one_line

_TRACEBACK = "Traceback (most recent call last):"
#: "[C 2026-11-30 05:12:15.123 JupyterHub app:3852]", by the format of logs of JupyterHub and Jupyter.
_PREFIX = re.compile(r"^\s*\[[DIWEC] \d{4}-\d\d-\d\d[^\]]*\]\s*")
_CRITICAL = re.compile(r"^\s*\[C \d{4}-")
_ERROR = re.compile(
    r"^\s*\[[EC] \d{4}-|\b(ERROR|CRITICAL|FATAL)\b|^\s*(fatal|error|panic):|^[\w.]*(Error|Exception)( \[\w+\])?: ",
    re.MULTILINE,
)


def last_words(log: str) -> str:
    """Return the line of a log that says why the program ended: "" for an empty log.

    That is the last line of its last traceback, unless something critical follows; else its last error; else its last
    line.
    """
    lines = [line for line in log.splitlines() if line.strip()]
    end = _end_of_traceback(lines)
    critical = [number for number, line in enumerate(lines) if _CRITICAL.match(line) and number > end]
    if critical:
        return one_line(_PREFIX.sub("", lines[critical[-1]]))
    if end >= 0:
        return one_line(lines[end])
    errors = [line for line in lines if _ERROR.search(line)]
    found = errors or lines
    return one_line(_PREFIX.sub("", found[-1])) if found else ""


def has_reason(log: str) -> bool:
    """Tell whether a log has a traceback or an error."""
    lines = [line for line in log.splitlines() if line.strip()]
    return _end_of_traceback(lines) >= 0 or any(map(_ERROR.search, lines))


def _end_of_traceback(lines: Sequence[str]) -> int:
    """Return the index of the line with the exception of the last traceback, -1 without one."""
    starts = [number for number, line in enumerate(lines) if _TRACEBACK in line]
    if not starts:
        return -1
    indent = _indent(lines[starts[-1]])
    for number in range(starts[-1] + 1, len(lines)):
        if _indent(lines[number]) <= indent:
            return number
    return -1


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
