# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module server_uv: copies uv to a machine that does not have it."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_action import ServerAction
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_cluster import ServerCluster
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.uv import uv_for


class ActionModule(ServerAction):
    """Copies uv to the machine unless it is there."""

    #: The processor of the machine.
    architecture = ""

    def arguments(self, hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any] | None:
        """Return the module's arguments; None on the controller, which has uv."""
        self.architecture = cluster.facts.architecture
        return super().arguments(hub, cluster, given)

    def apply(self, arguments: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        """Run the module; if uv is missing, copy it and run the module again."""
        found = super().apply(arguments, task_vars)
        if found.get("there", True) or self._task.check_mode:
            return found
        program = uv_for(self.architecture)
        directory = self._make_tmp_path()
        there = self._transfer_file(program, self._connection._shell.join_path(directory, os.path.basename(program)))
        self._fixup_perms2([directory, there])
        return super().apply({**arguments, "source": there}, task_vars)
