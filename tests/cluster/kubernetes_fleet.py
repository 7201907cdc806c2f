# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory of several hubs on one or more test clusters, deployed by playbooks, and used through their proxies."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml
from cluster_hub import CLUSTER, DeployedHub
from fleet_inventory import PRODUCTION, FleetInventory
from kubernetes_api import Kubernetes

#: Of hubs that need permissions in their namespace only; such hubs have locks of their own.
IN_NAMESPACE: dict[str, Any] = {
    "hub_block_metadata_with_iptables": False,
    "hub_user_scheduler": None,
    "hub_prepull_on_new_nodes": None,
}
#: Seconds to wait for the end of deploys of other tests on the same cluster.
LOCK_PATIENCE = 600.0
_LOCKED = "is under way since"
#: What a deploy may change, and what no user or controller changes by itself.
_OF_DEPLOYS = (
    "configmaps,deployments.apps,networkpolicies,persistentvolumeclaims,rolebindings,roles,secrets,serviceaccounts,"
    "services"
)


class KubernetesFleet(FleetInventory):
    """Hubs in namespaces of their own.

    ::

        fleet = KubernetesFleet(tmp_path, {"cloud": kubeconfig}, chart)
        fleet.add_hub("research", hub_title="Research")
        done = fleet.playbook("deploy", "--limit", "research")
        with fleet.hub("research").session("ada") as session:
            session.run("print(1)")
        fleet.hubs["research"]["hub_title"] = "Teaching"
        fleet.remove()
    """

    def __init__(self, directory: Path, clusters: Mapping[str, Path], chart: Path) -> None:
        """clusters: name -> kubeconfig."""
        super().__init__(directory)
        self.chart = chart
        self.kubernetes: dict[str, Kubernetes] = {}
        self._clients: dict[str, DeployedHub] = {}
        self._namespaces: set[tuple[str, str]] = set()
        self._suffix = secrets.token_hex(2)
        for name, kubeconfig in clusters.items():
            self.add_cluster(name, kubeconfig)
        programs = Kubernetes(next(iter(clusters.values()))).environment
        # the inventory alone says which cluster is meant
        self.environment = {**programs, "KUBECONFIG": str(directory / "no-kubeconfig")}

    def add_cluster(self, name: str, kubeconfig: Path, **variables: Any) -> None:
        """Add a cluster; where cluster_storage_class is given, it need not answer.

        A machine is added by its variables alone: ``fleet.clusters["lab"] = {"cluster_platform": "server"}``.
        """
        self.kubernetes[name] = cluster = Kubernetes(kubeconfig)
        own = {key: value for key, value in CLUSTER.items() if key.startswith("cluster_")}
        self.clusters[name] = {
            **own,
            "cluster_kubeconfig": str(kubeconfig),
            "cluster_context": yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["current-context"],
            "cluster_chart": str(self.chart),
            "cluster_storage_class": variables.get("cluster_storage_class") or cluster.storage_class,
            **variables,
        }

    def add_hub(self, name: str, cluster: str = "", tier: str = PRODUCTION, **variables: Any) -> None:
        """Add a hub on Kubernetes. cluster: the first one unless named. variables: replace those in CLUSTER."""
        cluster = cluster or next(iter(self.kubernetes))
        own = {key: value for key, value in CLUSTER.items() if not key.startswith("cluster_")}
        if self.clusters[cluster].get("cluster_permissions") == "namespace":
            own.update(IN_NAMESPACE)
        self.add(name, cluster, tier, {**own, "hub_namespace": f"{name}-{self._suffix}", **variables})

    def write(self) -> None:
        """Write the inventory; namespaces of hubs that are dropped later are removed in the end as well."""
        super().write()
        places = {hub: self.cluster_of(hub) for hub in self.hubs}
        self._namespaces |= {(place, self.namespace(hub)) for hub, place in places.items() if place in self.kubernetes}

    def playbook(self, name: str, *arguments: str, patient: bool = True) -> subprocess.CompletedProcess[str]:
        """Write the inventory and run a playbook on it; see FleetInventory.

        patient: whether to run it again while another test has the lock of the cluster.
        """
        deadline = time.monotonic() + LOCK_PATIENCE
        done = super().playbook(name, *arguments)
        while patient and done.returncode != 0 and _LOCKED in done.stdout and time.monotonic() < deadline:
            time.sleep(1)
            done = super().playbook(name, *arguments)
        return done

    def run(self, name: str, *arguments: str) -> str:
        """Run a playbook that has to succeed; return what it printed."""
        done = self.playbook(name, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def fails(self, name: str, *arguments: str, patient: bool = True) -> str:
        """Run a playbook that has to fail; return what it printed."""
        done = self.playbook(name, *arguments, patient=patient)
        assert done.returncode != 0, done.stdout
        return done.stdout

    def assert_unchanged(self, *arguments: str) -> None:
        """Check that there is nothing to change, by the playbook plan with more arguments."""
        output = self.run("plan", *arguments)
        assert "nothing to change" in output, output

    def versions(self, hub: str) -> dict[str, str]:
        """Return the resourceVersions of all objects in a hub's namespace that a deploy could touch."""
        found = self.kubernetes[self.cluster_of(hub)].objects(self.namespace(hub), _OF_DEPLOYS)
        return {f"{each['kind']} {each['metadata']['name']}": each["metadata"]["resourceVersion"] for each in found}

    def secret(self, hub: str, name: str) -> dict[str, str]:
        """Return the content of a Secret in a hub's namespace."""
        cluster = self.kubernetes[self.cluster_of(hub)]
        found = json.loads(
            cluster.kubectl("--namespace", self.namespace(hub), "get", "secret", name, "--output", "json")
        )
        return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}

    def generated_secrets(self, hub: str) -> list[str]:
        """Return the secrets that were generated for a hub."""
        return list(_texts(json.loads(self.secret(hub, f"hubfleet.{hub}")["generated"])))

    def namespace(self, hub: str) -> str:
        """Return the namespace of a hub."""
        return str(self.hubs[hub]["hub_namespace"])

    def hub(self, name: str) -> DeployedHub:
        """Return a hub to use it; it must run. Call this again where its proxy was replaced."""
        client, cluster = self._clients.get(name), self.kubernetes[self.cluster_of(name)]
        if client is None or (client.kubernetes, client.namespace) != (cluster, self.namespace(name)):
            client = self._clients[name] = DeployedHub(cluster, self.namespace(name), self.hubs[name])
        client.connect()
        return client

    def remove(self) -> None:
        """Remove the namespaces of all hubs that ever were in the inventory, on clusters that answer."""
        for client in self._clients.values():
            client.disconnect()
        reachable = {name for name, cluster in self.kubernetes.items() if cluster.answers()}
        namespaces = [(name, namespace) for name, namespace in self._namespaces if name in reachable]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda each: self.kubernetes[each[0]].remove_namespace(each[1]), namespaces))


def _texts(content: Any) -> Iterator[str]:
    """Yield the texts in nested data."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, (dict, list)):
        for each in content.values() if isinstance(content, dict) else content:
            yield from _texts(each)
