# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with an inventory: one line per problem, all problems of a run together."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Problem:
    """One defect.

    variable: the variable and the place inside it, such as ``hub_sizes[1]``.
    message: what is wrong and what is allowed; one sentence, no newline, never a secret value.
    where: ``file:line`` of the value, or "" when Ansible does not know it.
    hubs: the hubs that have it; a group variable that is wrong for ninety hubs is one problem.
    stops: more hubs that cannot go on because of it, although the defect is not theirs.
    tolerable: what ``hub_ignored_problems`` would have to hold for it to stop nothing; "" where nothing can.
    tolerated: it stops nothing, since its hubs say so there.
    """

    variable: str
    message: str
    where: str = ""
    hubs: list[str] = field(default_factory=list)
    stops: set[str] = field(default_factory=set)
    tolerable: str = ""
    tolerated: bool = False

    def line(self) -> str:
        """Return the problem as one line for a person."""
        where = f"{self.where}: " if self.where else ""
        subject = f"{', '.join(self.hubs)}: " if self.hubs else ""
        if self.where and len(self.hubs) > 1:  # the place tells which hubs
            subject = f"{self.hubs[0]} and {len(self.hubs) - 1} more: "
        variable = f"{self.variable}: " if self.variable else ""
        return f"{where}{subject}{variable}{self.message}"


class Problems:
    """Collects problems; the same problem of several hubs is kept once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str, bool], Problem] = {}

    def add(
        self,
        variable: str,
        message: str,
        where: str = "",
        hub: str = "",
        stops: Iterable[str] = (),
        tolerable: str = "",
        tolerated: bool = False,
    ) -> None:
        """Record a problem."""
        key = (where, variable, message, tolerated)
        made = Problem(variable, message, where, tolerable=tolerable, tolerated=tolerated)
        problem = self._found.setdefault(key, made)
        if hub and hub not in problem.hubs:
            problem.hubs.append(hub)
        problem.stops.update(stops)

    def of(self, hubs: Iterable[str], tolerated: bool = False) -> list[Problem]:
        """Return the problems that concern any of ``hubs`` or the fleet as a whole, by place; these hubs come first.

        tolerated: return those that stop nothing instead.
        """
        wanted = {name: index for index, name in enumerate(hubs)}
        concerning = [p for p in self._found.values() if not p.hubs or wanted.keys() & {*p.hubs, *p.stops}]
        found = [problem for problem in concerning if problem.tolerated == tolerated]
        for problem in found:
            problem.hubs.sort(key=lambda name: wanted.get(name, len(wanted)))
        return sorted(found, key=lambda p: (_place(p.where), p.variable))


def nearest(
    name: str, known: Iterable[str], what: str = "there are", prefix: str = "", elsewhere: Iterable[str] = ()
) -> str:
    """Return the end of a message about an unknown name: the nearest valid one, or all of them.

    prefix: what all names start with, so that it says nothing about how near they are.
    elsewhere: more names that may have been meant, but are not listed.
    """
    known = sorted(known)
    ends = [valid[len(prefix) :] for valid in (*known, *elsewhere)]
    close = difflib.get_close_matches(str(name)[len(prefix) :], ends, n=1, cutoff=0.6)
    if close:
        hint = f"; did you mean {prefix + close[0]!r}?"
        return hint if len(known) > 12 else f"{hint} ({what}: {', '.join(known)})"
    return f"; {what}: {', '.join(known) if known else 'none'}" if len(known) <= 12 else ""


def _place(where: str) -> tuple[str, int]:
    """Sort key of ``file:line``."""
    path, _colon, line = where.rpartition(":")
    return (path, int(line)) if line.isdigit() else (where, 0)
