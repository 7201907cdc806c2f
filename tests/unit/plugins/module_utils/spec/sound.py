# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sound hub to break, and what validation says of it."""

from __future__ import annotations

from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.model import Fleet, FleetInput, HostInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.spec.validate import validate

SOUND: dict[str, Any] = {
    "hub_port": 8000,
    "hub_authenticator": "shared-password",
    "hub_allowed_users": ["ada"],
    "hub_environment_catalogue": {"python": {}},
    "hub_environments": ["python"],
    "hub_size_catalogue": {"small": {"memory": "1G"}},
    "hub_sizes": ["small"],
}


def fleet_of(variables: dict[str, Any], **others: dict[str, Any]) -> tuple[Fleet, list[str]]:
    """Validate the hub alpha, and others beside it; return the fleet and what is wrong with it."""
    hosts = {"alpha": variables, **others}
    inventory = FleetInput(
        {name: HostInput(name, values, frozenset({"staging"})) for name, values in hosts.items()},
        {"machine": list(hosts)},
    )
    fleet, problems = validate(inventory)
    return fleet, [problem.line() for problem in problems.of(hosts)]


def lines(variables: dict[str, Any], **others: dict[str, Any]) -> list[str]:
    """Return what is wrong."""
    return fleet_of(variables, **others)[1]


def hub_of(**variables: Any) -> Hub:
    """Return a sound hub with some variables of its own."""
    fleet, found = fleet_of({**SOUND, **variables})
    assert found == []
    return fleet.hubs["alpha"]
