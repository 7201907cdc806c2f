# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the manifests of a fleet, and report problems at their place in the inventory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.nested import value_at, walk
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.text import plural
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.errors import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.manifests.render import (
    ManifestProblem,
    Release,
    render_all,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.manifests.session_pods import (
    PACKAGE,
    SessionProblem,
    has_kubespawner,
    refused_pods,
    session_pods,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.validation.sessions import (
    given_traits,
    kubespawner_traits,
    session_of,
    spawner_traits,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.chart_values import (
    ChartValues,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.layers import (
    over_defaults,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import (
    Problem,
    Problems,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.platforms import Platforms

#: Number of hubs between two lines of progress.
STEP = 20


class ManifestCheck:
    """Renders hubs and validates every manifest.

    unchecked: ``apiVersion kind`` -> number of objects without a schema.
    """

    def __init__(self, inventory: FleetInput, platforms: Platforms, report_progress: Callable[[str], Any]):
        """report_progress: prints a line."""
        self.inventory = inventory
        self.platforms = platforms
        self.values: dict[str, ChartValues] = {}
        self.report_progress = report_progress
        self.manifests = 0
        self.pods = 0
        self.unchecked: Counter[str] = Counter()

    def run(self, hubs: list[Hub], processes: int | None = None, dry_run: bool = False) -> list[Problem]:
        """Return all problems; raises PlatformError where nothing can be rendered.

        dry_run: let the cluster of kubectl's context try the pods of sessions, too.
        """
        if dry_run and not has_kubespawner():
            raise PlatformError(f"trying pods of sessions needs the Python package {PACKAGE} next to Ansible")
        problems = Problems()
        self.values = {hub.name: self.platforms.values(hub) for hub in hubs}
        by_version: dict[str, list[Hub]] = {}
        for hub in hubs:
            by_version.setdefault(hub.cluster["cluster_kubernetes_version"], []).append(hub)
        done = 0
        for version, members in by_version.items():
            releases = [self._release(hub) for hub in members]
            for rendered in render_all(releases, version, processes):
                done += 1
                if done % STEP == 0 and done < len(hubs):
                    self.report_progress(f"  {done} of {len(hubs)} hubs rendered")
                self.manifests += len(rendered.objects)
                self.unchecked.update(rendered.unchecked)
                for problem in rendered.problems:
                    self._add(problems, rendered.name, problem, rendered.objects)
            if has_kubespawner():
                with_sessions = [hub for hub in members if "singleuser" in self.platforms.charts.of(hub).defaults]
                self._check_sessions(with_sessions, version, problems, dry_run)
        return problems.of(hub.name for hub in hubs)

    def summary(self) -> str:
        """Return the numbers of manifests, in a line."""
        line = f"{self.manifests} manifests checked"
        if self.unchecked:
            kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.unchecked.items()))
            line += f"; of these, no schema is known for {kinds}"
        if self.pods:
            line += f"; {plural(self.pods, 'pod')} of sessions checked"
        elif not has_kubespawner():
            line += f"; pods of sessions were not checked: that needs the Python package {PACKAGE}"
        return line

    def _check_sessions(self, hubs: list[Hub], version: str | None, problems: Problems, dry_run: bool) -> None:
        made = session_pods([self._traits(hub) for hub in hubs], version)
        for hub, sessions in zip(hubs, made):
            self.pods += len(sessions.pods)
            found = sessions.problems
            if dry_run and sessions.pods and not found:
                found = refused_pods(sessions.pods, hub.namespace)
            for problem in found:
                source = self._session_source(hub, problem)
                where = self.inventory.hosts[hub.name].locate(source) if source else ""
                message = hub.redactor.mask_text(f"sessions: {problem.message}")
                problems.add(source or (), message, where, hub.name)

    def _session_source(self, hub: Hub, problem: SessionProblem) -> tuple[Any, ...] | None:
        values, kind = self.values[hub.name], problem.manifest.get("kind", "")
        name = problem.manifest.get("metadata", {}).get("name", "")
        source = _source(values, ManifestProblem(kind, name, problem.field, problem.message), [problem.manifest])
        return source or (_last(values.sources(problem.place)) if problem.place else None)

    def _traits(self, hub: Hub) -> dict[str, Any]:
        """Return what KubeSpawner gets for the sessions of a hub."""
        facts, merged = self.platforms.charts.of(hub), self.values[hub.name].merged
        full = over_defaults(facts.defaults, merged)
        given = list(given_traits(full, merged, spawner_traits(facts.traits)))
        return kubespawner_traits(full, session_of(full, given))

    def _release(self, hub: Hub) -> Release:
        charts, values = self.platforms.charts, self.values[hub.name]
        return Release(hub.name, hub.namespace, charts.path(charts.reference(hub)), values.merged)

    def _add(self, problems: Problems, hub: str, problem: ManifestProblem, objects: list[dict[str, Any]]) -> None:
        values, host = self.values[hub], self.inventory.hosts[hub]
        source = _source(values, problem, objects)
        where = host.locate(source) if source else ""
        problems.add(source or (), problem.line(), where, hub)


def _source(values: ChartValues, problem: ManifestProblem, objects: list[dict[str, Any]]) -> tuple[Any, ...] | None:
    """Return the place in the inventory that a manifest's problem comes from, where it is unambiguous.

    Templates do not tell where a value comes from: a value that is under the same key once, and
    only once, in the hub's values is it.
    """
    if problem.kind == "values":
        return _last(values.sources(problem.path))
    manifest = next((item for item in objects if _is(item, problem)), None)
    for length in range(len(problem.path), 0, -1):
        key, value = problem.path[length - 1], value_at(manifest, problem.path[:length])
        places = [path for path, item in walk(values.merged) if path[-1] == key and item == value]
        if len(places) == 1 and value is not None and not isinstance(key, int):
            return _last(values.sources(places[0]))
    return None


def _last(sources: list[tuple[Any, ...]]) -> tuple[Any, ...] | None:
    return sources[-1] if sources else None


def _is(item: dict[str, Any], problem: ManifestProblem) -> bool:
    return (item.get("kind"), (item.get("metadata") or {}).get("name")) == (problem.kind, problem.name)
