# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that is an API server without nodes: Helm and what reads work as on any other, but nothing runs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import recorded_target
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.lock_owner import LockOwner
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.revisions import CHECKED
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import Platform, UnreachableError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.client import (
    KubernetesApi,
    ignoring,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.credentials import Credentials
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply import deploy
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.change import Change
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.charts import Charts
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.lease import (
    NAMESPACE,
    ClusterLock,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.platform import KubernetesPlatform
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Cluster, FleetInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import RECORDED_CHARTS, chart_code
from harnesses import Harness
from kubernetes_api import program
from kubernetes_cluster.api_server import ApiServer

CHART = Path(__file__).parents[1] / "support" / "charts" / "jupyterhub"
IMAGE = "quay.io/jupyterhub/k8s-singleuser-sample:test"
#: Namespaces of the hubs of the contract.
_NAMESPACES = ("alpha", "beta", "gamma")
_KINDS = (
    "api/v1/{}/secrets",
    "api/v1/{}/configmaps",
    "api/v1/{}/services",
    "api/v1/{}/serviceaccounts",
    "api/v1/{}/persistentvolumeclaims",
    "apis/apps/v1/{}/deployments",
    "apis/networking.k8s.io/v1/{}/networkpolicies",
    "apis/rbac.authorization.k8s.io/v1/{}/roles",
    "apis/rbac.authorization.k8s.io/v1/{}/rolebindings",
    "apis/coordination.k8s.io/v1/{}/leases",
)
_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard"},
    "provisioner": "example.org/none",
}


class CountingApi(KubernetesApi):
    """An API server, whose answers to what is asked of all releases are counted."""

    def __init__(self, credentials: Credentials):
        super().__init__(credentials)
        self.answers = True
        self.reads = 0

    def request(self, method: str, path: str, *arguments: Any, **more: Any) -> bytes:
        if not self.answers:
            raise UnreachableError("the cluster does not answer")
        if method == "GET" and path == "/api/v1/secrets":
            self.reads += 1
        return super().request(method, path, *arguments, **more)


class KubernetesHarness(Harness):
    """Releases on an API server. Helm deploys them, and nobody waits for pods."""

    builds = False
    blocked = ("storage-class", "there is no storage class 'standard'")

    def __init__(self, server: ApiServer, root: Path, monkeypatch: pytest.MonkeyPatch):
        self.options: dict[str, Any] = {
            "cluster_platform": "kubernetes",
            "cluster_kubeconfig": str(server.kubeconfig),
            "cluster_chart": str(CHART),
            "cluster_storage_class": "standard",
            "hub_port": None,
            "hub_environment_catalogue": {"python": {"image": IMAGE}, "julia": {"image": IMAGE}},
        }
        self.root, self.kubeconfig = root, str(server.kubeconfig)
        self.api = CountingApi(Credentials(self.kubeconfig))
        monkeypatch.setenv("PATH", f"{os.path.dirname(program('helm'))}:{os.environ['PATH']}")
        monkeypatch.setattr(deploy, "wait_for_rollout", lambda *_arguments, **_more: None)
        ignoring(409, lambda: self.api.create(_CLASSES, _CLASS))
        self._empty()

    def _empty(self) -> None:
        """Remove what an earlier test left; without controllers, a namespace cannot be removed."""
        for namespace in (*_NAMESPACES, "default"):
            for kind in _KINDS if namespace != "default" else _KINDS[-1:]:
                path = "/" + kind.format(f"namespaces/{namespace}")
                for each in self.api.list(path, metadata=True):
                    self.api.delete(f"{path}/{each['metadata']['name']}")

    def platform(self, cluster: Cluster, inventory: FleetInput) -> Platform:
        """Make the platform of the cluster."""
        charts = Charts(RECORDED_CHARTS, inventory.directory, str(self.root / "charts"))
        return KubernetesPlatform(cluster, inventory, charts, chart_code(), lambda _credentials: self.api)

    def deploy(self, platform: KubernetesPlatform, hub: Hub) -> None:
        """Deploy a hub, whose check passes."""
        author = {"when": "2026-11-24T08:15:00Z", "who": "ada@desk", "collection": "1.0.0", "revision": ""}
        owner = LockOwner("", "", "", 0, "")
        place, lock = platform.place(hub), platform.deploy_lock
        change = Change(platform.api, place, lock, owner, author, 10, 60, lambda _line: None)
        target = platform.check_targets([hub], None)[0]
        lock.take(owner)
        number = deploy.deploy(change, platform.desired(hub), platform.charts, recorded_target(target), False)
        lock.release(owner)
        secret = change.secret()
        secret.finish(number, result=CHECKED)
        secret.write(10)

    def edit(self, hub: str) -> None:
        """Let somebody change a hub with helm."""
        values = ["--reuse-values", "--set", "hub.templateVars.hub_title=Edited"]
        command = ["helm", "upgrade", hub, str(CHART), "--namespace", hub, "--kubeconfig", self.kubeconfig, *values]
        subprocess.run(command, check=True, capture_output=True)

    def hold_lock(self, owner: LockOwner) -> None:
        """Let somebody hold the lock of the cluster."""
        ClusterLock(self.api, [NAMESPACE], "machine").take(owner, force=True)

    @contextmanager
    def block(self, hub: Hub) -> Iterator[None]:
        """Return a context in which the cluster does not have the storage class of the hub."""
        self.api.delete(f"{_CLASSES}/standard")
        yield
        self.api.create(_CLASSES, _CLASS)

    def disconnect(self) -> None:
        """Let the cluster not answer any more."""
        self.api.answers = False

    @property
    def reads(self) -> int:
        """How often the cluster was read."""
        return self.api.reads
