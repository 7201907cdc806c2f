# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may use which shared directory of a hub. Standard library only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READ, WRITE = "read", "write"


@dataclass(frozen=True)
class Grant:
    """What a user may do with a shared directory.

    path: where the user finds it, relative to the home. source: the directory. gid: the group that gives the right;
    None where no group does.
    """

    path: str
    source: Path
    writable: bool
    gid: int | None = None


@dataclass(frozen=True)
class SharedDirectory:
    """An entry of hub_shared_directories; see there.

    path: relative to the home. allowed_groups: None for everybody. writable_by_groups: None for all who find it. Groups
    are without case. source: a directory of the operator's; "" for one of the hub's.
    """

    name: str
    path: str
    read_only: bool = False
    allowed_groups: frozenset[str] | None = None
    writable_by_groups: frozenset[str] | None = None
    source: str = ""

    @classmethod
    def read(cls, name: str, entry: dict[str, Any]) -> SharedDirectory:
        """Return the directory that an entry of hub.json describes."""
        allowed, writable = entry.get("allowed_groups"), entry.get("writable_by_groups")
        return cls(
            name,
            entry["path"],
            bool(entry.get("read_only")),
            None if allowed is None else frozenset(group.casefold() for group in allowed),
            None if writable is None else frozenset(group.casefold() for group in writable),
            entry.get("source") or "",
        )

    def right(self, groups: Collection[str]) -> str:
        """Return the right of a user who is in these groups: READ, WRITE, or "" for none."""
        if self.writable_by_groups is not None and not self.writable_by_groups.isdisjoint(groups):
            return WRITE
        if self.allowed_groups is not None and self.allowed_groups.isdisjoint(groups):
            return ""
        return READ if self.read_only or self.writable_by_groups is not None else WRITE
