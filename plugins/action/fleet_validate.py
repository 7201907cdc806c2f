# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_validate."""

from __future__ import annotations

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
        display.display(
            f"{len(hubs)} hub{'s' if len(hubs) != 1 else ''} in {len(clusters)} cluster{'s' if len(clusters) != 1 else ''}: valid"
        )
        return {"changed": False, "hubs": [hub.name for hub in hubs], "clusters": sorted(clusters)}
