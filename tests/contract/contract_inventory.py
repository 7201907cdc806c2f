# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small inventories, as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput, HostInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.validate import validate

CLUSTER = "machine"
#: A text that the inventory keeps encrypted.
SECRET = "correct-horse-battery"

SOUND: dict[str, Any] = {
    "hub_port": 18100,
    "hub_authenticator": "shared-password",
    "hub_allowed_users": ["ada"],
    "hub_environment_catalogue": {"python": {}, "julia": {}},
    "hub_environments": ["python", "julia"],
    "hub_size_catalogue": {"small": {"memory": "1G"}, "large": {"memory": "2G"}},
    "hub_sizes": ["small", "large"],
}


def inventory_of(
    options: dict[str, Any], *hubs: str, clusters: Sequence[str] = (CLUSTER,), **variables: Any
) -> tuple[FleetInput, list[Hub]]:
    """Return an inventory of sound hubs, and what it means; variables: of all of them.

    hubs: one for each cluster unless named, from "alpha" on. clusters: their names; hubs go to them in turn.
    """
    hosts = {
        name: HostInput(
            name,
            {**SOUND, "hub_port": SOUND["hub_port"] + 10 * number, **options, **variables},
            frozenset({"staging"}),
            secret_texts=lambda: frozenset({SECRET}),
        )
        for number, name in enumerate(hubs or ("alpha", "beta")[: len(clusters)])
    }
    inventory = FleetInput(hosts, {name: list(hosts)[place :: len(clusters)] for place, name in enumerate(clusters)})
    fleet, problems = validate(inventory)
    assert [problem.line() for problem in problems.of(hosts)] == []
    return inventory, list(fleet.hubs.values())
