# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout ends when everything is ready, or as soon as it is certain why it will not be.

All of them are waited for at once, in threads; each is a release of its own.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.client import KubernetesApi
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.credentials import Credentials
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.image_puller import (
    image_puller_problem,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.rollout import (
    RolloutError,
    session_failure,
    wait_for_rollout,
)
from cluster_hub import IMAGE
from hub_client import wait_for
from kubernetes_api import Kubernetes
from kubernetes_cluster.api_server import ApiServer, missing

#: On the node itself, where nothing listens.
NO_IMAGE = "127.0.0.1:1/none:1"
SECRET = "a-secret-in-a-log"
CRASH = f"import sys\nprint('{SECRET}')\ndef start():\n    raise RuntimeError('no database {SECRET}')\nstart()"
WAIT = ["sleep", "infinity"]
#: Without a probe, a container is ready until it ends.
LATE = {"exec": {"command": ["true"]}, "initialDelaySeconds": 30}


def container(command: list[str] | None = None, **fields: Any) -> dict[str, Any]:
    return {"name": "main", "image": IMAGE, "command": command or WAIT, "imagePullPolicy": "IfNotPresent", **fields}


def workload(release: str, pod: dict[str, Any], kind: str = "Deployment", **fields: Any) -> dict[str, Any]:
    """Return a workload of a release, whose name it has, with the specification of its pods."""
    annotations = {"meta.helm.sh/release-name": release}
    labels = {"app": release}
    template = {"metadata": {"labels": labels}, "spec": {"terminationGracePeriodSeconds": 0, **pod}}
    specification = {"selector": {"matchLabels": labels}, "template": template, **fields}
    metadata = {"name": release, "annotations": annotations}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": specification}


def claim(name: str, **fields: Any) -> dict[str, Any]:
    specification = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}, **fields}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": specification}


def running(**fields: Any) -> dict[str, Any]:
    return {"containers": [container(**fields)]}


def mounting(volume: dict[str, Any]) -> dict[str, Any]:
    mounts = [{"name": "data", "mountPath": "/data"}]
    return {"containers": [container(volumeMounts=mounts)], "volumes": [{"name": "data", **volume}]}


WORKLOADS: list[dict[str, Any]] = [
    workload("good", running()),
    workload("none", running(image=NO_IMAGE), replicas=0),
    workload("good-set", running(), "StatefulSet", serviceName="none", replicas=2, podManagementPolicy="Parallel"),
    workload("good-daemon", running(), "DaemonSet"),
    workload("bad-name", running(image="Not a name")),
    workload("bad-image", {**running(), "initContainers": [container(["true"], name="first", image=NO_IMAGE)]}),
    workload("never", running(image=NO_IMAGE, imagePullPolicy="Never")),
    workload("large", running(resources={"requests": {"memory": "900Gi"}})),
    workload("elsewhere", {**running(), "nodeSelector": {"example.org/pool": "core"}}),
    workload("no-class", mounting({"persistentVolumeClaim": {"claimName": "no-class"}})),
    workload("no-claim", mounting({"persistentVolumeClaim": {"claimName": "missing"}})),
    workload("no-file", mounting({"configMap": {"name": "missing"}})),
    workload("no-secret", running(envFrom=[{"secretRef": {"name": "missing"}}])),
    workload("crash", running(command=["python3", "-c", CRASH], readinessProbe=LATE)),
    workload("no-program", running(command=["/no-program"])),
    workload(
        "memory",
        running(
            command=["python3", "-c", "x = 'x' * 10**9"], resources={"limits": {"memory": "60Mi"}}, readinessProbe=LATE
        ),
    ),
    workload("silent", running(readinessProbe={"exec": {"command": ["sh", "-c", "echo not yet; exit 1"]}})),
]
OF_QUOTA: list[dict[str, Any]] = [
    workload("quota", running()),
    workload("quota-set", running(), "StatefulSet", serviceName="none"),
]
OF_POLICY: list[dict[str, Any]] = [workload("policy", running())]
QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "few"},
    "spec": {"hard": {"pods": "0"}},
}
#: Seconds after which a release that is only late is given up.
PATIENCE = {"silent": 15.0}

EXPECTED = {
    "bad-name": "cannot pull image Not a name: this is no name of an image",
    "bad-image": f"cannot pull image {NO_IMAGE}: ",
    "never": f"has no image {NO_IMAGE} on its node, and may not pull it (imagePullPolicy Never)",
    "large": "cannot be scheduled: 0/1 nodes are available: 1 Insufficient memory (it asks for memory 900Gi)",
    "elsewhere": "(it asks for a node with the label example.org/pool=core)",
    "no-class": "waits for the claim no-class: there is no storage class missing",
    "no-claim": "waits for the claim missing, which does not exist",
    "no-file": 'cannot mount the volume data: configmap "missing" not found',
    "no-secret": 'cannot start container main: secret "missing" not found',
    "crash": "crashes: container main ends with exit code 1; its log says: RuntimeError: no database ****",
    "no-program": 'cannot start container main: exec: "/no-program": stat /no-program: no such file or directory',
    "memory": "crashes: container main needs more memory than its limit of 60Mi (OOMKilled)",
    "quota": "quota: no pod can be made: exceeded quota: few, requested: pods=1, used: pods=0, limited: pods=0",
    "quota-set": "quota-set: no pod can be made: exceeded quota: few, requested: pods=1, used: pods=0, limited: pods=0",
    "policy": 'no pod can be made: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false, ',
    "silent": "runs, but is not ready: Readiness probe failed: not yet",
}


@dataclass
class Outcome:
    """How the wait for a release ended."""

    error: str = ""
    seconds: float = 0.0
    lines: list[str] = field(default_factory=list)


def wait(kubeconfig: str, namespace: str, release: str) -> Outcome:
    """Wait for a release like a deploy does."""
    api = KubernetesApi(Credentials(kubeconfig))
    outcome = Outcome()
    began = time.monotonic()
    patience = PATIENCE.get(release, 150.0)
    try:
        wait_for_rollout(api, namespace, release, patience, outcome.lines.append, mask=masked)
    except RolloutError as error:
        outcome.error = str(error)
    outcome.seconds = time.monotonic() - began
    return outcome


def masked(text: str) -> str:
    return text.replace(SECRET, "****")


@pytest.fixture(scope="module")
def namespaces(kubernetes: Kubernetes) -> Iterator[list[str]]:
    """Three namespaces: a usual one, one without room for pods, one in which pods must not do much."""
    names = [f"rollout-{secrets.token_hex(2)}" for _each in range(3)]
    for name in names:
        kubernetes.kubectl("create", "namespace", name)
    kubernetes.kubectl("label", "namespace", names[2], "pod-security.kubernetes.io/enforce=restricted")
    kubernetes.kubectl("--namespace", names[1], "create", "--filename", "-", given=QUOTA)
    yield names
    for name in names:
        kubernetes.remove_namespace(name)


@pytest.fixture(scope="module")
def outcomes(kubernetes: Kubernetes, namespaces: list[str]) -> Iterator[dict[str, Future[Outcome]]]:
    """How the wait for each release ends."""
    claims = [claim("no-class", storageClassName="missing")]
    contents = [[*claims, *WORKLOADS], OF_QUOTA, OF_POLICY]
    for namespace, items in zip(namespaces, contents):
        everything = {"apiVersion": "v1", "kind": "List", "items": items}
        kubernetes.kubectl("--namespace", namespace, "apply", "--filename", "-", given=everything)
    with ThreadPoolExecutor(24) as pool:
        yield {
            item["metadata"]["name"]: pool.submit(wait, str(kubernetes.kubeconfig), namespace, item["metadata"]["name"])
            for namespace, items in zip(namespaces, [WORKLOADS, OF_QUOTA, OF_POLICY])
            for item in items
        }


@pytest.mark.parametrize("release", ["good", "good-set", "good-daemon"])
def test_releases_that_come_up(outcomes: dict[str, Future[Outcome]], release: str) -> None:
    outcome = outcomes[release].result()
    assert outcome.error == ""
    assert outcome.lines == [] or outcome.lines[-1] == f"{release}: ready"


def test_nothing_to_wait_for(outcomes: dict[str, Future[Outcome]]) -> None:
    outcome = outcomes["none"].result()
    assert outcome.error == "" and outcome.seconds < 20


@pytest.mark.parametrize("release", sorted(EXPECTED))
def test_failures_are_told_with_their_reason(outcomes: dict[str, Future[Outcome]], release: str) -> None:
    outcome = outcomes[release].result()
    assert EXPECTED[release] in outcome.error
    assert release in outcome.error and "\n" not in outcome.error
    assert SECRET not in outcome.error + "".join(outcome.lines)
    assert "seconds" not in outcome.error or release in PATIENCE
    assert all(line != after for line, after in zip(outcome.lines, outcome.lines[1:]))


def test_pods_of_an_older_revision_do_not_matter(kubernetes: Kubernetes, namespaces: list[str]) -> None:
    """Nor do pods of other releases, and sessions."""
    crashing = running(command=["python3", "-c", CRASH], readinessProbe=LATE)
    apply = ("--namespace", namespaces[0], "apply", "--filename", "-")
    kubernetes.kubectl(*apply, given=workload("repaired", crashing))
    session = {"name": "jupyter-ada", "labels": {"component": "singleuser-server", "app": "repaired"}}
    kubernetes.kubectl(*apply, given={"apiVersion": "v1", "kind": "Pod", "metadata": session, "spec": crashing})

    def loops() -> list[dict[str, Any]]:
        pods = kubernetes.objects(namespaces[0], "pods", "--selector", "app=repaired")
        return pods if len(pods) == 2 and all("CrashLoopBackOff" in str(pod["status"]) for pod in pods) else []

    pods = wait_for("pods that crash", loops, patience=120)
    kubernetes.kubectl(*apply, given=workload("repaired", running()))
    assert wait(str(kubernetes.kubeconfig), namespaces[0], "repaired").error == ""
    api = KubernetesApi(Credentials(str(kubernetes.kubeconfig)))
    (pod,) = (pod for pod in pods if pod["metadata"]["name"] == "jupyter-ada")

    def reason() -> str:
        # the runtime copies what a program writes to its two outputs one after the other
        told = session_failure(api, namespaces[0], pod, masked)
        return told if "no database" in told else ""

    assert wait_for("the whole log of the pod", reason) == (
        "pod jupyter-ada crashes: container main ends with exit code 1; its log says: RuntimeError: no database ****"
    )


def test_image_pullers_that_hold_up_a_deploy(kubernetes: Kubernetes, namespaces: list[str]) -> None:
    labels = {"component": "hook-image-puller", "release": "pulled"}
    pull = container(["true"], name="image-pull-0", image="Not a name")
    puller = {"metadata": {"name": "puller", "labels": labels}, "spec": {**running(), "initContainers": [pull]}}
    given = {"apiVersion": "v1", "kind": "Pod", **puller}
    kubernetes.kubectl("--namespace", namespaces[0], "create", "--filename", "-", given=given)
    api = KubernetesApi(Credentials(str(kubernetes.kubeconfig)))
    expected = "pod puller cannot pull image Not a name: this is no name of an image"
    wait_for(expected, lambda: image_puller_problem(api, namespaces[0], "pulled").endswith(expected))
    assert image_puller_problem(api, namespaces[0], "good") == ""


def test_few_rights_are_enough(kubernetes: Kubernetes, namespaces: list[str]) -> None:
    """Who may read Deployments and pods of one namespace learns less, and nothing else goes wrong."""
    within = ("--namespace", namespaces[0])
    kubernetes.kubectl(*within, "create", "serviceaccount", "reader")
    for resources in ("deployments.apps", "pods"):
        name = f"read-{resources.partition('.')[0]}"
        kubernetes.kubectl(*within, "create", "role", name, "--verb=list", f"--resource={resources}")
        account = f"--serviceaccount={namespaces[0]}:reader"
        kubernetes.kubectl(*within, "create", "rolebinding", name, f"--role={name}", account)
    token = kubernetes.kubectl(*within, "create", "token", "reader").strip()
    kubeconfig = json.loads(kubernetes.kubectl("config", "view", "--raw", "--flatten", "--output", "json"))
    kubeconfig["users"] = [{"name": user["name"], "user": {"token": token}} for user in kubeconfig["users"]]
    crash = wait(json.dumps(kubeconfig), namespaces[0], "crash")
    assert crash.error.endswith("crashes: container main ends with exit code 1")
    assert wait(json.dumps(kubeconfig), namespaces[0], "good").error == ""


def test_the_api_server_is_restarted_meanwhile(tmp_path: Path) -> None:
    why = missing()
    if why:
        pytest.skip(why)
    with ApiServer(tmp_path / "server") as server, ThreadPoolExecutor(1) as pool:
        api = KubernetesApi(Credentials(str(server.kubeconfig)))
        api.create("/api/v1/namespaces", {"metadata": {"name": "research"}})
        path = "/apis/apps/v1/namespaces/research/deployments"
        api.create(path, workload("hub", running()))
        waiting = pool.submit(wait, str(server.kubeconfig), "research", "hub")
        time.sleep(3)
        server.stop()
        time.sleep(5)
        server.start()
        numbers = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
        wait_for(
            "the API server", lambda: api.patch(f"{path}/hub/status", {"status": {"observedGeneration": 1, **numbers}})
        )
        outcome = waiting.result()
    assert outcome.error == ""
    assert len([line for line in outcome.lines if line.startswith("API server: ")]) == 1
