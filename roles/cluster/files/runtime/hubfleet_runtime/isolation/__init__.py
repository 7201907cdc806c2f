# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Isolate the servers of a hub's users: one interface, several backends."""

from __future__ import annotations

from hubfleet_runtime.isolation.base import HubContext, Isolation, IsolationError, Limits, ServerContext, Unit
from hubfleet_runtime.isolation.bubblewrap import Bubblewrap
from hubfleet_runtime.isolation.no_isolation import NoIsolation
from hubfleet_runtime.isolation.system_users import SystemUsers
from hubfleet_runtime.isolation.unit_isolation import DynamicUserUnits, SystemUserUnits

BACKENDS: dict[str, type[Isolation]] = {
    "system-users": SystemUsers,
    "bubblewrap": Bubblewrap,
    "none": NoIsolation,
    "systemd": DynamicUserUnits,
}

__all__ = ["BACKENDS", "HubContext", "Isolation", "IsolationError", "Limits", "ServerContext", "Unit", "create"]


def create(name: str, hub: HubContext) -> Isolation:
    """Return the backend of that name. Raises IsolationError if it is unknown or cannot work on this machine."""
    if name not in BACKENDS:
        raise IsolationError(f"unknown isolation {name!r}; possible: {', '.join(BACKENDS)}")
    backend = SystemUserUnits if name == "system-users" and hub.slice else BACKENDS[name]
    isolation = backend(hub)
    isolation.check()
    return isolation
