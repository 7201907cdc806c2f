# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems of an inventory: one line each, and all of a run together."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..common.nested import path_text
from ..common.text import abbreviated
from .model import ValuePath


@dataclass
class Problem:
    """One defect.

    path: the variable and the place inside it, such as ``("hub_sizes", 1)``; () where it is about no variable.
    message: what is wrong and what is allowed; one sentence, no newline, never a secret value.
    origin: ``file:line`` of the value, or "" when Ansible does not know it.
    hubs: the hubs that have it; a group variable that is wrong for ninety hubs is one problem.
    stops: more hubs that cannot go on because of it, although the defect is not theirs.
    ignorable_as: the entry of ``hub_ignored_problems`` that ignores it; "" where nothing can.
    ignored: its hubs ignore it, so it stops nothing.
    note: it is no defect, and only told; such are ignored, too.
    """

    path: ValuePath
    message: str
    origin: str = ""
    hubs: list[str] = field(default_factory=list)
    stops: set[str] = field(default_factory=set)
    ignorable_as: str = ""
    ignored: bool = False
    note: bool = False

    @property
    def place(self) -> str:
        """The path as people write it."""
        return path_text(self.path)

    def line(self) -> str:
        """Return the problem as one line for a person."""
        subject = ", ".join(self.hubs)
        if self.origin and len(self.hubs) > 1:  # the origin tells which hubs
            subject = abbreviated(self.hubs, 1)
        return ": ".join(part for part in (self.origin, subject, self.place, self.message) if part)


class Problems:
    """Collects problems; the same problem of several hubs is kept once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str, bool], Problem] = {}

    def add(
        self,
        path: ValuePath,
        message: str,
        origin: str = "",
        hub: str = "",
        stops: Iterable[str] = (),
        ignorable_as: str = "",
        ignored: bool = False,
        note: bool = False,
    ) -> None:
        """Record a problem."""
        ignored = ignored or note
        made = Problem(path, message, origin, ignorable_as=ignorable_as, ignored=ignored, note=note)
        problem = self._found.setdefault((origin, made.place, message, ignored), made)
        if hub and hub not in problem.hubs:
            problem.hubs.append(hub)
        problem.stops.update(stops)

    def of(self, hubs: Iterable[str], ignored: bool = False) -> list[Problem]:
        """Return the problems that concern any of ``hubs`` or the fleet as a whole, by origin; these hubs come first.

        ignored: return those that stop nothing instead.
        """
        wanted = {name: index for index, name in enumerate(hubs)}
        concerning = [p for p in self._found.values() if not p.hubs or wanted.keys() & {*p.hubs, *p.stops}]
        found = [problem for problem in concerning if problem.ignored == ignored]
        for problem in found:
            problem.hubs.sort(key=lambda name: wanted.get(name, len(wanted)))
        return sorted(found, key=lambda problem: (_file_and_line(problem.origin), problem.place))


def nearest(
    name: str,
    known: Iterable[str],
    what: str = "there are",
    prefix: str = "",
    elsewhere: Iterable[str] = (),
    most: int = 12,
) -> str:
    """Return the end of a message about an unknown name: the nearest valid name, or all of them.

    prefix: what all names start with, so that it says nothing about how near they are.
    elsewhere: more names that may have been meant, but are not listed.
    most: how many names are listed at most.
    """
    known = sorted(known)
    ends = [valid[len(prefix) :] for valid in (*known, *elsewhere)]
    close = difflib.get_close_matches(str(name)[len(prefix) :], ends, n=1, cutoff=0.6)
    if close:
        hint = f"; did you mean {prefix + close[0]!r}?"
        return hint if len(known) > most else f"{hint} ({what}: {', '.join(known)})"
    return f"; {what}: {', '.join(known) if known else 'none'}" if len(known) <= most else ""


def _file_and_line(origin: str) -> tuple[str, int]:
    """Return the sort key of ``file:line``."""
    path, _colon, line = origin.rpartition(":")
    return (path, int(line)) if line.isdigit() else (origin, 0)
