# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module kubernetes_restore."""

from __future__ import annotations

from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply import stop
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.change import Change
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.backup.restore import (
    examine,
    restore,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.backups import backup_settings, kubernetes_backups
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.kubernetes_action import KubernetesAction


class ActionModule(KubernetesAction):
    """Restores a hub; see the module's documentation."""

    ARGUMENTS = frozenset({"backup", "replace", "end_sessions"})

    def work(self, change: Change) -> dict[str, Any]:
        """Restore the hub, unless it must not be replaced, or has sessions that nobody asked to end."""
        backup, replace = str(self.argument("backup", "latest")), bool(self.argument("replace", False))
        backups = kubernetes_backups(self.hub, self.platform, backup_settings(self.hub))
        there = examine(change, replace)
        if there and not self.argument("end_sessions", False):
            stop.refuse_sessions(stop.users_with_sessions(change), "restore_end_sessions")
        if self._task.check_mode:
            return {"changed": True, "id": backup}
        return restore(change, backups, backup, replace)
