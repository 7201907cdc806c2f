# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_validate."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.model import (
    Fleet,
    FleetInput,
    Hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
)


class ActionModule(FleetAction):
    """Validates the whole inventory; see the module's documentation."""

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Report what was found valid; problems never reach this point."""
        clusters = {hub.cluster.name for hub in hubs}
        display.display(f"{_count(hubs, 'hub')} in {_count(clusters, 'cluster')}: valid")
        return {"changed": False, "hubs": [hub.name for hub in hubs], "clusters": sorted(clusters)}


def _count(things: Sized, noun: str) -> str:
    return f"{len(things)} {noun}{'s' if len(things) != 1 else ''}"
