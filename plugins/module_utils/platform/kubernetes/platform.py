# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform ``kubernetes``: hubs as releases of the zero-to-jupyterhub chart.

This release validates, describes and renders hubs; it does not read or change clusters yet.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import CheckOptions, HubTarget

from ...common.digests import digest
from ...fleet.changes import HubDiff
from ...fleet.lock_owner import LockOwner
from ...fleet.revisions import Revision
from ...fleet.snapshot import Snapshot
from ...schema.model import Cluster, FleetInput, Hub
from ...schema.problems import Problems
from ..base import RENDER, CheckResults, ClusterState, Notice, Platform, PlatformError
from .chart.charts import Charts
from .install_files import values_text
from .validation.hubs import KubernetesValidator
from .values.addons import addon_releases
from .values.chart_values import ChartCode, ChartValues, chart_values


class KubernetesPlatform(Platform):
    """A cluster on Kubernetes. values: of the hubs that :meth:`validate` found sound."""

    capabilities = frozenset({RENDER})

    def __init__(self, cluster: Cluster, inventory: FleetInput, charts: Charts, code: ChartCode):
        """Take a cluster, its inventory, the charts of the fleet, and our Python that runs inside of hubs."""
        self.cluster = cluster
        self.inventory = inventory
        self.charts = charts
        self.code = code
        self.values: dict[str, ChartValues] = {}

    def validate(self, hubs: list[Hub], problems: Problems) -> None:
        check = KubernetesValidator(self.inventory, self.charts, self.code, problems)
        check.check(hubs)
        self.values.update(check.values)

    def desired(self, hub: Hub, facts: Any = None) -> ChartValues:
        found = self.values.get(hub.name)
        return found or chart_values(hub, self.inventory.directory, self.code, self.charts.of(hub).defaults)

    def describe(self, hub: Hub) -> Snapshot:
        values = self.desired(hub)
        place = {
            "chart": self.cluster["cluster_chart"],
            "version": hub["hub_chart_version"] or self.cluster["cluster_chart_version"],
            "repository": self.cluster["cluster_chart_repository"],
            "namespace": hub.namespace,
            "release": hub.release,
        }
        addons = {release.name: vars(release) for release in addon_releases(hub)}
        parts = {"chart": digest(place), "values": digest(values.merged), "add-ons": digest(addons)}

        def show() -> str:
            shown = hub.redactor.mask({"place": place, "values": values.merged, "addons": addons})
            return values_text(json.loads(json.dumps(shown)))

        return Snapshot(show, parts)

    def facts(self, hubs: list[Hub]) -> NoReturn:
        self._refuse()

    def facts_from_dict(self, values: dict[str, Any]) -> NoReturn:
        self._refuse()

    def observe(self, hubs: list[Hub]) -> NoReturn:
        self._refuse()

    def diff(self, hub: Hub, desired: Any, state: ClusterState) -> HubDiff:
        self._refuse()

    def notices(self, state: ClusterState) -> list[Notice]:
        return []

    def revisions(self, hubs: list[str]) -> dict[str, list[Revision]]:
        self._refuse()

    def check_targets(
        self, hubs: list[Hub], facts: Any, every: bool = False, as_deployed: bool = False
    ) -> list[HubTarget]:
        self._refuse()

    def check(
        self,
        hubs: list[Hub],
        targets: list[HubTarget],
        facts: Any,
        options: CheckOptions,
        report: Callable[[str], None] | None = None,
    ) -> CheckResults:
        self._refuse()

    def lock(self, owner: LockOwner, force: bool = False) -> bool:
        self._refuse()

    def unlock(self, owner: LockOwner) -> bool:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise PlatformError(f"cluster {self.cluster.name} is on kubernetes, where this release does not deploy yet")
