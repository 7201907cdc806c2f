# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the servers of a hub's users are kept apart: one interface, several ways."""

from __future__ import annotations

from hubfleet_runtime.isolation.base import Isolation, IsolationError, Limits, Place, Unit, Where
from hubfleet_runtime.isolation.bubblewrap import Bubblewrap
from hubfleet_runtime.isolation.shared import Shared
from hubfleet_runtime.isolation.system_users import SystemUsers
from hubfleet_runtime.isolation.unit_users import AccountUnits, DynamicUsers

WAYS: dict[str, type[Isolation]] = {
    "system-users": SystemUsers,
    "bubblewrap": Bubblewrap,
    "none": Shared,
    "systemd": DynamicUsers,
}

__all__ = ["Isolation", "IsolationError", "Limits", "Place", "Unit", "WAYS", "Where", "create"]


def create(way: str, where: Where) -> Isolation:
    """The isolation of that name; IsolationError when there is none, or it cannot work here."""
    if way not in WAYS:
        raise IsolationError(f"no isolation {way!r}; there are: {', '.join(WAYS)}")
    chosen = AccountUnits if way == "system-users" and where.slice else WAYS[way]
    isolation = chosen(where)
    isolation.check()
    return isolation
