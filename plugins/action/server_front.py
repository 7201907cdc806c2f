# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module server_front."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.platform import (
    ServerPlatform,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_action import ServerAction


class ActionModule(ServerAction):
    """Fills in the front door of the hub's cluster."""

    def arguments(self, hub: Hub, platform: ServerPlatform, given: dict[str, Any]) -> dict[str, Any] | None:
        """Return the front door, its service and the supervisor; None where there is none, and was none."""
        front = platform.front
        if not front.wanted and not platform.survey.served:
            return None
        service = platform.front_service()
        return {
            "hub": hub.name,
            "state_directory": platform.setup.layout.root,
            "front_door": asdict(front),
            "service": {**asdict(service), "command": list(service.command)},
            "supervisor": platform.supervisor(),
        }
