# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module server_hub."""

from __future__ import annotations

from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.hub_files import pack, texts_of
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.records import record_of
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_action import ServerAction, ServerCluster


class ActionModule(ServerAction):
    """Fills in the hub's files."""

    def arguments(self, hub: Hub, platform: ServerCluster, given: dict[str, Any]) -> dict[str, Any]:
        """Return paths, names of secrets and the packed files."""
        desired = platform.desired(hub)
        texts = texts_of(hub, desired, platform.directory)
        return {
            "hub": hub.name,
            "directory": platform.setup.layout.hub(hub.name).directory,
            "homes": desired.config["homes"],
            "own_homes": not hub["hub_home_directory"],
            "runtime_directory": platform.setup.runtime_directory,
            "shared_homes": platform.setup.open_homes,
            "generated": list(desired.generated),
            "content": pack(texts),
            "record": record_of(desired, texts, platform.directory),
            "keep": hub.cluster["cluster_history_limit"],
        }
