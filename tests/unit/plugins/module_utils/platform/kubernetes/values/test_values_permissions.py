# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With the rights of a namespace alone, the real chart makes nothing that is outside of it.

HUBFLEET_TEST_CHART names the chart: a directory or an archive.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.manifests.engine import (
    renderer,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.manifests.render import (
    Release,
    engine,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.kubernetes_hubs import (  # noqa: E501
    values_of,
)

CHART = os.environ.get("HUBFLEET_TEST_CHART", "")
NAMESPACE = "research"
#: Kinds of Kubernetes' own API that are in no namespace.
CLUSTER_WIDE = {
    "APIService",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingWebhookConfiguration",
}
#: Everything that needs more than a namespace, where it is allowed.
WANTS_MORE = {
    "hub_pod_priority": True,
    "hub_user_placeholders": 2,
    "hub_user_scheduler": True,
    "hub_prepull_on_deploy": True,
    "hub_prepull_on_new_nodes": True,
}


def objects(**variables: Any) -> list[dict[str, Any]]:
    """Return what the chart makes of a hub."""
    if not CHART:
        pytest.skip("HUBFLEET_TEST_CHART names no chart: its manifests are not looked at")
    pytest.importorskip("helm_python", reason="rendering needs the Python package helm-python-sdk")
    values = values_of(**variables).merged
    found, problems = renderer(engine(), "1.33").objects(Release("alpha", NAMESPACE, CHART, values))
    assert problems == []
    return found


def outside(found: list[dict[str, Any]]) -> list[str]:
    """Return the objects that are not in the hub's namespace."""
    return sorted(
        f"{each['kind']} {each['metadata']['name']}"
        for each in found
        if each["kind"] in CLUSTER_WIDE or each["metadata"].get("namespace", NAMESPACE) != NAMESPACE
    )


@pytest.mark.parametrize("defaults", ["collection", "chart"])
def test_nothing_is_outside_of_the_namespace(defaults: str) -> None:
    found = objects(cluster_permissions="namespace", hub_defaults_source=defaults)
    assert {each["kind"] for each in found} >= {"Deployment", "Role", "RoleBinding", "Secret", "Service"}
    assert outside(found) == []


def test_what_is_left_out_would_be_outside() -> None:
    kinds = {text.split()[0] for text in outside(objects(**WANTS_MORE))}
    assert kinds >= {"ClusterRole", "ClusterRoleBinding", "PriorityClass"}


def test_a_service_account_that_is_there_already_needs_no_roles() -> None:
    found = objects(cluster_permissions="namespace", hub_service_account="institution")
    assert {"Role", "RoleBinding", "ServiceAccount"} & {each["kind"] for each in found} == set()
    (hub,) = [each for each in found if each["kind"] == "Deployment" and each["metadata"]["name"] == "hub"]
    assert hub["spec"]["template"]["spec"]["serviceAccountName"] == "institution"


@pytest.mark.parametrize(
    ("variables", "restricted"),
    [
        ({}, True),
        ({"hub_defaults_source": "chart"}, False),
        ({"hub_helm_values": {"singleuser": {"uid": 1001}}}, True),
        ({"hub_helm_values": {"singleuser": {"uid": 0}}}, False),
        ({"hub_helm_values": {"singleuser": {"uid": None}}}, False),
        ({"hub_helm_values": {"singleuser": {"allowPrivilegeEscalation": True}}}, False),
        ({"hub_helm_values": {"hub": {"config": {"KubeSpawner": {"privileged": True}}}}}, False),
        ({"hub_jupyterhub_config": "c.KubeSpawner.uid = 0\n"}, False),
        ({"hub_jupyterhub_config": "c.JupyterHub.log_level = 10\n"}, True),
    ],
)
def test_sessions_are_restricted_unless_something_needs_more(variables: dict[str, Any], restricted: bool) -> None:
    config = values_of(**variables).merged.get("hub", {}).get("config", {})
    context = config.get("KubeSpawner", {}).get("container_security_context")
    assert (context is not None) == restricted
