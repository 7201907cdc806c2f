# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the platform of each cluster, in the controller."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.model import Cluster, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.machine import (
    Machine,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.platform import (
    ServerPlatform,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.spec.option import KUBERNETES
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import assets


def check_deployable(hub: Hub) -> None:
    """Raise PlatformError where this release deploys nothing, so that there is nothing to look at or stop either."""
    if hub.platform == KUBERNETES:
        raise PlatformError(
            f"cluster {hub.cluster.name} is on {KUBERNETES}, where this release does not deploy yet; "
            "write its Helm values with the playbook render, or leave it out with --limit"
        )


def platforms(hubs: list[Hub], directory: str) -> dict[str, ServerPlatform]:
    """Return the platform of every cluster that ``hubs`` are in; the machine is looked at once."""
    clusters: dict[str, Cluster] = {hub.cluster.name: hub.cluster for hub in hubs}
    for hub in hubs:
        check_deployable(hub)
    machine = Machine.read()
    found = {}
    for name, cluster in clusters.items():
        try:
            found[name] = ServerPlatform(cluster, machine, assets(), directory)
        except PlatformError as error:
            raise AnsibleActionFail(f"cluster {name}: {error}; nothing was touched") from error
    return found
