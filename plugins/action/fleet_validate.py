# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_validate."""

from __future__ import annotations

from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.nested import leaves
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.text import abbreviated, plural
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import RENDER
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.manifests.render import (
    engine,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.login_notices import login_notices
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import (
    EncryptedValue,
    Fleet,
    FleetInput,
    Hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
    report_problems,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.manifests import ManifestCheck


class ActionModule(FleetAction):
    """Validates the whole inventory; see the module's documentation."""

    ARGUMENTS = frozenset({"render", "dry_run", "processes"})

    def keep_encrypted(self) -> bool:
        """Without any password, as on a pull request, everything but what is encrypted can be validated."""
        return not self._loader._vault.secrets

    def downloads(self) -> bool:
        """Rendering needs the charts themselves."""
        return bool(self.argument("render", False) or self.argument("dry_run", False))

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Report what was found valid; problems of the inventory never reach this point."""
        on_kubernetes = self.platforms.able(hubs, RENDER)
        clusters = {hub.cluster.name for hub in hubs}
        result = {"changed": False, "hubs": [hub.name for hub in hubs], "clusters": sorted(clusters)}
        if self.downloads() and on_kubernetes:
            display.display(f"rendering {plural(len(on_kubernetes), 'hub')} with {engine().name}")
            check = ManifestCheck(inventory, self.platforms, display.display)
            dry_run = bool(self.argument("dry_run", False))
            if dry_run and len({hub.cluster.name for hub in on_kubernetes}) > 1:
                message = "validate_dry_run asks the cluster of kubectl's context; select its hubs with --limit"
                return {"failed": True, "msg": message}
            problems = check.run(on_kubernetes, self.argument("processes"), dry_run)
            result["unchecked"] = check.unchecked
            if problems:
                return report_problems(problems)
            display.display(check.summary())
        self._warn(on_kubernetes)
        for notice in login_notices(hubs):
            display.display(f"notice: {notice}", color="yellow")
        encrypted = sum(_count_encrypted(host.variables) for host in inventory.hosts.values())
        if encrypted:
            display.display(f"{encrypted} encrypted values were not validated: no vault password", color="yellow")
        display.display(f"{plural(len(hubs), 'hub')} in {plural(len(clusters), 'cluster')}: valid")
        return result

    def _warn(self, hubs: list[Hub]) -> None:
        for problem in self.validated.ignored:
            display.display(f"{'note' if problem.note else 'ignored'}: {problem.line()}", color="yellow")
        pending = [hub.name for hub in hubs if hub["hub_pending_secrets"]]
        if pending:
            named = abbreviated(pending, 5)
            waiting = plural(len(pending), "hub")
            display.display(f"{waiting} wait for secrets (hub_pending_secrets): {named}", color="yellow")


def _count_encrypted(value: Any) -> int:
    """Return how many values inside of a value stay encrypted."""
    return sum(isinstance(leaf, EncryptedValue) for _path, leaf in leaves(value))
