# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module kubernetes_backup."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.change import Change
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.backup.save import (
    list_backups,
    save,
    source,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.backups import backup_settings, kubernetes_backups
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.kubernetes_action import KubernetesAction

STATES = ("saved", "listed")


class ActionModule(KubernetesAction):
    """Backs up a hub, or lists its backups; see the module's documentation."""

    ARGUMENTS = frozenset({"state"})
    #: Backups are listed without it.
    NEEDS_LOCK = False

    def work(self, change: Change) -> dict[str, Any]:
        """Do what the state says."""
        state = str(self.argument("state", "saved"))
        if state not in STATES:
            raise AnsibleActionFail(f"state: {state!r} is not one of {', '.join(STATES)}")
        backups = kubernetes_backups(self.hub, self.platform, backup_settings(self.hub))
        if state == "listed":
            return {"changed": False, **list_backups(change, backups)}
        if self._task.check_mode:
            source(change, backups)  # fails where there is nothing to save
            return {"changed": True, "backup": {}, "summary": "would be backed up"}
        answer = save(change, backups)
        return {"changed": True, "summary": answer.pop("summary"), "backup": answer}
