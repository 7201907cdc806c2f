# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test cluster is a Kubernetes that hubs can run on: names, volumes and network policies work, and it goes away."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes_cluster.__main__ import cluster, missing_for_clusters
from kubernetes_cluster.cluster import Cluster
from kubernetes_cluster.images import HELPER_IMAGE

#: Not the number of a cluster that a developer started.
NUMBER = 49

SERVER = ["python3", "-m", "http.server", "8000", "--directory", "/data"]
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
}
POLICY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "server"},
    "spec": {
        "podSelector": {"matchLabels": {"app": "server"}},
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "friend"}}}]}],
    },
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "server"},
    "spec": {"selector": {"app": "server"}, "ports": [{"port": 80, "targetPort": 8000}]},
}


def pod(name: str, command: list[str], **specification: Any) -> dict[str, Any]:
    container = {"name": "main", "image": HELPER_IMAGE, "command": command, "imagePullPolicy": "IfNotPresent"}
    container.update(specification.pop("container", {}))
    metadata = {"name": name, "labels": {"app": name}}
    specification = {"terminationGracePeriodSeconds": 0, "containers": [container], **specification}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": specification}


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    problem = missing_for_clusters()
    if problem:
        pytest.skip(problem)
    started = cluster(NUMBER)
    try:
        started.start()
        yield started
    finally:
        started.stop()


def kubectl(running: Cluster, *arguments: str, given: object = None, check: bool = True) -> str:
    command = [running.places.program("kubectl"), "--kubeconfig", str(running.kubeconfig), *arguments]
    text = json.dumps(given) if given else None
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout


def test_pods_find_services_keep_files_and_are_kept_apart(running: Cluster) -> None:
    data = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    mounted = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    waiting = ["sleep", "infinity"]
    pods = [pod("server", SERVER, volumes=[data], container=mounted), pod("friend", waiting), pod("stranger", waiting)]
    everything = {"apiVersion": "v1", "kind": "List", "items": [CLAIM, POLICY, SERVICE, *pods]}
    kubectl(running, "apply", "--filename", "-", given=everything)
    kubectl(
        running,
        "wait",
        "--for=condition=Ready",
        "--timeout=120s",
        *(f"pod/{each['metadata']['name']}" for each in pods),
    )
    kubectl(running, "exec", "server", "--", "sh", "-c", "echo kept > /data/file")
    ask = ("--", "curl", "--silent", "--max-time", "20", "--retry", "5", "--retry-all-errors", "http://server/file")
    assert kubectl(running, "exec", "friend", *ask) == "kept\n"
    ask = ("--", "curl", "--silent", "--max-time", "3", "http://server/file")
    assert kubectl(running, "exec", "stranger", *ask, check=False) == ""


def test_starting_again_changes_nothing(running: Cluster) -> None:
    before = {path.name: path.read_text() for path in running.state.glob("*.process")}
    running.start()
    assert {path.name: path.read_text() for path in running.state.glob("*.process")} == before


def test_stopping_leaves_nothing(running: Cluster) -> None:
    running.stop()
    assert not running.state.exists() and not running.network.exists()
    assert str(running.state) not in Path("/proc/mounts").read_text()
    found = subprocess.run(["pgrep", "--full", str(running.state)], capture_output=True, text=True, check=False)
    assert found.stdout == ""
    assert not list(Path("/sys/fs/cgroup").glob(f"*/{running.network.name}"))
