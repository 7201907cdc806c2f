# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of all server_* modules: it adds the arguments that follow from the inventory of one hub."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.errors import HubfleetError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.gather import MachineFacts
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.machine_access import LocalMachine
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.platform import ServerPlatform
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import (
    LOCALHOST,
    HostInput,
    Hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.inventory import (
    plain,
    read_inventory,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.machines import RemoteMachine, host_of
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.platforms import Platforms
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_arguments import ARGUMENTS
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_cluster import ServerCluster
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.validation import single_hub

#: The variable with the facts of clusters that an earlier task of the playbook read; see playbooks/vars/connection.yml.
_FACTS = "hubfleet_facts"
#: Keys of results that hold error messages of modules.
_MESSAGES = ("msg", "exception", "module_stdout", "module_stderr")


class ServerAction(ActionBase):
    """Runs the module of the same name for one hub, on its machine."""

    _supports_check_mode = True
    #: Whether the module uses the hub as it was deployed, whatever its options are in the inventory.
    AS_DEPLOYED = False
    #: The machine of the hub, over the connection of the task.
    machine: RemoteMachine
    #: The hub as the inventory has it.
    host: HostInput

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Run the module with what :meth:`arguments` adds to the task's own arguments."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        given = {key: plain(value) for key, value in self._task.args.items()}
        name = str(given.get("hub") or task_vars["inventory_hostname"])
        inventory = read_inventory(task_vars, only=name)
        platforms = Platforms(inventory, self._reach)
        hub = single_hub(inventory, name, platforms, bool(given.get("as_deployed", False)) or self.AS_DEPLOYED)
        self.host = inventory.hosts[name]
        try:
            platform, _hubs = platforms.deployable([hub])[hub.cluster.name]
        except HubfleetError as error:
            raise AnsibleActionFail(f"{error}; nothing was changed") from None
        host = host_of(hub)
        if host != LOCALHOST:
            # Otherwise -vvv prints the results of modules unmasked.
            self._play_context.no_log = True
        self.machine = RemoteMachine(self, host, task_vars)
        try:
            if not isinstance(platform, ServerPlatform):
                raise PlatformError("it is not on a machine")
            filled = self.arguments(hub, ServerCluster(platform, self._facts(hub, platform, task_vars)), given)
        except HubfleetError as error:
            raise AnsibleActionFail(f"cluster {hub.cluster.name}: {error}") from None
        if filled is None:
            return {**result, "changed": False}
        result.update(self.apply({**given, **filled}, task_vars))
        # Contains long texts of the inventory and the collection.
        result.pop("invocation", None)
        if result.get("failed"):
            # Output of programs may repeat secrets. From ansible-core 2.19 on, an exception is an object with messages.
            messages = {key: result.pop(key) for key in _MESSAGES if key in result}
            texts = {key: text for key, text in messages.items() if isinstance(text, str)}
            result.update({key: hub.redactor.mask_text(text) for key, text in texts.items()})
        return result

    def _reach(self, hub: Hub) -> LocalMachine | RemoteMachine:
        return LocalMachine() if host_of(hub) == LOCALHOST else self.machine

    def apply(self, arguments: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        """Run the module; a lost connection is a failure of the task, so that the play can handle it."""
        try:
            found: dict[str, Any] = self._execute_module(
                module_name=self._task.action, module_args=arguments, task_vars=task_vars
            )
        except AnsibleConnectionFailure as error:
            raise AnsibleActionFail(f"{self.machine.host} no longer answers: {self.machine.reason(error)}") from None
        return found

    def arguments(self, hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any] | None:
        """Return the module arguments that follow from the inventory; None if there is nothing to do."""
        return ARGUMENTS[self._task.action.rpartition(".")[2]](hub, cluster, given)

    def _facts(self, hub: Hub, platform: ServerPlatform, task_vars: Any) -> MachineFacts:
        """Return the facts of the machine that the playbook has read already, else read them now."""
        known = self._templar.template(task_vars.get(_FACTS) or {}).get(hub.cluster.name)
        return platform.facts_from_dict(plain(known)) if known else platform.facts([hub])
