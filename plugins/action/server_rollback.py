# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module server_rollback."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.errors import HubfleetError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.redacted import (
    HubContent,
    mask_earlier,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_action import ServerAction
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_cluster import ServerCluster


class ActionModule(ServerAction):
    """Masks secrets in the difference that the module returns."""

    AS_DEPLOYED = True
    #: Masks the secrets of the hub in the difference that the module returns.
    mask: Callable[[str], str]

    def arguments(self, hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any] | None:
        """Return the module's arguments, and prepare masking of the difference that it returns."""
        if self._task.diff:
            try:
                now = cluster.desired(hub).content()
            except HubfleetError:  # the inventory is not valid; then everything that may be secret is masked
                now = HubContent({})
            self.mask = partial(mask_earlier, hub.redactor, now=now)
        return super().arguments(hub, cluster, given)

    def apply(self, arguments: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        """Run the module, and mask secrets in its difference."""
        result = super().apply(arguments, task_vars)
        found = result.pop("diff", None)
        if not found:
            return result
        name = str(task_vars["inventory_hostname"])
        try:
            shown = {side: self.mask(text) for side, text in found.items()}
        except ValueError:  # a file that is not JSON cannot be masked
            return result
        headers = {
            "before_header": f"{name}: live",
            "after_header": f"{name}: deploy {result['number']} of {result['when']}",
        }
        return {**result, "diff": {**shown, **headers}}
