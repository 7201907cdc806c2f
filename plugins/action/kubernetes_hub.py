# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module kubernetes_hub."""

from __future__ import annotations

import contextlib
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import recorded_target
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import (
    NOT_CHECKED,
    UNCHANGED,
    HubDiff,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply import stop
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.change import Change
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.deploy import deploy
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.diff import (
    diff_release,
    needs_content,
    reasons_of_people,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.observe import read_releases
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.identities import forget, record
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.kubernetes_action import KubernetesAction, display

STATES = ("present", "stopped", "absent")


class ActionModule(KubernetesAction):
    """Deploys, stops or removes a hub; see the module's documentation."""

    ARGUMENTS = frozenset({"state", "repair", "end_sessions", "end_sessions_variable", "remove_data"})

    def needs_images(self) -> bool:
        """Tell whether the lock file must have the images of the hub."""
        return self._state() == "present"

    def work(self, change: Change) -> dict[str, Any]:
        """Do what the state says."""
        state = self._state()
        if state not in STATES:
            raise AnsibleActionFail(f"state: {state!r} is not one of {', '.join(STATES)}")
        return {"present": self._deploy, "stopped": self._stop, "absent": self._remove}[state](change)

    def _state(self) -> str:
        return str(self.argument("state", "present"))

    def _deploy(self, change: Change) -> dict[str, Any]:
        pending = self.hub["hub_pending_secrets"]
        if pending:
            # Helm would replace a working hub by one without its secrets.
            raise PlatformError(f"hub_pending_secrets: the secrets of {', '.join(pending)} are missing")
        found = self._difference(change)
        codes = {reason.code for reason in found.reasons}
        repair = bool(self.argument("repair", False))
        if (found.action == UNCHANGED or codes == {NOT_CHECKED}) and not repair:
            return {"changed": False}
        result: dict[str, Any] = {"changed": True, "reasons": [str(reason) for reason in found.reasons]}
        if self._task.diff and found.before != found.after:
            result["diff"] = {"before": found.before, "after": found.after}
        if self._task.check_mode:
            return result
        target = self.platform.check_targets([self.hub], None)[0]
        desired = self.platform.desired(self.hub)
        take_over = repair or reasons_of_people(found.reasons)
        try:
            number = deploy(change, desired, self.platform.charts, recorded_target(target), take_over)
        finally:
            self._record_identity()
        return {**result, "revision": number}

    def _record_identity(self) -> None:
        """Record the namespace that the deploy made, if that is what identifies the cluster."""
        name = self.hub.cluster.name
        with contextlib.suppress(PlatformError):  # why the deploy failed is worth more
            if record({name: self.platform.facts([self.hub]).identity}, self.platform.inventory.directory):
                display.display(f"{name}: identity recorded in the inventory; commit it")

    def _difference(self, change: Change) -> HubDiff:
        desired, observed = self.platform.desired(self.hub), change.observe()
        if self._task.diff and needs_content(desired, observed):
            read_releases(change.api, [observed])
        return diff_release(desired, observed)

    def _stop(self, change: Change) -> dict[str, Any]:
        users = self._users(change)
        running = [name for name, workload in change.observe().workloads.items() if workload.wanted]
        if self._task.check_mode:
            return {"changed": bool(running), "users": users or [], "stopped": sorted(running)}
        if users is not None:
            stop.end_sessions(change)
        stopped = stop.stop(change)
        return {"changed": bool(stopped or users), "users": users or [], "stopped": stopped}

    def _remove(self, change: Change) -> dict[str, Any]:
        users = self._users(change)
        data = bool(self.argument("remove_data", False))
        if self._task.check_mode:
            return {"changed": change.observe().newest is not None, "users": users or []}
        removed = stop.remove(change, data)
        if data and stop.is_namespace_removed(change):
            self._forget_identity()
        return {"changed": removed, "users": users or []}

    def _forget_identity(self) -> None:
        name, namespace = self.hub.cluster.name, self.hub.namespace
        try:
            if forget(name, namespace, self.platform.inventory.directory):
                display.display(f"{name}: {namespace} removed from the identities in the inventory; commit it")
        except PlatformError as error:
            display.warning(str(error))

    def _users(self, change: Change) -> list[str] | None:
        """Return whose sessions are ended, None if sessions go on; fail where nobody asked for their end."""
        ending = self.argument("end_sessions")
        if ending is None:
            return None
        users = stop.users_with_sessions(change)
        if not ending:
            stop.refuse_sessions(users, str(self.argument("end_sessions_variable", "stop_end_sessions")))
        return users
