# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes pods run on, with which priority, and what is kept ready for new sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from cluster_hub import CLUSTER, IMAGE, ClusterHub, Session
from hub_client import wait_for
from kubernetes_api import Kubernetes

LABEL, NODES = "example.org/hubfleet-test", {"example.org/hubfleet-test": "sessions"}
TOLERATION = {"key": "example.org/gpu", "operator": "Exists", "effect": "NoSchedule"}
#: The pause image that nodes have.
PAUSE = {"image": {"name": "registry.k8s.io/pause", "tag": "3.10"}}


@pytest.fixture(scope="module")
def node(kubernetes: Kubernetes) -> Iterator[str]:
    """The name of a node with a label, which is removed at the end."""
    name = kubernetes.kubectl("get", "nodes", "--output", "jsonpath={.items[0].metadata.name}")
    kubernetes.kubectl("label", "--overwrite", "node", name, f"{LABEL}=sessions")
    yield name
    kubernetes.kubectl("label", "node", name, f"{LABEL}-")


@pytest.fixture(scope="module")
def hub(make_hub: Callable[..., ClusterHub], node: str) -> Iterator[ClusterHub]:
    made = make_hub(
        hub_home_storage="none",
        hub_home_capacity=None,
        hub_node_selector=NODES,
        hub_tolerations=[TOLERATION],
        cluster_core_node_selector={"kubernetes.io/os": "linux"},
        hub_pod_priority=True,
        hub_user_placeholders=1,
        hub_prepull_on_new_nodes=True,
        fleet_helm_values={**CLUSTER["fleet_helm_values"], "prePuller": {"pause": PAUSE}},
        cluster_helm_values={"scheduling": {"userPlaceholder": {"image": {"name": "overridden", "tag": "1"}}}},
        hub_helm_values={"scheduling": {"userPlaceholder": PAUSE}},
    )
    try:
        made.deploy()
        yield made
    finally:
        # they belong to no namespace
        classes = (f"{made.name}-{kind}-priority" for kind in ("default", "image-puller", "user-placeholder"))
        made.kubernetes.kubectl("delete", "priorityclass", "--ignore-not-found", *classes)


@pytest.mark.options("hub_node_selector", "hub_tolerations", "hub_pod_priority", "hub_user_placeholders")
@pytest.mark.options("hub_helm_values", "cluster_helm_values")
def test_sessions_wait_for_a_node_with_the_label(hub: ClusterHub, kubernetes: Kubernetes, node: str) -> None:
    kubernetes.kubectl("label", "node", node, f"{LABEL}-")
    hub.api("POST", "users/ada")
    assert hub.api("POST", "users/ada/server")[0] == 202
    wait_for("the scheduler to find no node", lambda: "didn't match Pod's node affinity/selector" in state(hub, "ada"))
    kubernetes.kubectl("label", "node", node, f"{LABEL}=sessions")
    assert hub.progress("ada")[-1].get("ready")
    pod = Session(hub, "ada", "").pod["spec"]
    assert pod["nodeSelector"] == NODES and TOLERATION in pod["tolerations"]
    placeholder = wait_for("a placeholder", lambda: hub.pods("user-placeholder"))[0]["spec"]
    assert placeholder["priority"] < pod["priority"]
    assert placeholder["containers"][0]["image"] == "registry.k8s.io/pause:3.10"
    hub.stop_server("ada")


def state(hub: ClusterHub, user: str) -> str:
    """Return the conditions of a user's pod as text; empty if it does not exist yet."""
    pods = [pod for pod in hub.pods("singleuser-server") if pod["metadata"]["name"] == f"jupyter-{user}"]
    return str([pod["status"].get("conditions") for pod in pods])


@pytest.mark.options("hub_prepull_on_new_nodes", "fleet_helm_values")
def test_images_are_pulled_on_new_nodes(hub: ClusterHub) -> None:
    if not hub.kubernetes.objects(hub.namespace, "daemonsets"):
        pytest.skip("the chart of the tests has no image pullers")
    (puller,) = wait_for("an image puller", lambda: hub.pods("continuous-image-puller"))
    assert IMAGE in [container["image"] for container in puller["spec"]["initContainers"]]


@pytest.mark.options("cluster_core_node_selector")
def test_hub_and_proxy_run_on_core_nodes(hub: ClusterHub) -> None:
    for component in ("hub", "proxy"):
        (pod,) = hub.pods(component)
        assert pod["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux"}
