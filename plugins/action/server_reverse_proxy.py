# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module server_reverse_proxy."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_action import ServerAction, ServerCluster


class ActionModule(ServerAction):
    """Fills in the reverse proxy of the hub's cluster."""

    def arguments(self, hub: Hub, platform: ServerCluster, given: dict[str, Any]) -> dict[str, Any] | None:
        """Return the reverse proxy, its service and the supervisor; None where there is none, and was none."""
        reverse_proxy = platform.reverse_proxy
        if not reverse_proxy.wanted and not platform.facts.served:
            return None
        service = platform.reverse_proxy_service()
        return {
            "hub": hub.name,
            "state_directory": platform.setup.layout.root,
            "reverse_proxy": asdict(reverse_proxy),
            "service": service.as_dict(),
            "supervisor": platform.supervisor(),
        }
