# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the hubs of a cluster: two requests for the metadata of all releases and Deployments, whatever their number.

With permissions in single namespaces, two requests for each. The content of a release is only read where it is needed
to show a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ...common.digests import digest
from .api.client import ApiError, Json, KubernetesApi
from .labels import RELEASE_NAME
from .releases import helm_secrets, records
from .releases.helm_secrets import HelmRelease
from .releases.preview import Preview
from .releases.records import CLUSTER_LABEL, HUB_LABEL, Place, Record

Answer = TypeVar("Answer")

#: Requests at the same time where many are needed.
PARALLEL = 8
#: Secrets of Helm and ours.
_SELECTOR = f"owner in (helm,{records.OWNER})"
#: Ends the names of namespaces in which backups of hubs are tried.
DRILL_SUFFIX = "-drill"
#: Set by Helm on every object of a release.
_MANAGED = "app.kubernetes.io/managed-by=Helm"


@dataclass(frozen=True)
class HelmRevision:
    """The newest revision of a release, by its labels. modified: when Helm changed it, in seconds since 1970."""

    number: int
    status: str
    modified: int = 0

    @property
    def pending(self) -> bool:
        """Whether Helm was interrupted, or is at work."""
        return self.status.startswith("pending")


@dataclass(frozen=True)
class Workload:
    """A Deployment. ready: replicas that answer. wanted: replicas, 0 where it was stopped.

    editor: who changed it since Helm did, and when; "" if nobody did.
    """

    name: str
    generation: int
    ready: int
    wanted: int
    editor: str = ""


@dataclass
class ObservedRelease:
    """A hub as it is.

    newest: None where there is no release. records: the newest first.
    release: its content, where it was read. preview: what an upgrade would change, where that was looked at.
    backup: when it was backed up last, or "".
    ignored: Deployments that were changed only where hub_ignored_drift says so.
    earlier_places: where it was deployed to as well, in words, and was not removed with its data.
    """

    place: Place
    newest: HelmRevision | None = None
    records: list[Record] = field(default_factory=list)
    workloads: dict[str, Workload] = field(default_factory=dict)
    release: HelmRelease | None = None
    preview: Preview | None = None
    backup: str = ""
    ignored: set[str] = field(default_factory=set)
    earlier_places: list[str] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """Digest of revision, last record, and generations of the Deployments; "" where there is no release."""
        if self.newest is None:
            return ""
        last = self.records[0] if self.records else None
        generations = sorted((name, workload.generation) for name, workload in self.workloads.items())
        return digest([self.newest.number, self.newest.status, last and [last.number, last.parts], generations])

    def edited(self) -> list[str]:
        """Return the Deployments that run, and that somebody changed since the last deploy."""
        before = self.records[0].workloads if self.records else {}
        return [
            name
            for name, workload in sorted(self.workloads.items())
            if name in before and workload.generation != before[name] and workload.wanted
        ]


@dataclass
class Observation:
    """What one read found. others: hubs that were deployed to this cluster, and that nobody asked about."""

    hubs: dict[str, ObservedRelease]
    others: list[str] = field(default_factory=list)


def observe(api: KubernetesApi, places: Sequence[Place], everywhere: bool) -> Observation:
    """Read hubs. everywhere: whether to read all namespaces at once; where that is forbidden, each for itself."""
    secrets, deployments = _read(api, places, everywhere)
    found = {place.hub: ObservedRelease(place) for place in places}
    by_release = {(place.namespace, place.release): found[place.hub] for place in places}
    cluster = places[0].cluster if places else ""
    known: set[str] = set()
    for metadata in secrets:
        labels = metadata.get("labels") or {}
        if labels.get("owner") == records.OWNER:
            _add_records(by_release, metadata)
            if labels.get(CLUSTER_LABEL) == cluster:
                known.add(str(labels.get(HUB_LABEL)))
                _add_earlier_place(found, metadata)
        else:
            _add_revision(by_release, metadata)
    for metadata, cells in deployments:
        name = str((metadata.get("annotations") or {}).get(RELEASE_NAME))
        observed = by_release.get((metadata["namespace"], name))
        if observed:
            workload = _workload(metadata, cells)
            observed.workloads[workload.name] = workload
    return Observation(found, sorted(known - set(found)))


def read_releases(api: KubernetesApi, observed: Iterable[ObservedRelease]) -> None:
    """Read the content of the newest revisions of releases, and keep it in them."""

    def read(each: ObservedRelease) -> None:
        if each.newest:
            each.release = read_release(api, each.place, each.newest.number)

    with ThreadPoolExecutor(PARALLEL) as threads:
        list(threads.map(read, observed))


def read_release(api: KubernetesApi, place: Place, revision: int) -> HelmRelease | None:
    """Return a revision of a release, None where there is none."""
    name = f"sh.helm.release.v1.{place.release}.v{revision}"
    found = api.find(f"/api/v1/namespaces/{place.namespace}/secrets/{name}")
    return helm_secrets.decode(found) if found else None


def newest_revision(api: KubernetesApi, namespace: str, release: str) -> HelmRevision | None:
    """Return the newest revision of a release, None where there is none."""
    secrets = api.list(
        f"/api/v1/namespaces/{namespace}/secrets", f"{helm_secrets.SELECTOR},name={release}", metadata=True
    )
    return max((_revision(each["metadata"]) for each in secrets), key=lambda found: found.number, default=None)


def _read(api: KubernetesApi, places: Sequence[Place], everywhere: bool) -> tuple[list[Json], list[tuple[Json, Json]]]:
    found = in_namespaces({place.namespace for place in places}, everywhere, lambda scope: _in(api, scope))
    return [each for some, _rows in found for each in some], [row for _some, rows in found for row in rows]


def in_namespaces(namespaces: Collection[str], everywhere: bool, read: Callable[[str], Answer]) -> list[Answer]:
    """Return what was read of all namespaces at once; of each, if not ``everywhere``, or where that is forbidden.

    read: takes the part of a path before the kind: "" or namespaces/NAME/.
    """
    if everywhere:
        try:
            return [read("")]
        except ApiError as error:
            if error.status != 403:
                raise
    with ThreadPoolExecutor(PARALLEL) as threads:
        return list(threads.map(lambda name: read(f"namespaces/{name}/"), namespaces))


def _in(api: KubernetesApi, scope: str) -> tuple[list[Json], list[tuple[Json, Json]]]:
    secrets = api.list(f"/api/v1/{scope}secrets", _SELECTOR, metadata=True)
    return [each["metadata"] for each in secrets], api.table(f"/apis/apps/v1/{scope}deployments", _MANAGED)


def _add_records(by_release: dict[tuple[str, Any], ObservedRelease], metadata: Json) -> None:
    release = (metadata.get("labels") or {}).get(records.RELEASE_LABEL)
    observed = by_release.get((metadata["namespace"], release))
    if observed:
        observed.records = records.read_records(metadata)
        observed.backup = records.read_annotation(metadata, records.BACKUP)


def _add_earlier_place(found: dict[str, ObservedRelease], metadata: Json) -> None:
    """Note where a hub was deployed to, and has its records, before its namespace or release was changed."""
    labels, namespace = metadata["labels"], str(metadata["namespace"])
    observed, release = found.get(str(labels.get(HUB_LABEL))), str(labels.get(records.RELEASE_LABEL))
    if observed is None or namespace.endswith(DRILL_SUFFIX):
        return
    if (namespace, release) != (observed.place.namespace, observed.place.release):
        observed.earlier_places.append(f"release {release} in namespace {namespace}")


def _add_revision(by_release: dict[tuple[str, Any], ObservedRelease], metadata: Json) -> None:
    release, number, _status = helm_secrets.name_of(metadata)
    observed = by_release.get((metadata["namespace"], release))
    if observed and (observed.newest is None or number > observed.newest.number):
        observed.newest = _revision(metadata)


def _revision(metadata: Json) -> HelmRevision:
    """Return a revision from the metadata of its Secret."""
    _release, number, status = helm_secrets.name_of(metadata)
    labels = metadata.get("labels") or {}
    # A new revision also carries along when the one before was modified.
    times = [str(labels.get(key) or "") for key in ("createdAt", "modifiedAt")]
    return HelmRevision(number, status, max(int(time) if time.isdecimal() else 0 for time in times))


def _workload(metadata: Json, cells: Json) -> Workload:
    ready, _slash, wanted = str(cells.get("Ready") or "0/0").partition("/")
    return Workload(metadata["name"], int(metadata.get("generation") or 0), int(ready), int(wanted), _editor(metadata))


def _editor(metadata: Json) -> str:
    """Return who changed an object since Helm or this collection did, and when; "" if nobody did.

    ``kubectl scale`` and autoscalers leave no time.
    """
    edits = [each for each in _edits(metadata) if each["manager"] != _CONTROLLERS]
    deployed = max((str(each.get("time") or "") for each in edits if each["manager"] in _OWN_MANAGERS), default="")
    people = [each for each in edits if each["manager"] not in _OWN_MANAGERS]
    since = [each for each in people if not each.get("time") or each["time"] >= deployed]
    since.sort(key=lambda each: str(each.get("time") or ""))
    names = [", ".join(str(each[key]) for key in ("manager", "time") if each.get(key)) for each in since]
    return " and ".join(dict.fromkeys(names))


#: Managers of fields of a Deployment whose changes are no edits by people, and the one of the cluster itself.
_OWN_MANAGERS, _CONTROLLERS = ("helm", records.OWNER), "kube-controller-manager"


def _edits(metadata: Json) -> Iterator[Json]:
    for each in metadata.get("managedFields") or ():
        if each.get("subresource") != "status" and each.get("manager"):
            yield each
