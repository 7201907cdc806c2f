# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pods of a Deployment, StatefulSet or DaemonSet are its newest, and what its rollout still lacks.

The rules are those of ``kubectl rollout status`` (staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go
in the sources of Kubernetes), with two exceptions that charts ask for: see :func:`is_waited_for`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ....common.text import plural
from ..labels import RELEASE_NAME, RELEASE_NAMESPACE
from .findings import Json, labels_of, name_of, uid_of

DEPLOYMENT, STATEFUL_SET, DAEMON_SET = "Deployment", "StatefulSet", "DaemonSet"
#: Plural in paths of the API -> kind.
KINDS = {"deployments": DEPLOYMENT, "statefulsets": STATEFUL_SET, "daemonsets": DAEMON_SET}
#: Of the pods that keep room for sessions in the zero-to-jupyterhub chart.
PLACEHOLDER = "user-placeholder"

_REVISION = "deployment.kubernetes.io/revision"
_TEMPLATE_HASH = "pod-template-hash"
_CONTROLLER_HASH = "controller-revision-hash"
_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


@dataclass(frozen=True)
class Workload:
    """A Deployment, StatefulSet or DaemonSet. item: the object of the API."""

    kind: str
    item: Json

    @property
    def name(self) -> str:
        """Its name."""
        return name_of(self.item)

    @property
    def observed(self) -> bool:
        """Whether its controller knows the newest specification; its status is of an older one otherwise."""
        generation = int(self.item["metadata"].get("generation") or 0)
        return int(self.item.get("status", {}).get("observedGeneration") or 0) >= generation

    @property
    def wanted(self) -> int:
        """How many pods it should have."""
        if self.kind == DAEMON_SET:
            return self._number("desiredNumberScheduled")
        replicas = self.item["spec"].get("replicas")
        return 1 if replicas is None else int(replicas)

    def lacks(self) -> str:
        """Return what its rollout still lacks, "" if it is finished."""
        if not self.observed:
            return "waits for Kubernetes to notice the change"
        if self.item["spec"].get("paused"):
            return "is paused"
        if self.kind == DEPLOYMENT:
            return self._deployment()
        return self._stateful_set() if self.kind == STATEFUL_SET else self._daemon_set()

    def newest(self, pods: Iterable[Json], replica_sets: Sequence[Json] | None) -> list[Json]:
        """Return its pods of the newest revision, of ``pods`` of its namespace, without those that end.

        replica_sets: metadata of those of the namespace; None where they cannot be read.
        """
        own = [pod for pod in self.all_pods(pods, replica_sets) if not is_ending(pod)]
        if self.kind == STATEFUL_SET:
            revision = self.item.get("status", {}).get("updateRevision")
            return [pod for pod in own if labels_of(pod).get(_CONTROLLER_HASH) == revision]
        if self.kind == DAEMON_SET:
            generation = (self.item["metadata"].get("annotations") or {}).get(_TEMPLATE_GENERATION)
            key = "pod-template-generation"
            return [pod for pod in own if not generation or labels_of(pod).get(key, generation) == generation]
        if replica_sets is None:
            youngest = max(own, key=lambda pod: str(pod["metadata"].get("creationTimestamp")), default=None)
            newest_hash = labels_of(youngest).get(_TEMPLATE_HASH) if youngest else None
            return [pod for pod in own if labels_of(pod).get(_TEMPLATE_HASH) == newest_hash]
        newest = self.newest_replica_set(replica_sets)
        return [pod for pod in own if newest and _controller(pod) == uid_of(newest)]

    def newest_replica_set(self, replica_sets: Iterable[Json] | None) -> Json | None:
        """Return the ReplicaSet of the newest revision, None where it does not exist, or cannot be read."""
        revision = (self.item["metadata"].get("annotations") or {}).get(_REVISION)
        for each in replica_sets or ():
            annotations = each["metadata"].get("annotations") or {}
            if _controller(each) == uid_of(self.item) and revision and annotations.get(_REVISION) == revision:
                return each
        return None

    def all_pods(self, pods: Iterable[Json], replica_sets: Sequence[Json] | None) -> list[Json]:
        """Return its pods of all revisions, of ``pods`` of its namespace."""
        if self.kind == DEPLOYMENT and replica_sets is None:
            wanted = (self.item["spec"].get("selector") or {}).get("matchLabels") or {}
            return [pod for pod in pods if wanted and wanted.items() <= labels_of(pod).items()]
        owners = {uid_of(self.item)}
        if self.kind == DEPLOYMENT:
            owners = {uid_of(each) for each in replica_sets or () if _controller(each) in owners}
        return [pod for pod in pods if _controller(pod) in owners]

    def _number(self, name: str) -> int:
        return int(self.item.get("status", {}).get(name) or 0)

    def _deployment(self) -> str:
        updated = self._number("updatedReplicas")
        if updated < self.wanted:
            return f"waits for {plural(self.wanted - updated, 'new pod')}"
        if self._number("replicas") > updated:
            return f"waits for {plural(self._number('replicas') - updated, 'old pod')} to end"
        return self._available("availableReplicas", updated)

    def _stateful_set(self) -> str:
        strategy = self.item["spec"].get("updateStrategy") or {}
        ready = self._available("readyReplicas", self.wanted)
        if ready or strategy.get("type") == "OnDelete":
            return ready
        kept = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
        status = self.item.get("status", {})
        updated = self._number("updatedReplicas")
        if kept == 0 and status.get("updateRevision") == status.get("currentRevision"):
            return ""
        missing = self.wanted - kept - updated
        return f"waits for {plural(missing, 'old pod')} to be replaced" if missing > 0 else ""

    def _daemon_set(self) -> str:
        if (self.item["spec"].get("updateStrategy") or {}).get("type") != "OnDelete":
            missing = self.wanted - self._number("updatedNumberScheduled")
            if missing > 0:
                return f"waits for {plural(missing, 'old pod')} to be replaced"
        return self._available("numberAvailable", self.wanted)

    def _available(self, name: str, wanted: int) -> str:
        missing = wanted - self._number(name)
        return f"waits until {plural(missing, 'more pod')} can be used" if missing > 0 else ""


def is_waited_for(workload: Workload, namespace: str, release: str) -> bool:
    """Tell whether a rollout waits for a workload: one of the release, with two exceptions.

    Pods that keep room for sessions may well find none: that is when sessions have taken it. And a DaemonSet all of
    whose pods may be unavailable at once, as those that pull images on new nodes, must not be held up by one node;
    Helm 3 does not wait for it either.
    """
    annotations = workload.item["metadata"].get("annotations") or {}
    if annotations.get(RELEASE_NAME) != release or annotations.get(RELEASE_NAMESPACE, namespace) != namespace:
        return False
    if labels_of(workload.item).get("component") == PLACEHOLDER:
        return False
    rolling = (workload.item["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    return workload.kind != DAEMON_SET or rolling.get("maxUnavailable") != "100%"


def is_ending(pod: Json) -> bool:
    """Tell whether a pod has ended, was evicted, or is being deleted; another one takes its place."""
    return "deletionTimestamp" in pod["metadata"] or pod.get("status", {}).get("phase") in ("Failed", "Succeeded")


def _controller(item: Json) -> str:
    """Return the UID of the object that controls another one, "" where none does."""
    for owner in item["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return str(owner["uid"])
    return ""
