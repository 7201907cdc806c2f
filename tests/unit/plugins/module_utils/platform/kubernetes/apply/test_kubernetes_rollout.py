# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wait looks at what a cluster returns until everything is ready, a failure is certain, or the time is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.errors import UnreachableError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.client import ApiError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply import rollout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.image_puller import (
    image_puller_problem,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.rollout import (
    RolloutError,
    session_failure,
    wait_for_rollout,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.workloads import (
    Workload,
    is_waited_for,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.apply.api_objects import (  # noqa: E501
    IMAGE,
    deployment,
    ended,
    pod,
    replica_set,
    unschedulable,
    waiting,
)

OLD = "2020-01-01T00:00:00Z"
LOOP = waiting("CrashLoopBackOff")
NO_MEMORY = "0/1 nodes are available: 1 Insufficient memory."
SETS = [replica_set("hub-old", "1"), replica_set("hub-new", "2")]
READY = pod(state={"running": {}}, of_container={"ready": True})
READY["status"]["conditions"] = [{"type": "Ready", "status": "True"}]


class Cluster:
    """Answers like KubernetesApi with what is in it; ``looks`` are done, one for each look at Deployments."""

    def __init__(self, **collections: Any) -> None:
        self.collections: dict[str, Any] = {"deployments": [deployment()], "replicasets": SETS, **collections}
        self.logs: dict[str, Any] = {}
        self.looks: list[Callable[[], None]] = []
        self.now = 0.0

    def list(self, path: str, selector: str = "", metadata: bool = False, **query: Any) -> list[dict[str, Any]]:
        name = path.rpartition("/")[2]
        if name == "deployments" and self.looks:
            self.looks.pop(0)()
        found: Any = self.answer(self.collections.get(name, []))
        uid = str(query.get("fieldSelector") or "").partition("involvedObject.uid=")[2]
        return [item for item in found if not uid or item["involvedObject"]["uid"] == uid]

    def find(self, path: str) -> dict[str, Any] | None:
        name = path.rpartition("/")[2]
        found = self.answer(self.collections.get("persistentvolumeclaims", []))
        return next((item for item in found if item["metadata"]["name"] == name), None)

    def text(self, path: str, **query: Any) -> str:
        return str(self.answer(self.logs[str(query["previous"])]))

    @staticmethod
    def answer(found: Any) -> Any:
        if isinstance(found, Exception):
            raise found
        return found

    def becomes(self, *looks: dict[str, Any]) -> None:
        """From look to look, collections change."""
        self.looks = [lambda look=look: self.collections.update(look) for look in looks]  # type: ignore[misc]


FORBIDDEN = ApiError("forbidden", 403, "Forbidden")


def event_item(of: str, reason: str, message: str, **fields: Any) -> dict[str, Any]:
    return {
        "metadata": {"uid": f"{reason}-{message}"},
        "involvedObject": {"uid": of},
        "reason": reason,
        "message": message,
        **fields,
    }


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch, lines: list[str]) -> Callable[..., float]:
    """Waits without time passing; returns the seconds after which the wait ended."""

    def wait(cluster: Cluster, timeout: float = 100, **options: Any) -> float:
        monkeypatch.setattr(rollout.time, "monotonic", lambda: cluster.now)
        monkeypatch.setattr(rollout.time, "sleep", lambda seconds: setattr(cluster, "now", cluster.now + seconds))
        wait_for_rollout(cluster, "research", "jupyterhub", timeout, lines.append, **options)  # type: ignore[arg-type]
        return cluster.now

    return wait


def test_a_rollout_with_progress(wait: Callable[..., float], lines: list[str]) -> None:
    """The old pod ends, the new one pulls and starts; each is told once."""
    old = pod("hub-old-1", owner="uid-hub-old", metadata={"deletionTimestamp": OLD})
    creating = pod(state=waiting("ContainerCreating"))
    pulling = event_item("uid-hub-new-1", "Pulling", f'Pulling image "{IMAGE}"')
    cluster = Cluster(pods=[old], events=[], deployments=[deployment(status={"updatedReplicas": 0})])
    cluster.becomes(
        {},
        {},
        {"pods": [creating, old], "events": [pulling], "deployments": [deployment()]},
        {},
        {"pods": [pod(state={"running": {}})]},
        {"pods": [READY], "deployments": [deployment(ready=1)]},
    )
    assert wait(cluster) == 7.5
    assert lines == [
        "hub: waits for the old pod hub-old-1 to end",
        f"hub: pod hub-new-1 is pulling image {IMAGE}",
        "hub: pod hub-new-1 runs, but is not ready yet",
        "hub: ready",
    ]


def test_nothing_to_wait_for(wait: Callable[..., float], lines: list[str]) -> None:
    """Other releases, placeholders and no replicas."""
    other = deployment("other", release="grafana")
    none = deployment("none", spec={"replicas": 0}, status={"replicas": 0, "updatedReplicas": 0})
    placeholder = deployment("user-placeholder")
    assert wait(Cluster(deployments=[other, none], statefulsets=[placeholder])) == 0
    assert lines == []


def test_only_pods_of_the_newest_revision_count(wait: Callable[..., float]) -> None:
    crash = {"restartCount": 5, "lastState": ended()}
    old = pod("hub-old-1", LOOP, owner="uid-hub-old", of_container=crash)
    cluster = Cluster(pods=[old, pod(state={"running": {}})])
    cluster.becomes({}, {}, {}, {"deployments": [deployment(ready=1)]})
    assert wait(cluster) == 4.5
    unobserved = deployment(status={"observedGeneration": 1})
    cluster = Cluster(pods=[pod(state=LOOP, of_container=crash)], deployments=[unobserved])
    cluster.becomes({}, {}, {}, {"deployments": [deployment(ready=1)]})
    assert wait(cluster) == 4.5


def test_a_crash_is_told_with_its_log(wait: Callable[..., float]) -> None:
    cluster = Cluster(pods=[pod(state=LOOP, of_container={"restartCount": 1, "lastState": ended()})])
    cluster.logs = {"true": "one\nPASSWORD is " + "long " * 100}
    with pytest.raises(RolloutError) as caught:
        wait(cluster, mask=lambda text: text.replace("PASSWORD", "****"))
    assert str(caught.value).startswith(
        "hub: pod hub-new-1 crashes: container hub ends with exit code 1; its log says: **** is long long"
    )
    assert len(str(caught.value)) < 400


def test_the_last_lines_of_a_log_come_late(wait: Callable[..., float]) -> None:
    cluster = Cluster(pods=[pod(state=LOOP, of_container={"restartCount": 1, "lastState": ended()})])
    logs = iter(["Starting", "Starting\nTraceback (most recent call last):\n  File x\nKeyError: 'a'"])
    cluster.text = lambda _path, **_query: next(logs)  # type: ignore[method-assign]
    with pytest.raises(RolloutError, match="its log says: KeyError: 'a'$"):
        wait(cluster)


@pytest.mark.parametrize("gone", ["unable to retrieve container logs for containerd://1", FORBIDDEN])
def test_a_log_that_is_gone_is_that_of_the_next_run(wait: Callable[..., float], gone: Any) -> None:
    cluster = Cluster(pods=[pod(state=LOOP, of_container={"restartCount": 1, "lastState": ended()})])
    cluster.logs = {"true": gone, "false": "the reason"}
    with pytest.raises(RolloutError, match="its log says: the reason"):
        wait(cluster)
    cluster.logs["false"] = gone
    with pytest.raises(RolloutError, match="exit code 1$"):
        wait(cluster)


def test_a_pod_that_crashed_before_gets_its_chance(wait: Callable[..., float]) -> None:
    metadata = {"creationTimestamp": OLD}
    crash = pod(state=LOOP, of_container={"restartCount": 5, "lastState": ended()}, metadata=metadata)
    cluster = Cluster(pods=[crash])
    cluster.becomes({}, {}, {"deployments": [deployment(ready=1)]})
    assert wait(cluster) == 3
    again = pod(state=LOOP, of_container={"restartCount": 6, "lastState": ended()}, metadata=metadata)
    cluster = Cluster(pods=[crash])
    cluster.logs = {"true": "", "false": ""}
    cluster.becomes({}, {}, {"pods": [again]})
    with pytest.raises(RolloutError, match="exit code 1$"):
        wait(cluster)
    assert cluster.now == 3


def test_events_of_before_do_not_count(wait: Callable[..., float]) -> None:
    """A Secret that was missing may be there now; the kubelet looks again only after a while."""
    stuck = pod(state=waiting("ContainerCreating"), metadata={"creationTimestamp": OLD})
    missing = event_item(
        "uid-hub-new-1", "FailedMount", 'MountVolume.SetUp failed for volume "a" : secret "b" not found'
    )
    cluster = Cluster(pods=[stuck], events=[{**missing, "count": 3}])
    with pytest.raises(RolloutError, match="jupyterhub is not ready after 60 seconds: hub: pod hub-new-1 starts on"):
        wait(cluster, timeout=60)
    cluster.now = 0
    cluster.becomes({}, {}, {"events": [{**missing, "count": 4}]})
    with pytest.raises(RolloutError, match='hub: pod hub-new-1 cannot mount the volume a: secret "b" not found'):
        wait(cluster, timeout=60)
    assert cluster.now == 18


def test_pods_that_leave_may_make_room(wait: Callable[..., float]) -> None:
    leaving = pod("session", owner="x", metadata={"deletionTimestamp": OLD})
    waits = unschedulable(NO_MEMORY)
    cluster = Cluster(pods=[waits, leaving])
    cluster.becomes(*[{}] * 40, {"pods": [waits]})
    with pytest.raises(RolloutError, match="hub: pod hub-new-1 cannot be scheduled: 0/1 nodes are available: 1 Insuff"):
        wait(cluster, timeout=200)
    assert cluster.now == 60 + 45


def test_a_reason_that_ends_begins_anew(wait: Callable[..., float]) -> None:
    waits, fine = {"pods": [unschedulable(NO_MEMORY)]}, {"pods": [pod(state=waiting("ContainerCreating"))]}
    cluster = Cluster()
    cluster.becomes(*[waits] * 20, fine, *[waits] * 20, {"deployments": [deployment(ready=1)]})
    assert wait(cluster) == 61.5


def test_evicted_pods_are_replaced(wait: Callable[..., float]) -> None:
    evicted = pod(state=ended(137), status={"phase": "Failed", "reason": "Evicted"})
    cluster = Cluster(pods=[evicted, pod("hub-new-2", {"running": {}})])
    cluster.becomes({}, {}, {"deployments": [deployment(ready=1)]})
    assert wait(cluster) == 3


def test_at_the_end_of_the_time(wait: Callable[..., float], lines: list[str]) -> None:
    """All that is waited for is named, with what probes got."""
    probe = event_item("uid-hub-new-1", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
    cluster = Cluster(
        deployments=[deployment(), deployment("proxy")], pods=[pod(state={"running": {}})], events=[probe]
    )
    cluster.logs = {"false": "waiting for a database"}
    with pytest.raises(RolloutError) as caught:
        wait(cluster, timeout=10)
    assert str(caught.value) == (
        "jupyterhub is not ready after 10 seconds: hub: pod hub-new-1 runs, but is not ready: Readiness probe failed: "
        "HTTP probe failed with statuscode: 503; its log says: waiting for a database, "
        "proxy: waits until 1 more pod can be used"
    )
    assert lines == ["hub: pod hub-new-1 runs, but is not ready yet", "proxy: waits until 1 more pod can be used"]
    assert cluster.now == 10


def test_the_api_server_is_restarted(wait: Callable[..., float], lines: list[str]) -> None:
    """It is silent first, and does not know roles for a moment after that."""
    silent = UnreachableError("https://a:6443 does not answer: nothing listens there")
    cluster = Cluster(pods=[pod(state={"running": {}})])
    cluster.becomes(
        {},
        {"deployments": silent},
        {},
        {"deployments": FORBIDDEN},
        {"deployments": [deployment()], "pods": silent},
        {"pods": [pod(state={"running": {}})]},
        {"deployments": [deployment(ready=1)]},
    )
    assert wait(cluster) == 9
    assert lines == ["hub: pod hub-new-1 runs, but is not ready yet", f"API server: {silent}", "hub: ready"]
    with pytest.raises(UnreachableError, match="nothing listens there"):
        wait(Cluster(deployments=silent))
    with pytest.raises(ApiError, match="forbidden"):
        wait(Cluster(deployments=FORBIDDEN))


@pytest.mark.parametrize("forbidden", ["pods", "events", "replicasets", "statefulsets", "persistentvolumeclaims"])
def test_what_may_not_be_read_is_left_out(wait: Callable[..., float], forbidden: str) -> None:
    waits = unschedulable(
        NO_MEMORY,
        metadata={"labels": {"component": "hub", "pod-template-hash": "1"}},
        spec={"volumes": [{"persistentVolumeClaim": {"claimName": "hub"}}]},
    )
    claim = {"metadata": {"name": "hub", "uid": "c"}, "spec": {}, "status": {"phase": "Pending"}}
    cluster = Cluster(
        **{"pods": [waits], "persistentvolumeclaims": [claim], "storageclasses": FORBIDDEN, forbidden: FORBIDDEN}
    )
    reason = (
        "1 more pod" if forbidden == "pods" else "cannot be scheduled: 0/1 nodes are available: 1 Insufficient memory"
    )
    with pytest.raises(RolloutError, match=reason):
        wait(cluster)


def workload(kind: str, status: dict[str, Any], **spec: Any) -> Workload:
    item = {"metadata": {"name": "x", "generation": 1}, "spec": spec, "status": {"observedGeneration": 1, **status}}
    return Workload(kind, item)


@pytest.mark.parametrize(
    ("workload", "lacks"),
    [
        (workload("Deployment", {"updatedReplicas": 1, "replicas": 1, "availableReplicas": 1}), ""),
        (workload("Deployment", {"updatedReplicas": 1, "replicas": 2}), "waits for 1 old pod to end"),
        (workload("Deployment", {"updatedReplicas": 1}, replicas=2), "waits for 1 new pod"),
        (workload("Deployment", {}, replicas=0), ""),
        (workload("Deployment", {"observedGeneration": 0}, replicas=0), "waits for Kubernetes to notice the change"),
        (workload("Deployment", {}, paused=True), "is paused"),
        (workload("StatefulSet", {"readyReplicas": 1, "updateRevision": "b", "currentRevision": "b"}), ""),
        (
            workload("StatefulSet", {"readyReplicas": 1, "updateRevision": "b", "currentRevision": "a"}),
            "waits for 1 old pod to be replaced",
        ),
        (workload("StatefulSet", {"readyReplicas": 1}, replicas=3), "waits until 2 more pods can be used"),
        (workload("DaemonSet", {}), ""),
        (
            workload("DaemonSet", {"desiredNumberScheduled": 2, "updatedNumberScheduled": 1}),
            "waits for 1 old pod to be replaced",
        ),
        (
            workload("DaemonSet", {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1}),
            "waits until 1 more pod can be used",
        ),
    ],
)
def test_what_a_rollout_lacks(workload: Workload, lacks: str) -> None:
    assert workload.lacks() == lacks


def test_pods_that_pull_images_on_all_nodes_are_not_waited_for() -> None:
    puller = deployment("continuous-image-puller")
    puller["spec"]["updateStrategy"] = {"rollingUpdate": {"maxUnavailable": 1}}
    assert is_waited_for(Workload("DaemonSet", puller), "research", "jupyterhub")
    puller["spec"]["updateStrategy"] = {"rollingUpdate": {"maxUnavailable": "100%"}}
    assert not is_waited_for(Workload("DaemonSet", puller), "research", "jupyterhub")


def test_pods_of_other_kinds() -> None:
    def made(name: str, **labels: str) -> dict[str, Any]:
        return pod(name, owner="uid-x", metadata={"labels": labels})

    item = workload("DaemonSet", {}).item
    item["metadata"].update(uid="uid-x", annotations={"deprecated.daemonset.template.generation": "2"})
    pods = [made("a", **{"pod-template-generation": "1"}), made("b", **{"pod-template-generation": "2"})]
    assert [each["metadata"]["name"] for each in Workload("DaemonSet", item).newest(pods, [])] == ["b"]
    item = workload("StatefulSet", {"updateRevision": "x-2"}).item
    item["metadata"].update(uid="uid-x")
    pods = [made("a", **{"controller-revision-hash": "x-1"}), made("b", **{"controller-revision-hash": "x-2"})]
    assert [each["metadata"]["name"] for each in Workload("StatefulSet", item).newest(pods, [])] == ["b"]


def test_sessions() -> None:
    def reason(session: dict[str, Any], **collections: Any) -> str:
        return session_failure(Cluster(**collections), "research", session)  # type: ignore[arg-type]

    assert reason(READY) == ""
    assert reason(unschedulable(NO_MEMORY)).startswith("pod hub-new-1 cannot be scheduled: 0/1 nodes")
    assert (
        reason(pod(node="", spec={"schedulerName": "hub"})) == "pod hub-new-1 waits for a node from the scheduler hub"
    )
    assert reason(pod(), events=FORBIDDEN) == "pod hub-new-1 starts on the node node1"
    assert reason(pod(), events=UnreachableError("silent")) == ""
    evicted = pod(status={"phase": "Failed", "message": "The node was low on resource: memory."})
    assert reason(evicted) == "pod hub-new-1 has failed: The node was low on resource: memory."


def test_image_pullers() -> None:
    """The node that holds them up is named first."""

    def problem(*pods: dict[str, Any], **collections: Any) -> str:
        cluster: Any = Cluster(pods=list(pods), **collections)
        return image_puller_problem(cluster, "research", "jupyterhub")

    pulls = pod("puller-1", state=waiting("ContainerCreating"))
    refused = pod("puller-2", state=waiting("ErrImagePull", "manifest unknown"), node="node2")
    assert problem() == problem(READY) == ""
    assert problem(READY, pulls) == "1 image puller of 2 not ready: node node1: pod puller-1 starts on the node node1"
    assert problem(READY, pulls, refused) == (
        f"2 image pullers of 3 not ready: node node2: pod puller-2 cannot pull image {IMAGE}: manifest unknown"
    )
    assert problem(pulls, events=UnreachableError("silent")) == ""
