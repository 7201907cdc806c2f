# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions of kubernetes_* modules share: one hub, on its cluster, changed from the controller."""

from __future__ import annotations

import os
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.errors import HubfleetError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.lock_owner import LockOwner
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.change import Change
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.lease import (
    DURATION,
    NAMESPACE,
    ClusterLock,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.platform import KubernetesPlatform
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.identities import mismatch
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.inventory import plain, read_inventory
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.platforms import Platforms
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.records import author, now_for_people, who
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.validation import single_hub

display = Display()

#: Seconds that a step of a deploy may take beyond its timeout.
_STEP_GRACE = 600


class KubernetesAction(ActionBase):
    """Changes one hub; the module of the same name is its documentation."""

    _requires_connection = False
    _supports_check_mode = True
    #: Names of the arguments that the action takes, beside ``hub``.
    ARGUMENTS: frozenset[str] = frozenset()
    #: Whether the hub is used as it was deployed, whatever its options are in the inventory.
    AS_DEPLOYED = False
    #: Whether the lock of the cluster is held, and has to be.
    NEEDS_LOCK = True
    #: The hub, and the platform of its cluster.
    hub: Hub
    platform: KubernetesPlatform

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Validate the hub, compare the identity of its cluster, renew the lock, and hand over to :meth:`work`."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        unknown = set(self._task.args) - self.ARGUMENTS - {"hub"}
        if unknown:
            raise AnsibleActionFail(f"unknown arguments: {', '.join(sorted(unknown))}")
        name = str(self.argument("hub") or task_vars["inventory_hostname"])
        inventory = read_inventory(task_vars, only=name)
        inventory.needs_images = self.needs_images()
        platforms = Platforms(inventory)
        self.hub = single_hub(inventory, name, platforms, self.AS_DEPLOYED)
        platform = platforms.of(self.hub)
        if not isinstance(platform, KubernetesPlatform):
            raise AnsibleActionFail(f"hub {name} is not on Kubernetes")
        self.platform = platform
        try:
            wrong = mismatch(self.hub.cluster.name, platform.facts([self.hub]).identity, inventory.directory)
            if wrong:
                raise PlatformError(f"{wrong}; nothing was changed")
            change = self._change(inventory.directory)
            if self.NEEDS_LOCK and not self._task.check_mode:
                change.renew()
            result.update(self.work(change))
        except HubfleetError as error:
            raise AnsibleActionFail(
                f"cluster {self.hub.cluster.name}: {self.hub.redactor.mask_text(str(error))}"
            ) from None
        return result

    def needs_images(self) -> bool:
        """Tell whether the lock file must have the images of the hub, because it is deployed as the inventory says."""
        return False

    def work(self, change: Change) -> dict[str, Any]:
        """Change the hub, and return the result of the task."""
        raise NotImplementedError

    def argument(self, name: str, default: Any = None) -> Any:
        """Return an argument of the task in plain Python types."""
        return plain(self._task.args.get(name, default))

    def _change(self, directory: str) -> Change:
        hub, platform = self.hub, self.platform
        timeout = hub["hub_deploy_timeout"]
        namespace = hub.namespace if platform.permissions == "namespace" else NAMESPACE
        return Change(
            platform.api,
            platform.place(hub),
            ClusterLock(platform.api, [namespace], hub.cluster.name, max(DURATION, timeout + _STEP_GRACE)),
            # Tasks run in forks; what lives as long as the playbook is what made them.
            LockOwner.of_process(os.getppid(), who(), now_for_people()),
            author(directory, hub.admin_file),
            hub.cluster["cluster_history_limit"],
            timeout,
            lambda line: display.display(f"{hub.name}: {line}"),
            hub.redactor.mask_text,
        )
