# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module server_hub."""

from __future__ import annotations

import base64
import json
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.model import Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.live import (
    config_files,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.platform import (
    ServerPlatform,
    copied_files,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.records import record_of
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_action import ServerAction


class ActionModule(ServerAction):
    """Fills in the hub's files."""

    def arguments(self, hub: Hub, platform: ServerPlatform, given: dict[str, Any]) -> dict[str, Any]:
        """Return paths, names of secrets and the packed files."""
        desired = platform.desired(hub)
        texts = {name: text.encode() for name, text in config_files(desired).items()}
        for name, path in copied_files(hub, platform.directory).items():
            with open(path, "rb") as file:
                texts[name] = file.read()
        return {
            "hub": hub.name,
            "directory": platform.setup.layout.hub(hub.name).directory,
            "homes": desired.config["homes"],
            "own_homes": not hub["hub_home_directory"],
            "runtime": platform.setup.runtime,
            "shared_homes": platform.setup.isolation == "system-users",
            "generated": list(desired.generated),
            "content": pack(texts),
            "record": record_of(desired, texts, platform.directory),
            "keep": hub.cluster["cluster_history"],
        }


def pack(texts: dict[str, bytes]) -> str:
    """Return files as one word, so that hiding it hides all of it and nothing else."""
    encoded = {name: base64.b64encode(content).decode() for name, content in texts.items()}
    return base64.b64encode(json.dumps(encoded).encode()).decode()
