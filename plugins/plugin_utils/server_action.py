# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions of server_* modules share: they fill in what the inventory says of one hub."""

from __future__ import annotations

import shutil
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.model import Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.environments import (
    supervisor_environment,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.machine import (
    Machine,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.platform import (
    ServerPlatform,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import assets
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.inventory import (
    plain,
    read_inventory,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.platforms import check_deployable
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.validation import validated


class ServerAction(ActionBase):
    """Base of actions that run the module of the same name for one hub, on its machine."""

    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Run the module with what :meth:`arguments` adds to the task's own arguments."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        given = {key: plain(value) for key, value in self._task.args.items()}
        name = str(given.get("hub") or task_vars["inventory_hostname"])
        inventory = read_inventory(task_vars, only=name)
        found = validated(inventory, [name])
        if found.problems:
            raise AnsibleActionFail("; ".join(problem.line() for problem in found.problems))
        hub = found.fleet.hubs[name]
        try:
            check_deployable(hub)
        except PlatformError as error:
            raise AnsibleActionFail(f"{error}; nothing was touched") from None
        try:
            platform = ServerPlatform(hub.cluster, Machine.read(), assets(), inventory.directory)
            arguments = {**given, **self.arguments(hub, platform, given)}
        except PlatformError as error:
            raise AnsibleActionFail(f"cluster {hub.cluster.name}: {error}") from error
        module = self._task.action
        result.update(self._execute_module(module_name=module, module_args=arguments, task_vars=task_vars))
        # Long texts that the inventory and the collection hold already.
        result.pop("invocation", None)
        return result

    def arguments(self, hub: Hub, platform: ServerPlatform, given: dict[str, Any]) -> dict[str, Any]:
        """Return the module arguments that follow from the inventory."""
        raise NotImplementedError


def supervisor_arguments(platform: ServerPlatform) -> dict[str, str]:
    """Return what the engine's function supervisor() takes."""
    layout = platform.setup.layout
    programs = layout.tool(supervisor_environment(platform.setup, platform.assets).directory)
    return {
        "kind": platform.setup.supervisor,
        "directory": layout.supervisor,
        "runtime": platform.setup.runtime,
        "programs": f"{programs}/bin",
    }


def find_uv() -> str:
    """Return uv: the one beside Ansible (Python package uv), else that of the machine."""
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if not found:
        raise AnsibleActionFail(
            "environments are built by uv, which is not here; install it beside Ansible: pip install uv"
        )
    return found
