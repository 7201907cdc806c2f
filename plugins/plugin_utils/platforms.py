# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of platforms: the only place outside of them that knows them all."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import (
    DEPLOY,
    USERS,
    Platform,
    PlatformError,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.charts import Charts
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.images import Images
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.platform import KubernetesPlatform
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.chart_values import (
    ChartValues,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.machine_access import MachineAccess
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.platform import ServerPlatform
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Cluster, FleetInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.option import KUBERNETES
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import (
    RECORDED_CHARTS,
    assets,
    chart_cache,
    chart_code,
    environment_files,
)

#: Returns the machine of a hub's cluster.
Reach = Callable[[Hub], MachineAccess]


class Platforms:
    """The platforms of an inventory's clusters, each made once.

    charts: those of all hubs on Kubernetes.
    """

    def __init__(self, inventory: FleetInput, reach: Reach | None = None, download: bool = False):
        """Take the inventory; reach: for machines, None where no cluster is read. download: get missing charts."""
        self.inventory = inventory
        self.charts = Charts(RECORDED_CHARTS, inventory.directory, chart_cache(), download)
        self._reach = reach
        self._made: dict[str, Platform] = {}

    def of(self, hub: Hub) -> Platform:
        """Return the platform of a hub's cluster."""
        if hub.cluster.name not in self._made:
            self._made[hub.cluster.name] = self.make(hub.cluster, hub)
        return self._made[hub.cluster.name]

    def make(self, cluster: Cluster, hub: Hub) -> Platform:
        """Make the platform of a cluster, which is reached by what the inventory says of ``hub``."""
        if hub.platform == KUBERNETES:
            return KubernetesPlatform(cluster, self.inventory, self.charts, chart_code(), files=environment_files())
        return ServerPlatform(cluster, self.inventory, assets(), lambda: self._machine(hub))

    def able(self, hubs: list[Hub], capability: str) -> list[Hub]:
        """Return the hubs whose platform has a capability."""
        return [hub for hub in hubs if capability in self.of(hub).capabilities]

    def values(self, hub: Hub) -> ChartValues:
        """Return the Helm values of a hub whose platform can RENDER."""
        platform = self.of(hub)
        if not isinstance(platform, KubernetesPlatform):
            raise PlatformError(f"hub {hub.name} is not on Kubernetes")
        return platform.chart_values(hub)

    def images(self, hub: Hub) -> Images | None:
        """Return what knows the images of a hub's environments, None where there are none."""
        platform = self.of(hub)
        return platform.images if isinstance(platform, KubernetesPlatform) else None

    def by_cluster(self, hubs: list[Hub]) -> dict[str, tuple[Platform, list[Hub]]]:
        """Return cluster -> its platform and its hubs among ``hubs``."""
        found: dict[str, tuple[Platform, list[Hub]]] = {}
        for hub in hubs:
            found.setdefault(hub.cluster.name, (self.of(hub), []))[1].append(hub)
        return found

    def deployable(self, hubs: list[Hub]) -> dict[str, tuple[Platform, list[Hub]]]:
        """Return the same; raises PlatformError where this release cannot deploy a cluster, nor look at it."""
        advice = "does not deploy yet; write its Helm values with the playbook render, or leave it out with --limit"
        return self._requiring(DEPLOY, hubs, advice)

    def with_users(self, hubs: list[Hub]) -> dict[str, tuple[Platform, list[Hub]]]:
        """Return the same; raises PlatformError where this release cannot read the users of a cluster."""
        return self._requiring(USERS, hubs, "cannot list or change users yet; leave it out with --limit")

    def _requiring(self, capability: str, hubs: list[Hub], advice: str) -> dict[str, tuple[Platform, list[Hub]]]:
        found = self.by_cluster(hubs)
        for cluster, (platform, members) in found.items():
            if capability not in platform.capabilities:
                raise PlatformError(f"cluster {cluster} is on {members[0].platform}, where this release {advice}")
        return found

    def _machine(self, hub: Hub) -> MachineAccess:
        if self._reach is None:
            raise PlatformError(f"the machine of cluster {hub.cluster.name} cannot be reached here")
        return self._reach(hub)
