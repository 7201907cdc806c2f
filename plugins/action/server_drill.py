# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module server_drill: starts the drill, acts like a user on it, and removes it."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import CheckOptions
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.lock_owner import LockOwner
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.backup.drill import DRILL_INFIX
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.platform import ServerPlatform
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.backups import (
    drill_summary,
    program_arguments,
    settings_of,
    target_of,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.hub_files import pack, texts_of
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.outcomes import names_of
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.records import now_for_people, record_of, who
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_action import ServerAction
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.server_cluster import ServerCluster

#: Ports of drills: four for each, out of the range of outgoing connections.
_PORTS = range(28000, 32000, 4)


class ActionModule(ServerAction):
    """Drills one hub; see the module's documentation."""

    def arguments(self, hub: Hub, cluster: ServerCluster, given: dict[str, Any]) -> dict[str, Any]:
        """Return everything of a hub that is like the real one, but somewhere else."""
        missing = [build.name for build in cluster.platform.observe([hub]).prerequisites]
        if missing:
            raise AnsibleActionFail(f"{', '.join(missing)} would have to be built for hub {hub.name}; deploy it first")
        self.hub, self.cluster = self._beside(hub, cluster)
        desired = self.cluster.desired(self.hub)
        texts = texts_of(self.hub, desired, cluster.directory)
        return {
            **program_arguments(self.cluster),
            "hub": hub.name,
            "settings": settings_of(hub),
            "target": target_of(self.hub, self.cluster),
            "builds": cluster.setup.layout.root,
            "content": pack(texts),
            "config": {key: desired.config[key] for key in ("bind", "base_url", "ports", "tls")},
            "services": [service.as_dict() for service in desired.services],
            "generated": list(desired.generated),
            "record": record_of(desired, texts, cluster.directory, self.cluster.check_target(self.hub)),
            "supervisor": self.cluster.supervisor(),
        }

    def _beside(self, hub: Hub, deployed: ServerCluster) -> tuple[Hub, ServerCluster]:
        """Return the hub of the drill on ports that are free, and its cluster."""
        root = deployed.setup.layout.root
        elsewhere = {"cluster_state_directory": f"{root}{DRILL_INFIX}{hub.name}", "cluster_reverse_proxy": "none"}
        cluster = replace(hub.cluster, options={**hub.cluster.options, **elsewhere})
        # Hubs that are drilled at the same time start to look in different places.
        first = sum(hub.name.encode()) % len(_PORTS)
        for attempt in range(20):
            port = _PORTS[(first + 17 * attempt) % len(_PORTS)]
            beside = replace(hub, cluster=cluster, options={**hub.options, **_elsewhere(hub, port)})
            platform = ServerPlatform(
                cluster, deployed.platform.inventory, deployed.assets, lambda: deployed.platform.machine
            )
            state = platform.observe([beside])
            if not state.machine.ports_in_use[hub.name]:
                setup = replace(state.facts.setup, layout=Layout(state.facts.setup.layout.root, builds=root))
                return beside, ServerCluster(platform, replace(state.facts, setup=setup))
        raise AnsibleActionFail(f"no ports are free for a drill of hub {hub.name}")

    def apply(self, arguments: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        """Start, check and remove; the removal comes in any case."""
        if self._task.check_mode:
            return {"changed": False, "summary": "would be drilled"}
        owner = LockOwner.of_process(os.getppid(), who(), now_for_people())
        force = self.hub.cluster.name in names_of(arguments.get("break_lock"))
        self.cluster.platform.lock(owner, force)
        try:
            started = super().apply(arguments, task_vars)
            if not started.get("failed"):
                started = {**started, **self._check()}
        finally:
            cleared = super().apply({**arguments, "state": "absent"}, task_vars)
            self.cluster.platform.unlock(owner)
        if cleared.get("failed") and not started.get("failed"):
            return {**cleared, "msg": f"the drill could not be removed: {cleared['msg']}"}
        return started if started.get("failed") else {**started, "changed": False, "summary": drill_summary(started)}

    def _check(self) -> dict[str, Any]:
        """Act like a user, on the machine itself; return what becomes of the result."""
        started = time.monotonic()
        platform, facts = self.cluster.platform, self.cluster.facts
        targets = platform.check_targets([self.hub], facts)
        try:
            checked = platform.check([self.hub], targets, facts, CheckOptions(parallel_hubs=1))
        except (PlatformError, RuntimeError) as error:
            return {"failed": True, "msg": f"the check of the drill could not run: {error}"}
        problems = [*checked.problems.values(), *(result.problem for result in checked.results if not result.ok)]
        if problems:
            return {"failed": True, "msg": f"the check of the drill failed: {problems[0]}"}
        return {"check_seconds": round(time.monotonic() - started, 1)}


def _elsewhere(hub: Hub, port: int) -> dict[str, Any]:
    """Return options that let a hub be reached by its own machine only."""
    unmanaged = dict.fromkeys(("command", "environment", "user"))
    return {
        "hub_port": port,
        "hub_internal_port": None,
        "hub_bind": "127.0.0.1",
        "hub_url": f"http://127.0.0.1:{port}{urlsplit(hub.url).path or '/'}",
        "hub_domain": None,
        "hub_tls_certificate": None,
        "hub_tls_key": None,
        "hub_home_directory": None,
        # The programs of the real hub's services have its ports.
        "hub_services": [{**service, **unmanaged} for service in hub["hub_services"] or ()],
    }
