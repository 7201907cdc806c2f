# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments that were built on clusters: how old and large they are, who offers them, and who uses them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class BuiltEnvironment:
    """An environment that was built.

    name: in the inventory. directory: names the build. built: when, in UTC, as 2026-11-24T08:15:00Z. size: bytes.
    users: whose servers run in it now. hubs: those that offer it since their last deploy. earlier: those that can be
    rolled back to it.
    """

    name: str
    directory: str
    built: str
    size: int
    users: list[str] = field(default_factory=list)
    hubs: list[str] = field(default_factory=list)
    earlier: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class LastUse:
    """When a user last worked in an environment. environment: "" for the one that is preselected. when: as above."""

    hub: str
    user: str
    environment: str
    when: str


@dataclass(frozen=True)
class FoundEnvironments:
    """What a cluster knows of its environments."""

    built: list[BuiltEnvironment] = field(default_factory=list)
    uses: list[LastUse] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the same as JSON-able data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FoundEnvironments:
        """Return what :meth:`as_dict` returned."""
        return cls([BuiltEnvironment(**each) for each in values["built"]], [LastUse(**each) for each in values["uses"]])

    def last_use(self, environment: str, hubs: dict[str, str]) -> LastUse | None:
        """Return who used an environment last. hubs: hub -> the environment that is preselected there."""
        uses = [use for use in self.uses if use.hub in hubs and (use.environment or hubs[use.hub]) == environment]
        return max(uses, key=lambda use: use.when, default=None)
