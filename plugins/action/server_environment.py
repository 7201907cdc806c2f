# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module server_environment."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.environments import (
    npm_command,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import LOCALHOST, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_action import ServerAction, ServerCluster
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.uv import find_uv, uv_directory


class ActionModule(ServerAction):
    """Fills in what the directory is built from."""

    def arguments(self, hub: Hub, platform: ServerCluster, given: dict[str, Any]) -> dict[str, Any]:
        """Return the build that the hub needs under the given name."""
        wanted = given["directory"]
        build = next((build for build in platform.desired(hub).builds if build.directory == wanted), None)
        if build is None:
            raise AnsibleActionFail(f"hub {hub.name} needs nothing that is called {wanted!r}; plan again")
        return {
            "build": asdict(build),
            "state_directory": platform.setup.layout.root,
            "uv": self._uv(platform),
            "npm": npm_command(platform.setup, platform.assets),
            "package_index": hub.cluster["cluster_package_index"],
            "npm_registry": hub.cluster["cluster_npm_registry"],
        }

    def _uv(self, platform: ServerCluster) -> str:
        """Return the path of uv on the machine; server_uv brings it to others than this one."""
        if self.machine.host == LOCALHOST:
            return find_uv()
        return f"{platform.setup.layout.tool(uv_directory(platform.facts.architecture))}/uv"
