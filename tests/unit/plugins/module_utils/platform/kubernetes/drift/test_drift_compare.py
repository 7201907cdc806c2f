# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects are compared with what their manifests make of them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.drift.compare import (
    differences,
    to_apply,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.drift.paths import (
    ABSENT,
    live_value,
    wanted_value,
)

HUB: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "hub", "labels": {"app.kubernetes.io/name": "jupyterhub", "app": "hub"}},
    "spec": {
        "replicas": 1,
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "hub",
                        "image": "hub:1",
                        "args": ["jupyterhub", "--debug"],
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                        "ports": [{"containerPort": 8081, "protocol": "TCP"}],
                        "volumeMounts": [
                            {"name": "config", "mountPath": "/etc/a"},
                            {"name": "config", "mountPath": "/b"},
                        ],
                    }
                ]
            }
        },
    },
}
CONTAINER = "spec.template.spec.containers[hub]"


def compared(
    change: Any, kind: str = "Deployment", instance: dict[str, Any] | None = None
) -> dict[str, tuple[Any, Any]]:
    """Return path -> live and wanted value, after ``change`` of the live object, that of the hub unless given."""
    instance = HUB if instance is None else instance
    wanted, live = copy.deepcopy(instance), copy.deepcopy(instance)
    change(live)
    found = differences({**instance, "kind": kind}, wanted, live)
    for each in found:
        assert live_value(live, each.steps) == each.live and wanted_value(wanted, each.steps) == each.wanted
    return {each.path: (each.live, each.wanted) for each in found}


def container(live: dict[str, Any]) -> dict[str, Any]:
    """Return the container of the hub."""
    found: dict[str, Any] = live["spec"]["template"]["spec"]["containers"][0]
    return found


@pytest.mark.parametrize(
    "change, expected",
    [
        (lambda live: live["spec"].update(replicas=0), {"spec.replicas": (0, 1)}),
        (lambda live: live["spec"].pop("replicas"), {"spec.replicas": (ABSENT, 1)}),
        (lambda live: container(live).update(image="hub:2"), {f"{CONTAINER}.image": ("hub:2", "hub:1")}),
        (lambda live: container(live)["env"].reverse(), {}),
        (lambda live: container(live)["env"].pop(0), {f"{CONTAINER}.env[A]": (ABSENT, {"name": "A", "value": "1"})}),
        (lambda live: container(live)["env"][1].update(value="3"), {f"{CONTAINER}.env[B].value": ("3", "2")}),
        (
            lambda live: container(live).pop("env"),
            {f"{CONTAINER}.env": (ABSENT, [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])},
        ),
        (lambda live: container(live)["args"].__setitem__(1, "-v"), {f"{CONTAINER}.args[1]": ("-v", "--debug")}),
        (
            lambda live: container(live)["args"].pop(),
            {f"{CONTAINER}.args": (["jupyterhub"], ["jupyterhub", "--debug"])},
        ),
        (
            lambda live: container(live)["volumeMounts"][0].update(name="other"),
            {f"{CONTAINER}.volumeMounts[/etc/a].name": ("other", "config")},
        ),
        (
            lambda live: container(live)["ports"].append({"containerPort": 1, "protocol": "UDP"}),
            {f"{CONTAINER}.ports[1/UDP]": ({"containerPort": 1, "protocol": "UDP"}, ABSENT)},
        ),
        (
            lambda live: live["metadata"]["labels"].clear(),
            {
                "metadata.labels[app.kubernetes.io/name]": (ABSENT, "jupyterhub"),
                "metadata.labels.app": (ABSENT, "hub"),
            },
        ),
        (lambda live: live["metadata"].update(annotations={"a/b": "1"}), {"metadata.annotations[a/b]": ("1", ABSENT)}),
    ],
)
def test_places_are_those_that_people_write(change: Any, expected: dict[str, tuple[Any, Any]]) -> None:
    assert compared(change) == expected


@pytest.mark.parametrize(
    "live, wanted, paths",
    [
        ([{"a": 1}, {"b": 2}], [{"a": 1}], {"spec.rules[1]": ({"b": 2}, ABSENT)}),
        ([{"b": 2}, {"a": 1}], [{"a": 1}], {"spec.rules[0]": ({"b": 2}, ABSENT)}),
        ([{"a": 1}], [{"a": 1}, {"a": 1}], {"spec.rules[1]": (ABSENT, {"a": 1})}),
        ([{"a": 1}], [{"a": 2}], {"spec.rules[0].a": (1, 2)}),
        ([], [{"a": 1}], {"spec.rules[0]": (ABSENT, {"a": 1})}),
        ([{}], [], {"spec.rules[0]": ({}, ABSENT)}),
        ([{"name": "x", "a": 1}] * 2, [{"name": "x", "a": 1}], {"spec.rules[1]": ({"name": "x", "a": 1}, ABSENT)}),
        (["get"], [], {"spec.rules": (["get"], [])}),
        ({}, ABSENT, {"spec.rules": ({}, ABSENT)}),
    ],
)
def test_lists_without_names(live: Any, wanted: Any, paths: dict[str, tuple[Any, Any]]) -> None:
    sides = [{"spec": {} if side is ABSENT else {"rules": side}} for side in (live, wanted)]
    found = differences({"kind": "NetworkPolicy"}, sides[1], sides[0])
    assert {each.path: (each.live, each.wanted) for each in found} == paths


@pytest.mark.parametrize(
    "kind, change",
    [
        ("Deployment", {"status": {"replicas": 1}}),
        ("Deployment", {"metadata": {"uid": "1", "generation": 2, "managedFields": [{}], "resourceVersion": "3"}}),
        ("Deployment", {"metadata": {"creationTimestamp": "now", "finalizers": ["x"], "ownerReferences": [{}]}}),
        ("Deployment", {"metadata": {"annotations": {"deployment.kubernetes.io/revision": "3"}}}),
        ("Deployment", {"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}}),
        ("PersistentVolumeClaim", {"spec": {"volumeName": "pvc-1", "resources": {"requests": {"storage": "9Gi"}}}}),
        ("PersistentVolumeClaim", {"metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}}}),
        ("Service", {"spec": {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "ports": [{"nodePort": 30000}]}}),
        ("ValidatingWebhookConfiguration", {"webhooks": [{"name": "a", "clientConfig": {"caBundle": "x"}}]}),
    ],
)
def test_what_controllers_write_is_left_out(kind: str, change: dict[str, Any]) -> None:
    base: dict[str, Any] = {"metadata": {"name": "x"}, "spec": {"ports": [{}]}}
    if "webhooks" in change:
        base["webhooks"] = [{"name": "a", "clientConfig": {}}]
    live = copy.deepcopy(base)
    for key, value in change.items():
        live[key] = {**live.get(key, {}), **value} if isinstance(value, dict) else value
    assert differences({"kind": kind}, base, live) == []


def test_claims_are_not_made_smaller() -> None:
    claim = {"kind": "PersistentVolumeClaim", "spec": {"resources": {"requests": {"storage": "1Gi"}}, "a": 1}}
    live = {"spec": {"resources": {"requests": {"storage": "9Gi"}}, "volumeName": "x"}}
    assert to_apply(claim, live)["spec"] == {"resources": {"requests": {"storage": "9Gi"}}, "a": 1}
    assert to_apply(claim, {}) is claim and to_apply(HUB, live) is HUB
