# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions of server_* modules share: they fill in what the inventory says of one hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.errors import HubfleetError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.environments import Assets
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.hub import DesiredHub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.services import Service
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.gather import MachineFacts
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.machine import Setup
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.machine_access import LocalMachine
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.platform import ServerPlatform
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.reverse_proxy.desired import (
    ReverseProxy,
)
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
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.validation import validated

#: Keys of results in which modules tell why they failed.
_MESSAGES = ("msg", "exception", "module_stdout", "module_stderr")


@dataclass(frozen=True)
class ServerCluster:
    """A cluster on a machine together with the facts of it."""

    platform: ServerPlatform
    facts: MachineFacts

    @property
    def setup(self) -> Setup:
        """The cluster's settings on its machine."""
        return self.facts.setup

    @property
    def reverse_proxy(self) -> ReverseProxy:
        """The cluster's reverse proxy."""
        return self.facts.reverse_proxy

    @property
    def assets(self) -> Assets:
        """The collection's files for machines."""
        return self.platform.assets

    @property
    def directory(self) -> str:
        """The inventory directory."""
        return self.platform.inventory.directory

    def desired(self, hub: Hub) -> DesiredHub:
        """Return what a hub should be."""
        return self.platform.desired(hub, self.facts)

    def supervisor(self) -> dict[str, str]:
        """Return what the engine's function create_supervisor() takes."""
        return self.platform.supervisor(self.facts)

    def reverse_proxy_service(self) -> Service:
        """Return the service of the reverse proxy."""
        return self.platform.reverse_proxy_service(self.facts)


class ServerAction(ActionBase):
    """Base of actions that run the module of the same name for one hub, on its machine."""

    _supports_check_mode = True
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
        found = validated(inventory, [name], platforms)
        if found.problems:
            raise AnsibleActionFail("; ".join(problem.line() for problem in found.problems))
        hub, self.host = found.fleet.hubs[name], inventory.hosts[name]
        try:
            platform, _hubs = platforms.deployable([hub])[hub.cluster.name]
        except HubfleetError as error:
            raise AnsibleActionFail(f"{error}; nothing was changed") from None
        host = host_of(hub)
        if host != LOCALHOST:
            # Otherwise -vvv shows what modules answer, word for word.
            self._play_context.no_log = True
        self.machine = RemoteMachine(self, host, task_vars)
        try:
            if not isinstance(platform, ServerPlatform):
                raise PlatformError("it is not on a machine")
            filled = self.arguments(hub, ServerCluster(platform, platform.facts([hub])), given)
        except HubfleetError as error:
            raise AnsibleActionFail(f"cluster {hub.cluster.name}: {error}") from None
        if filled is None:
            return {**result, "changed": False}
        result.update(self.apply({**given, **filled}, task_vars))
        # Long texts that the inventory and the collection hold already.
        result.pop("invocation", None)
        if result.get("failed"):
            # What programs say may repeat what they were given.
            result.update({key: hub.redactor.mask_text(result[key]) for key in _MESSAGES if key in result})
        return result

    def _reach(self, hub: Hub) -> LocalMachine | RemoteMachine:
        return LocalMachine() if host_of(hub) == LOCALHOST else self.machine

    def apply(self, arguments: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        """Run the module; a machine that is lost on the way fails like anything else, so that the play can go on."""
        try:
            found: dict[str, Any] = self._execute_module(
                module_name=self._task.action, module_args=arguments, task_vars=task_vars
            )
        except AnsibleConnectionFailure as error:
            raise AnsibleActionFail(
                f"{self.machine.host} does not answer any more: {self.machine.reason(error)}"
            ) from None
        return found

    def arguments(self, hub: Hub, platform: ServerCluster, given: dict[str, Any]) -> dict[str, Any] | None:
        """Return the module arguments that follow from the inventory; None where there is nothing to do."""
        raise NotImplementedError
