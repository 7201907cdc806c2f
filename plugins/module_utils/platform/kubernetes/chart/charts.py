# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chart of a hub: its schema, defaults and traits, from the chart itself where it is on this machine, else as
recorded."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
from dataclasses import dataclass
from typing import Any

from ....schema.model import Hub
from ....schema.problems import nearest
from ...config_classes import Traits
from . import recorded
from .content import ChartContent, ChartError, ChartReference, read
from .download import download, local_path

#: The chart that versions are recorded of.
RECORDED_CHART = "jupyterhub"

#: JupyterHub versions that roles/hub/files/extra_config supports.
OLDEST_JUPYTERHUB, FIRST_UNSUPPORTED_JUPYTERHUB = (5, 0), (7, 0)


@dataclass(frozen=True)
class ChartFacts:
    """One version of the chart.

    path: where it can be read on this machine, or "".
    schema, defaults: of its values.
    traits: of the classes in ``hub.config``.
    jupyterhub, kubernetes: its version of JupyterHub, and the versions of Kubernetes that it supports; or "".
    checked_as: the recorded version that is used instead, where the chart's own is not recorded.
    """

    version: str
    path: str
    schema: dict[str, Any]
    defaults: dict[str, Any]
    traits: Traits
    jupyterhub: str
    kubernetes: str
    checked_as: str = ""


class UnusableChartError(ChartError):
    """A hub's chart does not exist or is not known; ``variable`` selects it."""

    def __init__(self, variable: str, message: str):
        super().__init__(message)
        self.variable = variable


class Charts:
    """The charts of a fleet."""

    def __init__(self, records: str, inventory: str, cache: str, download: bool = False):
        """Take three directories: of recorded versions, of the inventory, and of downloaded charts.

        download: download missing charts instead of using their records.
        """
        self.records = records
        self.inventory = inventory
        self.cache = cache
        self.download = download
        self._known: dict[tuple[ChartReference, bool], ChartFacts] = {}

    def reference(self, hub: Hub) -> ChartReference:
        """Return the reference of the hub's chart, with an absolute path."""
        cluster = hub.cluster
        chart: str = cluster["cluster_chart"]
        path = os.path.join(self.inventory, os.path.expanduser(chart))
        version = hub["hub_chart_version"] or cluster["cluster_chart_version"]
        # Names in a repository contain no slash.
        is_path = "/" in chart or chart.endswith(".tgz") or os.path.isdir(path)
        if is_path and not chart.startswith("oci://"):
            return ChartReference(chart=os.path.abspath(path), version=version, repository="")
        repository = "" if chart.startswith("oci://") else cluster["cluster_chart_repository"]
        return ChartReference(chart=chart, version=version, repository=repository)

    def of(self, hub: Hub) -> ChartFacts:
        """Return the facts of a hub's chart; raises UnusableChartError."""
        reference = self.reference(hub)
        key = (reference, self._ignores_unknown(hub))
        if key not in self._known:
            self._known[key] = self._find(reference, hub)
        return self._known[key]

    def _ignores_unknown(self, hub: Hub) -> bool:
        """Tell whether a hub may have a version that is not recorded, such as a development release."""
        return self.chart_variable(hub) in hub["hub_ignored_problems"]

    def chart_variable(self, hub: Hub) -> str:
        """Return the variable that selects the hub's chart."""
        if self.reference(hub).is_path:
            return "cluster_chart"
        return "hub_chart_version" if hub["hub_chart_version"] else "cluster_chart_version"

    def _find(self, reference: ChartReference, hub: Hub) -> ChartFacts:
        chart = hub.cluster["cluster_chart"]
        if reference.is_path and not os.path.exists(reference.chart):
            message = f"the chart {chart!r} does not exist (relative paths start at the inventory directory)"
            raise UnusableChartError("cluster_chart", message)
        try:
            path = self.path(reference) if self.download else local_path(reference, self.cache)
            content = read(path) if path else None
        except ChartError as error:
            # With the path of the inventory instead of the absolute one.
            raise UnusableChartError(self.chart_variable(hub), str(error).replace(reference.chart, chart)) from error
        if path and content:
            return self._read(path, content, hub)
        if reference.name != RECORDED_CHART:
            message = f"the chart {chart!r} is not recorded{nearest(chart, [RECORDED_CHART], 'recorded')}"
            raise UnusableChartError("cluster_chart", f"{message}; {_USE_ANOTHER}")
        return self._recorded(reference.version, hub)

    def path(self, reference: ChartReference) -> str:
        """Return the path of a chart, downloaded if necessary; raises ChartError."""
        return download(reference, self.cache, shutil.which("helm"))

    def _recorded(self, version: str, hub: Hub) -> ChartFacts:
        try:
            record = recorded.read(self.records, version)
        except LookupError as error:
            if self._ignores_unknown(hub):
                return dataclasses.replace(
                    self._recorded(self._nearest(version), hub), version=version, checked_as=self._nearest(version)
                )
            hint = nearest(version, recorded.versions(self.records), "recorded")
            message = f"chart version {version} is not recorded{hint}; {_USE_ANOTHER}"
            raise UnusableChartError(self.chart_variable(hub), message) from error
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
            raise UnusableChartError(asked, f"{wanted!r} is set, but the chart {chart!r} has version {content.version}")
        record = recorded.read(self.records, self._most_similar(content.version, content.app_version))
        return ChartFacts(
            version=content.version,
            path=path,
            schema=content.schema or record.schema,
            defaults=content.values,
            traits=record.traits,
            jupyterhub=content.app_version,
            kubernetes=content.kube_version,
        )

    def _most_similar(self, version: str, jupyterhub: str) -> str:
        """Return the recorded version with the most similar JupyterHub; its traits are used for the chart."""
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


#: End of messages about charts that are not recorded.
_USE_ANOTHER = (
    "set cluster_chart to the path of another chart, or run validate with validate_render=true, which downloads it"
)


def release(version: str) -> tuple[int, ...] | None:
    """Return the numbers that a version starts with: ``5.5.0-dev`` -> (5, 5, 0); None where there are none."""
    match = re.match(r"v?(\d+(?:\.\d+)*)", version or "")
    return tuple(map(int, match[1].split("."))) if match else None


def incompatibility(facts: ChartFacts, kubernetes_version: str, chart_variable: str) -> tuple[str, str] | None:
    """Return (variable, message) where chart, JupyterHub, this collection and Kubernetes are incompatible, else None.

    chart_variable: the variable that selects the chart.
    """
    hub = release(facts.jupyterhub)
    if hub and not OLDEST_JUPYTERHUB <= hub < FIRST_UNSUPPORTED_JUPYTERHUB:
        oldest, before = (".".join(map(str, each)) for each in (OLDEST_JUPYTERHUB, FIRST_UNSUPPORTED_JUPYTERHUB))
        return (
            chart_variable,
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
