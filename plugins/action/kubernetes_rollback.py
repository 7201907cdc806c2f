# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module kubernetes_rollback."""

from __future__ import annotations

from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.change import Change
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.rollback import (
    roll_back,
    rollback_plan,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.kubernetes_action import KubernetesAction


class ActionModule(KubernetesAction):
    """Rolls a hub back; see the module's documentation."""

    ARGUMENTS = frozenset({"number", "undo"})
    AS_DEPLOYED = True

    def work(self, change: Change) -> dict[str, Any]:
        """Roll the hub back, unless it is there already."""
        number, secret = self.argument("number"), change.secret()
        undone = self.platform.desired(self.hub).parts if self.argument("undo", False) else None
        plan = rollback_plan(change, secret, None if number is None else int(number), undone)
        result = {"number": plan.target.number, "when": plan.target.when, "changed": not plan.arrived}
        if plan.arrived or self._task.check_mode:
            return result
        return {**result, "revision": roll_back(change, secret, plan)}
