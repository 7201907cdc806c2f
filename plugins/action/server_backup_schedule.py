# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module server_backup_schedule."""

from __future__ import annotations

from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.backups import program_arguments, settings_of
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_action import ServerAction, ServerCluster


class ActionModule(ServerAction):
    """Fills in when backups are made, where they go, and by what."""

    def arguments(self, hub: Hub, platform: ServerCluster, given: dict[str, Any]) -> dict[str, Any]:
        """Return the program, its settings where it is needed, and the schedule."""
        when = hub.cluster["cluster_backup_schedule"]
        return {
            **program_arguments(platform),
            "schedule": when,
            "settings": "" if when == "never" else settings_of(hub),
            "systemd": platform.setup.supervisor == "systemd",
        }
