# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which chart a hub uses, and what is known of it: from the chart itself where it is at hand, else as recorded."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
from dataclasses import dataclass
from typing import Any

from ....schema.model import Hub
from ....schema.problems import nearest
from . import recorded
from .content import ChartContent, ChartError, ChartReference, read
from .download import download, local_path
from .recorded import Traits

#: The chart that versions are recorded of.
RECORDED_CHART = "jupyterhub"

#: JupyterHub versions that the code works with which runs in the hub: roles/hub/files/extra_config.
OLDEST_HUB, BEFORE_HUB = (5, 0), (7, 0)


@dataclass(frozen=True)
class ChartFacts:
    """What is known of one version of the chart.

    path: where it can be read on this machine, or "".
    schema, defaults: of its values.
    traits: what its hub understands in ``hub.config``.
    jupyterhub, kubernetes: its version of JupyterHub, and the versions of Kubernetes that it wants; or "".
    stand_in: the recorded version that all this is of, where nothing is known of the chart's own.
    """

    version: str
    path: str
    schema: dict[str, Any]
    defaults: dict[str, Any]
    traits: Traits
    jupyterhub: str
    kubernetes: str
    stand_in: str = ""


class UnfitChart(ChartError):
    """A hub's chart is not there, or not known; ``variable`` is the one to look at."""

    def __init__(self, variable: str, message: str):
        super().__init__(message)
        self.variable = variable


class Charts:
    """The charts of a fleet."""

    def __init__(self, records: str, inventory: str, cache: str, download: bool = False):
        """Take three directories: of recorded versions, of the inventory, and of downloaded charts.

        download: get charts that are not at hand, rather than make do with what is recorded of them.
        """
        self.records = records
        self.inventory = inventory
        self.cache = cache
        self.download = download
        self._known: dict[tuple[ChartReference, bool], ChartFacts] = {}

    def reference(self, hub: Hub) -> ChartReference:
        """Return how the hub's chart is named; a path is made absolute."""
        cluster = hub.cluster
        chart: str = cluster["cluster_chart"]
        path = os.path.join(self.inventory, os.path.expanduser(chart))
        version = hub["hub_chart_version"] or cluster["cluster_chart_version"]
        # No name in a repository holds a slash.
        is_path = "/" in chart or chart.endswith(".tgz") or os.path.isdir(path)
        if is_path and not chart.startswith("oci://"):
            return ChartReference(chart=os.path.abspath(path), version=version, repository="")
        repository = "" if chart.startswith("oci://") else cluster["cluster_chart_repository"]
        return ChartReference(chart=chart, version=version, repository=repository)

    def of(self, hub: Hub) -> ChartFacts:
        """Return what is known of a hub's chart; raises UnfitChart where that is nothing."""
        reference = self.reference(hub)
        key = (reference, self._ignores_unknown(hub))
        if key not in self._known:
            self._known[key] = self._find(reference, hub)
        return self._known[key]

    def _ignores_unknown(self, hub: Hub) -> bool:
        """Tell whether a hub may have a version that nothing is known of, such as a development release."""
        return self.named_by(hub) in hub["hub_ignored_problems"]

    def named_by(self, hub: Hub) -> str:
        """Return the variable that decides which chart a hub has."""
        if self.reference(hub).is_path:
            return "cluster_chart"
        return "hub_chart_version" if hub["hub_chart_version"] else "cluster_chart_version"

    def _find(self, reference: ChartReference, hub: Hub) -> ChartFacts:
        chart = hub.cluster["cluster_chart"]
        if reference.is_path and not os.path.exists(reference.chart):
            message = f"the chart {chart!r} does not exist (relative paths start at the inventory directory)"
            raise UnfitChart("cluster_chart", message)
        try:
            path = self.path(reference) if self.download else local_path(reference, self.cache)
            content = read(path) if path else None
        except ChartError as error:
            # In the inventory's words, rather than those of this machine.
            raise UnfitChart(self.named_by(hub), str(error).replace(reference.chart, chart)) from error
        if path and content:
            return self._read(path, content, hub)
        if reference.name != RECORDED_CHART:
            message = f"the chart {chart!r} is not recorded{nearest(chart, [RECORDED_CHART], 'recorded')}"
            raise UnfitChart("cluster_chart", f"{message}; {_AT_HAND}")
        return self._recorded(reference.version, hub)

    def path(self, reference: ChartReference) -> str:
        """Return where a chart can be read, downloaded if need be; raises ChartError, a PlatformError."""
        return download(reference, self.cache, shutil.which("helm"))

    def _recorded(self, version: str, hub: Hub) -> ChartFacts:
        try:
            record = recorded.read(self.records, version)
        except LookupError as error:
            if self._ignores_unknown(hub):
                return dataclasses.replace(
                    self._recorded(self._nearest(version), hub), version=version, stand_in=self._nearest(version)
                )
            hint = nearest(version, recorded.versions(self.records), "recorded")
            message = f"chart version {version} is not recorded{hint}; {_AT_HAND}"
            raise UnfitChart(self.named_by(hub), message) from error
        about = record.about
        return ChartFacts(
            version, "", record.schema, record.defaults, record.traits, about["jupyterhub"], about["kubeVersion"]
        )

    def _nearest(self, version: str) -> str:
        """Return the newest recorded version that is not newer than a version, else the oldest."""
        known = recorded.versions(self.records)
        not_newer = [each for each in known if (release(each) or ()) <= (release(version) or ())]
        return (not_newer or known[:1])[-1]

    def _read(self, path: str, content: ChartContent, hub: Hub) -> ChartFacts:
        asked = "hub_chart_version" if hub["hub_chart_version"] else "cluster_chart_version"
        wanted = hub["hub_chart_version"] or hub.cluster["cluster_chart_version"]
        if asked in hub.explicit_options and content.version != wanted:
            chart = hub.cluster["cluster_chart"]
            raise UnfitChart(asked, f"{wanted!r} is set, but the chart {chart!r} has version {content.version}")
        record = recorded.read(self.records, self._most_like(content.version, content.app_version))
        return ChartFacts(
            version=content.version,
            path=path,
            schema=content.schema or record.schema,
            defaults=content.values,
            traits=record.traits,
            jupyterhub=content.app_version,
            kubernetes=content.kube_version,
        )

    def _most_like(self, version: str, jupyterhub: str) -> str:
        """Return the recorded version whose hub is most like that of a chart; its traits stand for the chart's."""
        known = recorded.versions(self.records)
        if version in known:
            return version
        wanted = release(jupyterhub) or (0, 0)
        not_newer = [
            each
            for each in known
            if (release(recorded.read(self.records, each).about["jupyterhub"]) or (0, 0))[:2] <= wanted[:2]
        ]
        return not_newer[-1] if not_newer else known[-1]


#: What to do about charts that are not recorded.
_AT_HAND = (
    "set cluster_chart to the path of another chart, or run validate with validate_render=true, which downloads it"
)


def release(version: str) -> tuple[int, ...] | None:
    """Return the numbers that a version starts with: ``5.5.0-dev`` -> (5, 5, 0); None where there are none."""
    match = re.match(r"v?(\d+(?:\.\d+)*)", version or "")
    return tuple(map(int, match[1].split("."))) if match else None


def skew(facts: ChartFacts, kubernetes_version: str, named_by: str) -> tuple[str, str] | None:
    """Return (variable, message) where chart, JupyterHub, our code in the hub and Kubernetes do not go together.

    named_by: the variable that decides which chart it is.
    """
    hub = release(facts.jupyterhub)
    if hub and not OLDEST_HUB <= hub < BEFORE_HUB:
        oldest, before = (".".join(map(str, each)) for each in (OLDEST_HUB, BEFORE_HUB))
        return (
            named_by,
            f"chart {facts.version} brings JupyterHub {facts.jupyterhub}; "
            f"this release of the collection works with {oldest} and newer, before {before}",
        )
    least = re.match(r">=\s*([0-9.]+)", facts.kubernetes or "")
    if least and (release(kubernetes_version) or ()) < (release(least[1]) or ())[:2]:
        return (
            "cluster_kubernetes_version",
            f"chart {facts.version} needs Kubernetes {least[1]} or newer, not {kubernetes_version}",
        )
    return None
