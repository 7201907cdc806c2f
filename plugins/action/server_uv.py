# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module server_uv: brings uv to another machine."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import LOCALHOST, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_action import ServerAction, ServerCluster
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.uv import uv_directory, uv_for


class ActionModule(ServerAction):
    """Copies the program where it is not there yet."""

    #: What the machine's processor is; "" for this machine, which has its own.
    architecture = ""

    def arguments(self, hub: Hub, platform: ServerCluster, given: dict[str, Any]) -> dict[str, Any]:
        """Return where uv belongs."""
        if self.machine.host != LOCALHOST:
            self.architecture = platform.facts.architecture
        return {
            "state_directory": platform.setup.layout.root,
            "directory": uv_directory(platform.facts.architecture),
        }

    def apply(self, arguments: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        """Ask whether it is there; bring it where it is not."""
        if not self.architecture:
            return {"changed": False}
        found = super().apply(arguments, task_vars)
        if found.get("there", True) or self._task.check_mode:
            return found
        program = uv_for(self.architecture)
        directory = self._make_tmp_path()
        there = self._transfer_file(program, self._connection._shell.join_path(directory, os.path.basename(program)))
        self._fixup_perms2([directory, there])
        return super().apply({**arguments, "source": there}, task_vars)
