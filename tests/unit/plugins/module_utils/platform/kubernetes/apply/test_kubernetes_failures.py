# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API says of pods becomes a reason, which is certain at once, after a while, or never."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.failures import (
    made_finding,
    pod_finding,
    pod_progress,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.findings import Finding
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.log_lines import last_words
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.scheduling import Claim
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.workloads import Workload
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.apply.api_objects import (  # noqa: E501
    IMAGE,
    deployment,
    ended,
    event,
    pod,
    replica_set,
    unschedulable,
    waiting,
)

PULLED_BY_CONTAINERD = (
    f'rpc error: code = NotFound desc = failed to pull and unpack image "{IMAGE}": failed to resolve reference '
    f'"{IMAGE}": {IMAGE}: not found'
)
NO_HOST = "dial tcp: lookup quay.io: no such host"
BACK_OFF = f'Back-off pulling image "{IMAGE}"'


def found(*arguments: Any, **more: Any) -> Finding:
    finding = pod_finding(*arguments, **more)
    assert finding is not None
    return finding


# --- Images -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "message", "said", "words", "patience"),
    [
        ("ErrImagePull", PULLED_BY_CONTAINERD, PULLED_BY_CONTAINERD, "not found", 0),
        ("ImagePullBackOff", f"{BACK_OFF}: ErrImagePull: {PULLED_BY_CONTAINERD}", PULLED_BY_CONTAINERD, "not found", 0),
        ("ImagePullBackOff", BACK_OFF, PULLED_BY_CONTAINERD, "not found", 0),
        ("ErrImagePull", "pull access denied", "pull access denied", "pull access denied", 0),
        ("ErrImagePull", "401 Unauthorized", "401 Unauthorized", "401 Unauthorized", 0),
        ("ErrImagePull", NO_HOST, NO_HOST, NO_HOST, None),
        ("ImagePullBackOff", BACK_OFF, "toomanyrequests: limit", "toomanyrequests: limit", None),
    ],
)
def test_images_that_are_not_pulled(reason: str, message: str, said: str, words: str, patience: float | None) -> None:
    events = [event("Failed", f'Failed to pull image "{IMAGE}": {said}'), event("Failed", "Error: ErrImagePull")]
    finding = found(pod(state=waiting(reason, message)), events)
    assert (finding.text, finding.patience) == (f"cannot pull image {IMAGE}: {words}", patience)


def test_a_second_failed_pull_is_certain() -> None:
    failed = f'Failed to pull image "{IMAGE}": {NO_HOST}'
    for state in (waiting("ErrImagePull", NO_HOST), waiting("ImagePullBackOff", BACK_OFF)):
        assert found(pod(state=state), [event("Failed", failed)]).patience is None
        assert found(pod(state=state), [event("Failed", failed, count=2)]).patience == 0


def test_pulls_of_before_the_wait_and_without_events() -> None:
    waits = pod(state=waiting("ImagePullBackOff", f"{BACK_OFF}: {PULLED_BY_CONTAINERD}"))
    old = [event("Failed", f'Failed to pull image "{IMAGE}": {PULLED_BY_CONTAINERD}', count=9, fresh=False)]
    assert found(waits, old).patience is None
    assert found(waits, []).patience == 60


@pytest.mark.parametrize("reason", ["InvalidImageName", "ErrImageNeverPull"])
def test_images_of_init_containers(reason: str) -> None:
    waits = pod(
        state=waiting("PodInitializing"),
        spec={"initContainers": [{"name": "first", "image": "first:1"}]},
        status={"initContainerStatuses": [{"name": "first", "state": waiting(reason)}]},
    )
    assert found(waits, []).patience == 0 and "first:1" in found(waits, []).text


# --- Nodes --------------------------------------------------------------------------------------------------------

NO_MEMORY = (
    "0/2 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint {gpu: yes}. no new claims to "
    "deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
)


def test_pods_without_a_node() -> None:
    container = {"resources": {"requests": {"memory": "900Gi", "cpu": "1"}}}
    finding = found(unschedulable(NO_MEMORY, container=container), [])
    assert finding.text == (
        "cannot be scheduled: 0/2 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint "
        "{gpu: yes} (it asks for memory 900Gi)"
    )
    assert finding.patience == 45 and finding.shortage


@pytest.mark.parametrize(
    ("events", "patience", "words"),
    [
        ([event("TriggeredScaleUp", "pod triggered scale-up")], None, "waits for a new node"),
        ([event("Nominated", "Pod should schedule on: nodeclaim/a")], None, "waits for a new node"),
        ([event("NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max size")], 0, "adds no node: 1 max size"),
        ([event("NotTriggerScaleUp", "1 in backoff after failed scale-up")], 45, "1 in backoff"),
        ([event("NotTriggerScaleUp", "1 max size", fresh=False)], 45, "cannot be scheduled"),
        (
            [event("NotTriggerScaleUp", "no", last="2026-01-01"), event("TriggeredScaleUp", "yes", last="2026-01-02")],
            None,
            "waits for a new node",
        ),
    ],
)
def test_what_the_autoscaler_says(events: list[Any], patience: float | None, words: str) -> None:
    finding = found(unschedulable(NO_MEMORY), events)
    assert finding.patience == patience and words in finding.text


def test_nodes_that_start_and_pods_that_make_room() -> None:
    taint = "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }"
    assert found(unschedulable(taint), []).patience is None
    finding = found(unschedulable(NO_MEMORY, status={"nominatedNodeName": "node2"}), [])
    assert finding.patience is None and "node2" in finding.text


def test_progress_without_a_node() -> None:
    assert pod_finding(pod(node=""), []) is None
    assert pod_progress(pod(node=""), []) == "waits for a node"
    by_user_scheduler = pod(node="", spec={"schedulerName": "hub-user-scheduler"})
    assert pod_progress(by_user_scheduler, []) == "waits for a node from the scheduler hub-user-scheduler"


# --- Volumes ------------------------------------------------------------------------------------------------------


def claim(class_name: str | None, classes: list[str] | None, *events: Any, default: str = "") -> Claim:
    names = {"spec": {} if class_name is None else {"storageClassName": class_name}}
    key = "storageclass.kubernetes.io/is-default-class"
    found = None
    if classes is not None:
        found = [{"metadata": {"name": each, "annotations": {key: str(each == default).lower()}}} for each in classes]
    item = {"metadata": {"name": "homes"}, "status": {"phase": "Pending"}, **names}
    return Claim("homes", item, events, found)


NO_CLASS = event("ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found')
NONE_SET = event("FailedBinding", "no persistent volumes available for this claim and no storage class is set")
NOT_MADE = event(
    "ProvisioningFailed", 'failed to provision volume with StorageClass "fast": rpc error: code = X desc = full'
)


@pytest.mark.parametrize(
    ("claim", "words", "patience"),
    [
        (Claim("homes", None), "does not exist", 15),
        (Claim("homes", {"metadata": {}, "spec": {}, "status": {"phase": "Lost"}}), "its volume is gone", 0),
        (claim(None, ["slow"]), "the cluster has no default one", 0),
        (claim(None, None, NONE_SET), "the cluster has no default one", 20),
        (claim("fast", ["slow"], NO_CLASS), "there is no storage class fast", 0),
        (claim("fast", ["slow"]), "there is no storage class fast", 20),
        (claim("fast", None, NO_CLASS), "there is no storage class fast", 20),
        (claim("fast", ["fast"], NOT_MADE), "waits for the claim homes: full", 60),
    ],
)
def test_claims_without_a_volume(claim: Claim, words: str, patience: float) -> None:
    finding = found(unschedulable("pod has unbound immediate PersistentVolumeClaims"), [], [claim])
    assert words in finding.text and "homes" in finding.text and finding.patience == patience


@pytest.mark.parametrize(
    "claim",
    [
        claim(None, ["slow"], NONE_SET, default="slow"),
        claim("fast", ["fast"], NO_CLASS),
        claim("fast", ["fast"]),
        claim("fast", None),
    ],
)
def test_claims_that_wait(claim: Claim) -> None:
    """A class that exists by now is tried again soon."""
    assert pod_finding(pod(node=""), [], [claim]) is None


CREATING = waiting("ContainerCreating")


def test_volumes_that_are_not_mounted() -> None:
    attach = event(
        "FailedAttachVolume",
        'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) hub-old-1',
        last="2026-01-02",
    )
    finding = found(pod(state=CREATING), [attach, event("FailedMount", "Unable to attach or mount volumes", last="3")])
    assert finding.patience is None
    assert finding.text == "waits for the volume pvc-1, which is still used by hub-old-1 (Multi-Attach error)"
    mount = event("FailedMount", 'MountVolume.SetUp failed for volume "config" : secret "hub" not found')
    finding = found(pod(state=CREATING), [mount])
    assert (finding.text, finding.patience) == ('cannot mount the volume config: secret "hub" not found', 15)
    driver = event("FailedMount", 'MountVolume.MountDevice failed for volume "a" : driver name x not found in the list')
    assert found(pod(state=CREATING), [driver]).patience is None
    assert pod_finding(pod(state={"running": {}}), [mount]) is None
    old = event("FailedMount", mount.message, fresh=False)
    assert pod_finding(pod(state=CREATING), [old]) is None


# --- Crashes ------------------------------------------------------------------------------------------------------


def crashed(state: dict[str, Any], restarts: int, **last: Any) -> dict[str, Any]:
    return pod(state=state, of_container={"restartCount": restarts, "lastState": ended(**last)})


def test_crashes() -> None:
    loop = waiting("CrashLoopBackOff", "back-off 10s restarting failed container")
    finding = found(crashed(loop, 1), [])
    assert (finding.text, finding.patience) == ("crashes: container hub ends with exit code 1", 0)
    assert (finding.container, finding.previous) == ("hub", True)
    assert found(crashed({"running": {}}, 1), []).patience is None
    assert found(crashed({"running": {}}, 2), []).patience == 0
    assert found(crashed(ended(), 1), []).patience == 0
    first = found(pod(state=ended()), [])
    assert first.patience is None and not first.previous
    assert pod_finding(pod(state=ended(0, "Completed")), []) is None


def test_crashes_of_before_the_wait() -> None:
    before = {("uid-hub-new-1", "hub"): 7}
    loop = waiting("CrashLoopBackOff")
    assert pod_finding(crashed({"running": {}}, 7), [], (), before) is None
    assert found(crashed(loop, 7), [], (), before).patience is None
    assert found(crashed(loop, 8), [], (), before).patience == 0


def test_memory_and_programs() -> None:
    loop = waiting("CrashLoopBackOff")
    limited = crashed(loop, 2, code=137, reason="OOMKilled")
    assert "needs more memory than its node has" in found(limited, []).text
    limited["spec"]["containers"][0]["resources"] = {"limits": {"memory": "1Gi"}}
    assert found(limited, []).text == "crashes: container hub needs more memory than its limit of 1Gi (OOMKilled)"
    message = (
        'failed to create containerd task: unable to start container process: exec: "x": executable file not found'
    )
    finding = found(pod(state=waiting("RunContainerError", message)), [])
    assert (finding.text, finding.patience) == (
        'cannot start container hub: exec: "x": executable file not found',
        0,
    )
    missing = found(pod(state=waiting("CreateContainerConfigError", "couldn't find key a in Secret b/c")), [])
    assert missing.patience == 15 and "couldn't find key a in Secret b/c" in missing.text


def test_probes() -> None:
    runs = {"running": {}}
    failed = event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
    finding = found(pod(state=runs), [failed])
    assert finding.text.endswith("Readiness probe failed: HTTP probe failed with statuscode: 503")
    assert finding.patience is None and not finding.progress
    assert pod_progress(pod(state=runs), [failed]) == "runs, but is not ready yet"
    killed = [
        event("Unhealthy", "Liveness probe failed: no answer"),
        event("Killing", "Container hub failed liveness probe, will be restarted"),
    ]
    finding = found(crashed(runs, 2, code=137), killed)
    assert finding.text == "crashes: container hub is restarted since Liveness probe failed: no answer"


def test_progress_on_a_node() -> None:
    pulling = event("Pulling", f'Pulling image "{IMAGE}"')
    assert pod_progress(pod(state=CREATING), [pulling]) == f"is pulling image {IMAGE}"
    pulled = event("Pulled", f'Successfully pulled image "{IMAGE}" in 1s', last="2026-01-02")
    assert pod_progress(pod(state=CREATING), [pulling, pulled]) == "starts on the node node1"
    first = {"name": "first", "image": "first:1"}
    initializing = pod(
        state=waiting("PodInitializing"),
        spec={"initContainers": [first]},
        status={"initContainerStatuses": [{"name": "first", "state": {"running": {}}}]},
    )
    assert pod_progress(initializing, []) == "runs its init container first"


# --- Pods that are not made ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "words", "patience"),
    [
        (
            'pods "hub-new-1" is forbidden: exceeded quota: q, requested: pods=1',
            "exceeded quota: q, requested: pods=1",
            0,
        ),
        ('pods "hub-new-1" is forbidden: failed quota: q: must specify memory', "failed quota: q: must specify", 0),
        ('pods "hub-new-1" is forbidden: maximum memory usage per Pod is 1Gi, but limit is 2Gi', "maximum memory", 0),
        ('admission webhook "x" denied the request: no', 'admission webhook "x" denied the request: no', 0),
        (
            'Internal error occurred: failed calling webhook "x": no answer',
            "Internal error occurred: failed calling",
            60,
        ),
        (
            'pods "hub-new-1" is forbidden: error looking up service account a/hub: not found',
            "error looking up service account",
            15,
        ),
        (
            'pods "hub-new-1" is forbidden: violates PodSecurity "restricted:v1": runAsNonRoot != true (pod or '
            'container "hub" must set securityContext.runAsNonRoot=true), hostPath volumes (volume "a")',
            'violates PodSecurity "restricted:v1": runAsNonRoot != true, hostPath volumes (volume "a")',
            0,
        ),
    ],
)
def test_pods_that_are_refused(message: str, words: str, patience: float) -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    workload = Workload("Deployment", deployment(status={"conditions": [failure]}))
    finding = made_finding(workload, [], replica_set("hub-new", "2"))
    assert finding is not None
    assert finding.text.startswith(f"no pod can be made: {words}") and finding.patience == patience
    if "hub-new" in message:
        assert made_finding(workload, [], replica_set("hub-newest", "2")) is None


def test_pods_of_other_kinds_that_are_refused() -> None:
    message = 'create Pod hub-0 in StatefulSet hub failed error: pods "hub-0" is forbidden: exceeded quota: q'
    workload = Workload("StatefulSet", deployment())
    finding = made_finding(workload, [event("FailedCreate", message)], None)
    assert finding is not None and finding.text == "no pod can be made: exceeded quota: q"
    assert made_finding(workload, [event("FailedCreate", message, fresh=False)], None) is None


# --- Logs ---------------------------------------------------------------------------------------------------------

TRACEBACK = """\
[I 2026-11-30 05:12:15.123 JupyterHub app:1] Starting
Traceback (most recent call last):
  File "a.py", line 1, in <module>
    import b
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 1, in <module>
    import b
ModuleNotFoundError: No module named 'b'
"""
INDENTED = """\
[E 2026-11-30 05:12:15.123 JupyterHub app:1] Failed
    Traceback (most recent call last):
      File "a.py", line 1, in <module>
        import b
    ModuleNotFoundError: No module named 'b'

[I 2026-11-30 05:12:16.123 JupyterHub app:1] Ending
"""


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", ""),
        ("\n  \n", ""),
        ("one\ntwo  words\n\n", "two words"),
        (TRACEBACK, "ModuleNotFoundError: No module named 'b'"),
        (INDENTED, "ModuleNotFoundError: No module named 'b'"),
        (INDENTED + "[C 2026-11-30 05:12:15.123 JupyterHub app:1] Bad config: x\n", "Bad config: x"),
        ("[E 2026-11-30 05:12:15.123 ConfigProxy] Error: listen EADDRINUSE\n  at x\n", "Error: listen EADDRINUSE"),
        ("Error: listen EADDRINUSE\n    at Server.x\n\nNode.js v20", "Error: listen EADDRINUSE"),
        ("Traceback (most recent call last):\n  File", "File"),
    ],
)
def test_last_words_of_a_log(log: str, words: str) -> None:
    assert last_words(log) == words
