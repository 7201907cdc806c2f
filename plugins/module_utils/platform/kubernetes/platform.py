# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform ``kubernetes``: hubs as releases of the zero-to-jupyterhub chart."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.stop import Stop
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import CheckOptions, HubTarget

from ...common.digests import digest
from ...environments.lock import Lock
from ...fleet.changes import HubDiff, Reason
from ...fleet.environments import FoundEnvironments
from ...fleet.lock_owner import LockOwner
from ...fleet.revisions import Revision
from ...fleet.snapshot import Snapshot
from ...fleet.users import FoundUsers, UserChange
from ...schema.model import Cluster, FleetInput, Hub
from ...schema.problems import Problems
from ..base import (
    BACKUP,
    DEPLOY,
    ENVIRONMENTS,
    RENDER,
    USERS,
    Blocker,
    CheckResults,
    ClusterState,
    Notice,
    Platform,
    PlatformError,
)
from .api.client import KubernetesApi
from .api.credentials import Credentials
from .blockers import missing_storage_classes
from .chart.charts import Charts
from .check import CheckedHub, check_hubs
from .check_choices import check_choices
from .diff import EDITED, diff_release, needs_content
from .drift.deep import deep_drift
from .drift.ignored import has_paths, parse_rules
from .drift.resources import Resources
from .facts import KubernetesFacts, gather
from .image_use import read_environments
from .images import EnvironmentFiles, Images
from .install_files import absolute_chart, values_text
from .lease import NAMESPACE, ClusterLock
from .observe import Observation, ObservedRelease, observe, read_releases
from .releases.checks import note_result, recorded_check
from .releases.desired import DesiredRelease
from .releases.preview import Preview, preview
from .releases.records import HubSecret, Place
from .rights import missing_permissions, sentences
from .role import deploy_rules
from .users import read_users, rename_problem, users_of
from .validation.hubs import KubernetesValidator
from .values.addons import addon_releases
from .values.chart_values import ChartCode, ChartValues, chart_values
from .values.check_service import check_service_settings
from .values.generated import complete
from .values.kubectl import metrics_token_command
from .values.layers import Values, assign, merge
from .values.native_login import first_passwords_command, is_native
from .values.shared_password import has_generated_passwords, shared_passwords_command
from .values.users_service import users_service_settings

#: Hubs whose objects a plan compares at most; rendering takes most of its time.
MOST_PREVIEWS = 8


class KubernetesPlatform(Platform):
    """A cluster on Kubernetes. values: of the hubs that :meth:`validate` found sound."""

    capabilities = frozenset({DEPLOY, RENDER, BACKUP, USERS, ENVIRONMENTS})
    threads = True

    def __init__(
        self,
        cluster: Cluster,
        inventory: FleetInput,
        charts: Charts,
        code: ChartCode,
        connect: Callable[[Credentials], KubernetesApi] = KubernetesApi,
        files: EnvironmentFiles | None = None,
    ):
        """Take a cluster, its inventory, the charts of the fleet, and our Python that runs inside of hubs.

        files: what of the collection goes into environments that are built.
        """
        self.cluster = cluster
        self.inventory = inventory
        self.charts = charts
        self.code = code
        self.files = files or EnvironmentFiles()
        self.images = Images(charts, self.files)
        self.values: dict[str, ChartValues] = {}
        self._desired: dict[str, tuple[Hub, DesiredRelease]] = {}
        self._connect = connect

    @functools.cached_property
    def api(self) -> KubernetesApi:
        """The API server of the cluster."""
        return self._connect(self.credentials)

    @property
    def credentials(self) -> Credentials:
        """How the cluster is reached."""
        options = self.cluster.options
        return Credentials(options["cluster_kubeconfig"] or "", options["cluster_context"] or "")

    @functools.cached_property
    def version(self) -> str:
        """The version of Kubernetes that the cluster has."""
        return str(self.api.get("/version")["gitVersion"])

    @property
    def permissions(self) -> str:
        """What the account may do."""
        return str(self.cluster["cluster_permissions"])

    def complete(self, hubs: list[Hub], problems: Problems) -> None:
        for hub in hubs:
            self.images.complete(hub, self.inventory, problems)

    def validate(self, hubs: list[Hub], problems: Problems) -> None:
        check = KubernetesValidator(self.inventory, self.charts, self.code, problems)
        check.check(hubs)
        self.values.update(check.values)

    def chart_values(self, hub: Hub) -> ChartValues:
        """Return the values of the hub's chart, each with the option that it comes from."""
        found = self.values.get(hub.name)
        return found or chart_values(hub, self.inventory.directory, self.code, self.charts.of(hub).defaults)

    def desired(self, hub: Hub, facts: Any = None) -> DesiredRelease:
        known = self._desired.get(hub.name)
        if known is None or known[0] is not hub:
            # Its digests take most of the time of a plan, and are asked for more than once.
            known = self._desired[hub.name] = (hub, self._make_desired(hub))
        return known[1]

    def _make_desired(self, hub: Hub) -> DesiredRelease:
        reference, chart = self.charts.reference(hub), self.charts.of(hub)
        directory = self.inventory.directory
        addons = [
            dataclasses.replace(addon, chart=absolute_chart(addon.chart, directory)) for addon in addon_releases(hub)
        ]
        return DesiredRelease(
            self.place(hub),
            reference,
            chart.version,
            chart.jupyterhub,
            with_deploy_settings(self.chart_values(hub).merged, self.code),
            addons,
            hub.redactor,
            hub["hub_ignored_drift"],
        )

    def deep_drift(self, hubs: list[Hub], state: ClusterState) -> dict[str, list[Reason]]:
        found: list[ObservedRelease] = [state.hubs[hub.name] for hub in hubs if state.hubs[hub.name].newest]
        read_releases(self.api, [observed for observed in found if observed.release is None])
        by_name = {hub.name: hub for hub in hubs}
        resources = Resources(self.api)
        reasons = {}
        for observed in found:
            hub = by_name[observed.place.hub]
            if observed.release:
                rules = hub["hub_ignored_drift"]
                findings = deep_drift(self.api, observed.release, rules, hub.redactor.mask, resources)
                reasons[hub.name] = [Reason(EDITED, str(finding)) for finding in findings if finding.is_drift]
        return reasons

    def describe(self, hub: Hub) -> Snapshot:
        values = self.chart_values(hub)
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

    def facts(self, hubs: list[Hub]) -> KubernetesFacts:
        return gather(self.api, self.permissions, hubs)

    def facts_from_dict(self, values: dict[str, Any]) -> KubernetesFacts:
        return KubernetesFacts(**values)

    def observe(self, hubs: list[Hub]) -> ClusterState:
        found = self._read([self.place(hub) for hub in hubs])
        desired = {hub.name: self.desired(hub) for hub in hubs}
        differing = [observed for name, observed in found.hubs.items() if needs_content(desired[name], observed)]
        read_releases(self.api, differing)
        with ThreadPoolExecutor(MOST_PREVIEWS) as threads:
            shown = [each for each in differing if each.release][:MOST_PREVIEWS]
            for observed, answer in zip(shown, threads.map(lambda each: self._preview(each, desired), shown)):
                observed.preview = answer
        self._note_ignored(hubs, found.hubs)
        orphans = [name for name in found.others if name not in self.inventory.hosts]
        return ClusterState(self.facts(hubs), dict(found.hubs), orphans, self._blockers(hubs, found.hubs, differing))

    def fingerprints(self, hubs: list[Hub]) -> dict[str, str]:
        found = self._read([self.place(hub) for hub in hubs]).hubs
        return {name: observed.fingerprint for name, observed in found.items()}

    def diff(self, hub: Hub, desired: DesiredRelease, state: ClusterState) -> HubDiff:
        observed: ObservedRelease = state.hubs[hub.name]
        return diff_release(desired, observed)

    def notices(self, state: ClusterState) -> list[Notice]:
        rights = f", permissions: {self.permissions}"
        return [Notice(f"{self.cluster.name}: Kubernetes at {self.api.server}{rights}")]

    def revisions(self, hubs: list[str]) -> dict[str, list[Revision]]:
        found = self._read([self._place_of(name) for name in hubs]).hubs
        return {name: [record.as_revision() for record in found[name].records] for name in hubs}

    def last_backups(self, hubs: list[str]) -> dict[str, str]:
        found = self._read([self._place_of(name) for name in hubs]).hubs
        return {name: found[name].backup for name in hubs}

    def passwords_notice(self, hub: Hub, facts: Any, new: bool) -> str:
        values, options = self.chart_values(hub).merged, self.credentials.kubectl_options
        if is_native(values):
            return f"first passwords that people have not changed yet: {first_passwords_command(hub, options)}"
        if new and has_generated_passwords(hub, values):
            return f"passwords of users and admins: {shared_passwords_command(hub, options)}"
        return ""

    def metrics_notice(self, hub: Hub, facts: Any) -> str:
        command = metrics_token_command(hub, self.credentials.kubectl_options)
        return f"the token for {hub.url}hub/metrics: {command}" if hub["hub_metrics"] else ""

    def environments(self, hubs: list[Hub]) -> FoundEnvironments:
        lock = self.inventory.lock or Lock()
        return read_environments(self.api, hubs, lock.images, everywhere=self.permissions != "namespace")

    def users(self, hubs: list[str]) -> FoundUsers:
        return read_users(self.api, [self._place_of(name) for name in hubs])

    def rename_problem(self, hub: str, user: str, new_name: str) -> str:
        return rename_problem(user, new_name)

    def change_users(self, hub: str, changes: list[UserChange]) -> list[str]:
        with users_of(self.api, self._place_of(hub)) as users:
            return [users.change(change) for change in changes]

    def check_targets(
        self, hubs: list[Hub], facts: Any, every: bool = False, as_deployed: bool = False
    ) -> list[HubTarget]:
        if as_deployed:
            return [HubTarget(hub.name, self.cluster.name, "", "") for hub in hubs]
        return [self._check_target(hub, every) for hub in hubs]

    def check(
        self,
        hubs: list[Hub],
        targets: list[HubTarget],
        facts: Any,
        options: CheckOptions,
        report: Callable[[str], None] | None = None,
        stop: Stop | None = None,
    ) -> CheckResults:
        found, checked = CheckResults(), []
        for hub, target in zip(hubs, targets):
            place = self.place(hub)
            through = hub["hub_check_through"] == "cluster"
            try:
                tried = target if target.url else recorded_check(self.api, place)
                checked.append(CheckedHub(tried, place.namespace, place.release, through, hub.redactor.mask_text))
            except PlatformError as error:
                found.problems[hub.name] = str(error)
        found.add(check_hubs(self.api, checked, options, report, stop))
        for result in found.results:
            note_result(self.api, self._place_of(result.name), result.ok)
        return found

    def require_permissions(self, hubs: list[Hub]) -> None:
        if self.permissions == "read-only":
            raise PlatformError(
                "cluster_permissions is read-only, so its hubs can be planned and checked, but not changed"
            )
        # Where the account may act in the whole cluster, one namespace stands for all.
        asked = hubs if self.permissions == "namespace" else hubs[:1]
        lacking = [
            sentence
            for hub in asked
            for sentence in sentences(missing_permissions(self.api, hub.namespace, deploy_rules(hub)))
        ]
        if lacking:
            raise PlatformError(f"this account may not {'; '.join(lacking)}")

    def lock(self, owner: LockOwner, force: bool = False) -> bool:
        return self.deploy_lock.take(owner, force)

    def unlock(self, owner: LockOwner) -> bool:
        return self.deploy_lock.release(owner)

    @property
    def deploy_lock(self) -> ClusterLock:
        """The lock of the cluster."""
        if self.permissions == "namespace":
            namespaces = [self._place_of(name).namespace for name in self._members()]
        else:
            namespaces = [NAMESPACE]
        return ClusterLock(self.api, namespaces, self.cluster.name)

    def place(self, hub: Hub) -> Place:
        """Return where a hub is on the cluster."""
        return Place(self.cluster.name, hub.name, hub.namespace, hub.release)

    def _read(self, places: list[Place]) -> Observation:
        return observe(self.api, places, everywhere=self.permissions != "namespace")

    def _preview(self, observed: ObservedRelease, desired: dict[str, DesiredRelease]) -> Preview | None:
        """Return what a deploy would change of a hub's objects."""
        wanted = desired[observed.place.hub]
        if observed.release is None:
            return None
        values, _generated = complete(wanted.values, HubSecret(self.api, observed.place).generated, {})
        return preview(observed.release, self.charts.path(wanted.chart), values, wanted.redactor, self.version)

    def _blockers(
        self, hubs: list[Hub], found: dict[str, ObservedRelease], differing: list[ObservedRelease]
    ) -> list[Blocker]:
        """Return why hubs that a deploy would change cannot be deployed."""
        changing = [hub for hub in hubs if found[hub.name].newest is None or found[hub.name] in differing]
        values = {hub.name: self.chart_values(hub) for hub in changing}
        return missing_storage_classes(self.api, changing, values, self.inventory)

    def _note_ignored(self, hubs: list[Hub], found: dict[str, ObservedRelease]) -> None:
        """Look closely at Deployments that were changed, where only some of their fields count."""
        for hub in hubs:
            observed, rules = found[hub.name], parse_rules(hub["hub_ignored_drift"])
            names = {name for name in observed.edited() if has_paths(rules, "Deployment", name)}
            if not names:
                continue
            if observed.release is None:
                read_releases(self.api, [observed])
            if observed.release:
                findings = deep_drift(self.api, observed.release, hub["hub_ignored_drift"], hub.redactor.mask)
                told = {each.name for each in findings if each.kind == "Deployment"}
                # Whoever may not compare cannot tell.
                observed.ignored = set() if any(not each.kind for each in findings) else names - told

    def _place_of(self, name: str) -> Place:
        """Return where a hub is that may be known by its name only."""
        variables = self.inventory.hosts[name].variables if name in self.inventory.hosts else {}
        namespace = str(variables.get("hub_namespace") or name)
        return Place(self.cluster.name, name, namespace, str(variables.get("hub_release") or name))

    def _members(self) -> list[str]:
        """Return all hubs of the cluster in the inventory."""
        return list(self.inventory.clusters.get(self.cluster.name, ()))

    def _check_target(self, hub: Hub, every: bool) -> HubTarget:
        choices, warnings = check_choices(hub, self.chart_values(hub).merged, every)
        return HubTarget(hub.name, self.cluster.name, hub.url, "", choices, warnings=warnings)


def with_deploy_settings(values: Values, code: ChartCode) -> Values:
    """Return the values of a hub that is deployed: with services of the playbooks, and a database that outlives it."""
    added: Values = {}
    for setting in (*check_service_settings(), *users_service_settings(code.users, code.users_package)):
        assign(added, setting.path, setting.value)
    # Helm keeps such objects when it removes the release (https://helm.sh/docs/howto/charts_tips_and_tricks).
    assign(added, ("hub", "db", "pvc", "annotations"), {"helm.sh/resource-policy": "keep"})
    return merge(added, values)
