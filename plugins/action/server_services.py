# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module server_services."""

from __future__ import annotations

from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_action import ServerAction, ServerCluster


class ActionModule(ServerAction):
    """Fills in the hub's services."""

    def arguments(self, hub: Hub, platform: ServerCluster, given: dict[str, Any]) -> dict[str, Any]:
        """Return the services, their supervisor and the hub's health address."""
        desired = platform.desired(hub)
        return {
            "services": [service.as_dict() for service in desired.services],
            "supervisor": platform.supervisor(),
            "config": {key: desired.config[key] for key in ("bind", "base_url", "ports", "tls")},
        }
