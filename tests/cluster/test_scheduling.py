# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes pods run on, with which priority, and what is kept ready for new sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from cluster_hub import ClusterHub
from hub_client import wait_for
from kubernetes_api import Kubernetes

LABEL, NODES = "example.org/hubfleet-test", {"example.org/hubfleet-test": "sessions"}
TOLERATION = {"key": "example.org/gpu", "operator": "Exists", "effect": "NoSchedule"}
#: The pause image that nodes have.
PAUSE = {"image": {"name": "registry.k8s.io/pause", "tag": "3.10"}}


@pytest.fixture(scope="module")
def node(kubernetes: Kubernetes) -> Iterator[str]:
    """The name of a node, whose label is removed at the end."""
    name = kubernetes.kubectl("get", "nodes", "--output", "jsonpath={.items[0].metadata.name}")
    yield name
    kubernetes.kubectl("label", "node", name, f"{LABEL}-")


@pytest.fixture(scope="module")
def hub(make_hub: Callable[..., ClusterHub], node: str) -> ClusterHub:
    made = make_hub(
        hub_home_storage="none",
        hub_home_capacity=None,
        hub_node_selector=NODES,
        hub_tolerations=[TOLERATION],
        cluster_core_node_selector={"kubernetes.io/os": "linux"},
        hub_start_timeout="10s",
        hub_pod_priority=True,
        hub_user_placeholders=1,
        hub_prepull_on_new_nodes=True,
        hub_helm_values={"prePuller": {"pause": PAUSE}, "scheduling": {"userPlaceholder": PAUSE}},
    )
    made.deploy()
    return made


@pytest.mark.options(
    "hub_node_selector", "hub_start_timeout", "hub_tolerations", "hub_pod_priority", "hub_user_placeholders"
)
def test_sessions_need_a_node_with_the_label(hub: ClusterHub, kubernetes: Kubernetes, node: str) -> None:
    assert "timed out" in hub.start_error("ada").lower() or "10 seconds" in hub.start_error("ada")
    kubernetes.kubectl("label", "node", node, f"{LABEL}=sessions")
    with hub.session("ada") as session:
        pod = session.pod["spec"]
        assert pod["nodeSelector"] == NODES and TOLERATION in pod["tolerations"]
        placeholder = wait_for("a placeholder", lambda: hub.pods("user-placeholder"))[0]["spec"]
        assert placeholder["priority"] < pod["priority"]


@pytest.mark.options("cluster_core_node_selector")
def test_hub_and_proxy_run_on_core_nodes(hub: ClusterHub) -> None:
    for component in ("hub", "proxy"):
        (pod,) = hub.pods(component)
        assert pod["spec"]["nodeSelector"] == {"kubernetes.io/os": "linux"}
