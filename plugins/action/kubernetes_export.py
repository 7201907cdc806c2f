# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module kubernetes_export."""

from __future__ import annotations

import datetime
import os
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.change import Change
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.backup.export import (
    export_hub,
    has_data,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.backups import kubernetes_backups
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.kubernetes_action import KubernetesAction


class ActionModule(KubernetesAction):
    """Exports the data of a hub; see the module's documentation."""

    ARGUMENTS = frozenset({"directory"})

    def work(self, change: Change) -> dict[str, Any]:
        """Copy the data, unless there is none."""
        if self._task.check_mode:
            return {"changed": has_data(change), "path": ""}
        when = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        beside = os.path.join(os.path.dirname(os.path.abspath(self.platform.inventory.directory)), "exports")
        directory = os.path.abspath(os.path.expanduser(str(self.argument("directory") or beside)))
        try:
            path = export_hub(change, kubernetes_backups(self.hub, self.platform, {}), directory, when)
        except PlatformError as error:
            raise PlatformError(
                f"{error}; no data was removed, but the hub is stopped, deploy starts it again"
            ) from None
        return {"changed": bool(path), "path": path}
