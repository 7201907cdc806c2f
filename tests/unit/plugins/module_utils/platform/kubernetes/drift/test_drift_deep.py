# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of a release are compared through the API; findings are lines without secrets."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.errors import PlatformError, UnreachableError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.client import ApiError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.drift.deep import (
    deep_drift,
    objects_of,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.drift.finding import (
    ADDED,
    CHANGED,
    MISSING,
    NO_API,
    NOT_COMPARED,
    REMOVED,
    Finding,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.drift.resources import Resources
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases.helm_secrets import (
    HelmRelease,
)

TIME = "2026-11-30T10:14:05Z"
API = {
    "/api/v1": [("configmaps", "ConfigMap", True), ("secrets", "Secret", True), ("secrets/scale", "Secret", True)],
    "/apis/apps/v1": [("deployments", "Deployment", True), ("deployments/scale", "Scale", True)],
    "/apis/rbac.authorization.k8s.io/v1": [("clusterroles", "ClusterRole", False)],
}
HELM_METADATA = {
    "labels": {"app.kubernetes.io/managed-by": "Helm"},
    "annotations": {"meta.helm.sh/release-name": "research", "meta.helm.sh/release-namespace": "lab"},
}


class Cluster:
    """Answers like the API server; applying an object makes it what the manifest says.

    live: path -> object. failures: (verb, path) -> the error.
    """

    def connect(self) -> None:
        """Do nothing."""

    def __init__(self) -> None:
        self.live: dict[str, Any] = {}
        self.failures: dict[tuple[str, str], Exception] = {}
        self.requests: list[tuple[str, str]] = []

    def find(self, path: str) -> Any:
        """See KubernetesApi."""
        self._request("get", path)
        if path in API:
            names = ("name", "kind", "namespaced")
            return {"resources": [dict(zip(names, resource)) for resource in API[path]]}
        return copy.deepcopy(self.live.get(path))

    get = find

    def patch(self, path: str, body: Any, content_type: str, **query: Any) -> Any:
        """See KubernetesApi."""
        assert content_type == "application/apply-patch+yaml"
        assert query == {"fieldManager": "helm", "force": "true", "dryRun": "All"}
        self._request("patch", path)
        applied = {"manager": "helm", "operation": "Apply", "time": TIME, "fieldsV1": fields_of(body)}
        return merged(merged(self.live[path], body), {"metadata": {"managedFields": [applied]}})

    def create(self, path: str, body: Any, **query: Any) -> Any:
        """See KubernetesApi."""
        assert query == {"fieldManager": "helm", "dryRun": "All"}
        self._request("create", path)
        return merged({"spec": {"dnsPolicy": "ClusterFirst"}}, body)

    def _request(self, verb: str, path: str) -> None:
        self.requests.append((verb, path))
        if (verb, path) in self.failures:
            raise self.failures[verb, path]


def fields_of(value: Any) -> Any:
    """Return the fields of a value; lists are atomic."""
    return {f"f:{key}": fields_of(item) for key, item in value.items()} if isinstance(value, dict) else {}


def merged(below: Any, above: Any) -> Any:
    """Return two versions of a dictionary as one."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return copy.deepcopy(above)
    both = {key: merged(below.get(key), item) for key, item in above.items()}
    return {**copy.deepcopy(below), **both}


def manifest(kind: str, name: str, api_version: str = "v1", **content: Any) -> dict[str, Any]:
    """Return an object of the chart."""
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **content}


HUB = manifest("Deployment", "hub", "apps/v1", spec={"replicas": 1, "strategy": "Recreate"})
CONFIG = manifest("ConfigMap", "hub", data={"hub.py": "a = 1\nb = 2\n"})
PRIVATE = manifest("Secret", "hub", data={"token": "aHVudGVyMg=="})
HUB_PATH = "/apis/apps/v1/namespaces/lab/deployments/hub"
CONFIG_PATH = "/api/v1/namespaces/lab/configmaps/hub"
SECRET_PATH = "/api/v1/namespaces/lab/secrets/hub"


def release(*objects: Any) -> HelmRelease:
    """Return a release of objects."""
    text = "".join(f"---\n# Source: a.yaml\n{json.dumps(each)}\n" for each in objects)
    return HelmRelease("research", "lab", 3, "deployed", "4.4.0", "5.5.0", {}, text, TIME, "")


def changed(instance: Any, change: Any, fields: Any = None, manager: str = "kubectl-edit") -> Any:
    """Return an object that somebody changed in the cluster."""
    entry = {"manager": manager, "operation": "Update", "time": TIME, "fieldsV1": fields or {"f:none": {}}}
    return merged(merged(instance, {"metadata": {**HELM_METADATA, "managedFields": [entry]}}), change)


@pytest.fixture
def cluster() -> Cluster:
    """A cluster with a release that nobody changed."""
    made = Cluster()
    for path, instance in ((HUB_PATH, HUB), (CONFIG_PATH, CONFIG), (SECRET_PATH, PRIVATE)):
        made.live[path] = changed(instance, {"status": {"x": 1}})
    made.live[HUB_PATH]["spec"]["dnsPolicy"] = "ClusterFirst"
    return made


def lines(
    cluster: Cluster, *ignored: str, objects: Any = (HUB, CONFIG, PRIVATE), mask: Any = lambda value: value
) -> Any:
    """Return the findings as lines."""
    return [str(finding) for finding in deep_drift(cluster, release(*objects), ignored, mask)]  # type: ignore[arg-type]


def test_nothing_is_found_where_nothing_changed(cluster: Cluster) -> None:
    assert lines(cluster) == []
    assert sorted(cluster.requests) == sorted(
        [("get", path) for path in ("/api/v1", "/apis/apps/v1", HUB_PATH, CONFIG_PATH, SECRET_PATH)]
        + [("patch", path) for path in (HUB_PATH, CONFIG_PATH, SECRET_PATH)]
    )


def test_changes_name_who_and_when(cluster: Cluster) -> None:
    fields = {"f:spec": {"f:replicas": {}, "f:paused": {}, "f:dnsPolicy": {}}}
    change = {"spec": {"replicas": 0, "paused": True, "dnsPolicy": "ClusterFirst"}}
    cluster.live[HUB_PATH] = changed(HUB, change, fields)
    del cluster.live[HUB_PATH]["spec"]["strategy"], cluster.live[CONFIG_PATH]
    found = deep_drift(cluster, release(HUB, CONFIG), [], lambda value: value)  # type: ignore[arg-type]
    assert [str(each) for each in found] == [
        f"Deployment hub: spec.replicas is 0, not 1 (kubectl-edit, {TIME})",
        "Deployment hub: spec.strategy is missing, it was Recreate",
        f"Deployment hub: spec.paused is true, added by kubectl-edit, {TIME}",
        "ConfigMap hub is missing",
    ]
    assert [each.code for each in found] == [CHANGED, REMOVED, ADDED, MISSING]
    assert all(each.is_drift for each in found)


def test_what_no_one_owns_was_scaled(cluster: Cluster) -> None:
    cluster.live[HUB_PATH]["spec"]["replicas"] = 0
    assert lines(cluster) == ["Deployment hub: spec.replicas is 0, not 1 (kubectl scale or an autoscaler)"]


@pytest.mark.parametrize("manager", ["kube-controller-manager", "hubfleet"])
def test_changes_of_controllers_are_no_drift(cluster: Cluster, manager: str) -> None:
    fields = {"f:spec": {"f:replicas": {}, "f:paused": {}}}
    cluster.live[HUB_PATH] = changed(HUB, {"spec": {"replicas": 4, "paused": True}}, fields, manager)
    assert lines(cluster) == []


def test_defaults_are_shown_where_new_objects_cannot_be_asked_for(cluster: Cluster) -> None:
    cluster.live[HUB_PATH] = changed(HUB, {"spec": {"dnsPolicy": "ClusterFirst"}}, {"f:spec": {"f:dnsPolicy": {}}})
    assert lines(cluster) == []
    cluster.failures["create", HUB_PATH.rpartition("/")[0]] = ApiError("no", 403)
    assert lines(cluster) == [f"Deployment hub: spec.dnsPolicy is ClusterFirst, added by kubectl-edit, {TIME}"]


def test_long_texts_are_shown_by_their_first_line(cluster: Cluster) -> None:
    fields = {"f:data": {"f:hub.py": {}}}
    cluster.live[CONFIG_PATH] = changed(CONFIG, {"data": {"hub.py": "a = 1\nb = 3\nc = 4\n"}}, fields)
    assert lines(cluster) == [f"ConfigMap hub: data[hub.py] is b = 3 in line 2, not b = 2 (kubectl-edit, {TIME})"]
    cluster.live[CONFIG_PATH] = changed(CONFIG, {"data": {"hub.py": "a = 1"}}, fields)
    assert lines(cluster) == [f"ConfigMap hub: data[hub.py] is missing in line 2, not b = 2 (kubectl-edit, {TIME})"]


def test_secrets_are_not_shown(cluster: Cluster) -> None:
    def mask(value: Any) -> Any:
        return json.loads(json.dumps(value).replace("hunter2", "***").replace("hunter3", "***"))

    fields = {"f:data": {"f:token": {}, "f:more": {}}}
    cluster.live[SECRET_PATH] = changed(PRIVATE, {"data": {"token": "aHVudGVyMw==", "more": "aHVudGVyMw=="}}, fields)
    variables = [{"name": "A_TOKEN", "value": "hunter4"}, {"name": "B", "value": "hunter2"}]
    hub = merged(HUB, {"spec": {"env": variables}})
    others = [{"name": "A_TOKEN", "value": "hunter5"}, {"name": "B", "value": "hunter3"}]
    cluster.live[HUB_PATH] = changed(hub, {"spec": {"env": others, "x": [{"env": others}]}}, {"f:spec": {"f:x": {}}})
    found = lines(cluster, objects=(hub, PRIVATE), mask=mask)
    assert found == [
        "Deployment hub: spec.env[A_TOKEN].value differs",
        "Deployment hub: spec.env[B].value differs",
        'Deployment hub: spec.x is [{"env": [{"name": "A_TOKEN", "value": "***"}, {"name": "B", "value": "***"}]}], '
        f"added by kubectl-edit, {TIME}",
        f"Secret hub: data.token differs (kubectl-edit, {TIME})",
        f"Secret hub: data.more was added by kubectl-edit, {TIME}",
    ]


def test_kinds_that_are_gone_are_told(cluster: Cluster) -> None:
    old = manifest("Deployment", "hub", "extensions/v1beta1")
    found = deep_drift(cluster, release(old, manifest("Pod", "x")), [], lambda value: value)  # type: ignore[arg-type]
    assert [str(each) for each in found] == [
        "the cluster no longer has apiVersion extensions/v1beta1 of Deployment hub",
        "the cluster no longer has apiVersion v1 of Pod x",
    ]
    assert {each.code for each in found} == {NO_API}


def test_missing_rights_are_told_once(cluster: Cluster) -> None:
    cluster.failures = {
        ("get", SECRET_PATH): ApiError('secrets "hub" is forbidden: User "a" cannot get resource "secrets"', 403),
        ("patch", HUB_PATH): ApiError('deployments "hub" is forbidden: User "a" cannot patch resource', 403),
        ("patch", CONFIG_PATH): ApiError('admission webhook "x" denied the request: because', 403),
    }
    found = deep_drift(cluster, release(HUB, CONFIG, PRIVATE), [], lambda value: value)  # type: ignore[arg-type]
    assert [str(each) for each in found] == [
        'ConfigMap hub is not compared: admission webhook "x" denied the request: because',
        "not compared, since these credentials may not get and patch them: Deployment hub, Secret hub",
    ]
    assert {each.code for each in found} == {NOT_COMPARED} and not any(each.is_drift for each in found)


def test_what_cannot_be_applied_is_compared_with_a_new_object(cluster: Cluster) -> None:
    causes = [{"field": "spec.strategy", "message": "Invalid value: 1: field is immutable"}]
    cluster.failures["patch", HUB_PATH] = ApiError("invalid", 422, "Invalid", {"causes": causes})
    fields = {"f:spec": {"f:paused": {}, "f:dnsPolicy": {}, "f:strategy": {}}}
    change = {"spec": {"strategy": "Rolling", "paused": True, "dnsPolicy": "ClusterFirst", "other": 1}}
    cluster.live[HUB_PATH] = changed(HUB, change, fields)
    assert lines(cluster) == [
        f"Deployment hub: spec.strategy is Rolling, not Recreate (kubectl-edit, {TIME}); the field cannot be changed",
        f"Deployment hub: spec.paused is true, added by kubectl-edit, {TIME}",
    ]
    cluster.failures["create", HUB_PATH.rpartition("/")[0]] = ApiError("no", 403)
    assert lines(cluster) == ["Deployment hub is not compared: invalid"]


def test_an_object_that_the_server_cannot_merge_is_no_dead_server(cluster: Cluster) -> None:
    cluster.failures["patch", HUB_PATH] = UnreachableError("https://x does not work: duplicate entries for key")
    assert lines(cluster) == []
    cluster.failures["create", HUB_PATH.rpartition("/")[0]] = ApiError("no", 403)
    assert lines(cluster) == ["Deployment hub is not compared: https://x does not work: duplicate entries for key"]


def test_a_dead_server_is_told(cluster: Cluster) -> None:
    cluster.failures["get", CONFIG_PATH] = UnreachableError("https://x does not answer")
    with pytest.raises(UnreachableError, match="https://x does not answer"):
        lines(cluster)


def test_ignored_objects_are_not_asked_for(cluster: Cluster) -> None:
    del cluster.live[CONFIG_PATH]
    cluster.live[HUB_PATH]["spec"].update(replicas=0, strategy="x")
    assert lines(cluster, "ConfigMap/*", "*/hub:spec.replicas") == ["Deployment hub: spec.strategy is x, not Recreate"]
    assert ("get", CONFIG_PATH) not in cluster.requests


def test_releases_share_what_is_known_of_the_api(cluster: Cluster) -> None:
    resources = Resources(cluster)  # type: ignore[arg-type]
    for _release in range(2):
        assert deep_drift(cluster, release(HUB), [], lambda value: value, resources) == []  # type: ignore[arg-type]
    assert cluster.requests.count(("get", "/apis/apps/v1")) == 1


def test_paths_of_objects(cluster: Cluster) -> None:
    resources = Resources(cluster)  # type: ignore[arg-type]
    role = manifest("ClusterRole", "system:hub", "rbac.authorization.k8s.io/v1")
    assert resources.path(role, "lab") == "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:hub"
    elsewhere = merged(CONFIG, {"metadata": {"namespace": "other"}})
    assert resources.path(elsewhere, "lab") == "/api/v1/namespaces/other/configmaps/hub"


def test_objects_have_what_helm_adds() -> None:
    both = {"kind": "List", "apiVersion": "v1", "items": [CONFIG, {**PRIVATE, "metadata": {"labels": {"a": "b"}}}]}
    found = objects_of(release(both))
    assert [each["kind"] for each in found] == ["ConfigMap", "Secret"]
    assert found[0]["metadata"] == {"name": "hub", **HELM_METADATA}
    assert found[1]["metadata"]["labels"] == {"a": "b", "app.kubernetes.io/managed-by": "Helm"}


def test_a_damaged_manifest_is_told() -> None:
    broken = HelmRelease("research", "lab", 3, "", "", "", {}, "a: b: hunter2", "", "")
    with pytest.raises(PlatformError, match="^the manifest of the release research is not YAML$"):
        objects_of(broken)


def test_empty_values_are_shown() -> None:
    assert str(Finding("ConfigMap", "x", CHANGED, "data.a", '""', "1")) == 'ConfigMap x: data.a is "", not 1'
