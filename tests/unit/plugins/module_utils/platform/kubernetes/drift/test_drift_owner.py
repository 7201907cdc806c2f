# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""managedFields tell who changed and who added what."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.drift.owner import (
    additions,
    changed_by,
    owners_of,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.drift.paths import (
    Item,
    Steps,
    path_text,
)

CONTAINERS: Steps = ("spec", "template", "spec", "containers")
HUB = Item("hub", 1, 0)


def entry(manager: str, fields: dict[str, Any], time: str = "1", operation: str = "Update", **more: str) -> Any:
    """Return an entry of managedFields."""
    return {
        "manager": manager,
        "operation": operation,
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
        **more,
    }


def containers(inside: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of containers."""
    return {"f:spec": {"f:template": {"f:spec": {"f:containers": inside}}}}


def instance(*entries: Any) -> dict[str, Any]:
    """Return a live object."""
    items = [{"name": "sidecar", "image": "s:1"}, {"name": "hub", "image": "h:2", "env": [{"name": "A", "value": "1"}]}]
    return {
        "metadata": {"managedFields": list(entries), "labels": {"team": "x"}, "finalizers": ["a", "b"]},
        "spec": {
            "replicas": 2,
            "ingress": [{}, {"ports": []}],
            "template": {"spec": {"containers": items, "nodeSelector": {"pool": "core"}}},
        },
    }


LIVE = instance(
    entry("helm", {"f:spec": {"f:replicas": {}}}, "2026-11-01T00:00:00Z", "Apply"),
    entry("kubectl-scale", {"f:spec": {"f:replicas": {}}}, "2026-11-02T00:00:00Z"),
    entry("kubectl-edit", containers({'k:{"name":"hub"}': {"f:image": {}}}), "2026-11-03T00:00:00Z"),
    entry("kubectl-patch", {"f:spec": {"f:ingress": {}}}, "2026-11-04T00:00:00Z"),
    entry("tool", {"f:metadata": {"f:finalizers": {".": {}, 'v:"b"': {}}}}, "2026-11-05T00:00:00Z"),
)


@pytest.mark.parametrize(
    "steps, manager",
    [
        (("spec", "replicas"), "kubectl-scale"),
        ((*CONTAINERS, HUB, "image"), "kubectl-edit"),
        ((*CONTAINERS, HUB), "kubectl-edit"),
        ((*CONTAINERS, HUB, "env"), ""),
        ((*CONTAINERS, Item("sidecar", 0, None), "image"), ""),
        ((*CONTAINERS, Item("gone", None, 0)), ""),
        (("spec", "ingress", Item("1", 1, None)), "kubectl-patch"),
        (("spec", "ingress", Item("5", None, 5), "ports"), "kubectl-patch"),
        (("metadata", "finalizers", Item("1", 1, None)), "tool"),
        (("metadata", "finalizers", Item("0", 0, None)), ""),
        (("metadata", "labels", "team"), ""),
        (("spec", "nothing"), ""),
    ],
)
def test_last_change(steps: Steps, manager: str) -> None:
    owner = changed_by(LIVE, steps)
    assert (owner.manager if owner else "") == manager


def test_owners_are_ordered() -> None:
    found = owners_of(LIVE, ("spec", "replicas"))
    assert [(owner.manager, owner.time) for owner in found] == [
        ("kubectl-scale", "2026-11-02T00:00:00Z"),
        ("helm", "2026-11-01T00:00:00Z"),
    ]
    assert owners_of({"metadata": {}}, ("spec",)) == [] and changed_by({}, ("spec",)) is None


def added(fields: dict[str, Any], named: dict[str, Any], manager: str = "kubectl-edit", **more: str) -> list[str]:
    """Return the places that a manager added to what the manifest names."""
    result = {"metadata": {"managedFields": [entry("helm", named, operation="Apply"), entry("helm", fields)]}}
    return [path_text(steps) for steps in additions(instance(entry(manager, fields, **more)), result)]


NAMED = {
    "f:spec": {
        "f:replicas": {},
        "f:ingress": {},
        "f:template": {"f:spec": {"f:containers": {'k:{"name":"hub"}': {".": {}, "f:image": {}, "f:resources": {}}}}},
    }
}


@pytest.mark.parametrize(
    "fields, expected",
    [
        ({"f:spec": {"f:replicas": {}, "f:ingress": {}}}, []),
        ({"f:metadata": {"f:labels": {".": {}, "f:team": {}, "f:gone": {}}}}, ["metadata.labels.team"]),
        (
            containers({'k:{"name":"hub"}': {".": {}, "f:image": {}, "f:name": {}}}),
            ["spec.template.spec.containers[hub].name"],
        ),
        (containers({'k:{"name":"sidecar"}': {".": {}, "f:image": {}}}), ["spec.template.spec.containers[sidecar]"]),
        (containers({'k:{"name":"gone"}': {".": {}, "f:image": {}}}), []),
        (
            containers({'k:{"name":"hub"}': {"f:env": {".": {}, 'k:{"name":"A"}': {".": {}, "f:value": {}}}}}),
            ["spec.template.spec.containers[hub].env[A]"],
        ),
        ({"f:spec": {"f:template": {"f:spec": {"f:nodeSelector": {}}}}}, ["spec.template.spec.nodeSelector"]),
        ({"f:metadata": {"f:finalizers": {'v:"b"': {}}}}, ["metadata.finalizers[1]"]),
    ],
)
def test_additions(fields: dict[str, Any], expected: list[str]) -> None:
    assert added(fields, NAMED) == expected


def test_an_empty_dictionary_of_the_manifest_does_not_hide_additions() -> None:
    live = {
        "metadata": {"managedFields": [entry("kubectl-set", {"f:spec": {"f:limits": {"f:memory": {}}}})]},
        "spec": {"limits": {"memory": "1Gi"}},
    }
    result = {"metadata": {"managedFields": [entry("helm", {"f:spec": {"f:limits": {}}}, operation="Apply")]}}
    assert [path_text(steps) for steps in additions(live, result)] == ["spec.limits.memory"]


@pytest.mark.parametrize(
    "manager",
    ["helm", "hubfleet", "kube-controller-manager", "kubelet", "aws-cloud-controller-manager", "before-first-apply"],
)
def test_additions_of_controllers_are_left_out(manager: str) -> None:
    fields = {"f:metadata": {"f:labels": {"f:team": {}}}}
    assert added(fields, NAMED, manager) == []
    assert added(fields, NAMED, subresource="scale") == []
    assert added(fields, NAMED) == ["metadata.labels.team"]


def test_the_last_one_who_added_is_told() -> None:
    fields = {"f:metadata": {"f:labels": {"f:team": {}}}}
    live = instance(entry("second", fields, "2026-11-02T00:00:00Z"), entry("first", fields, "2026-11-01T00:00:00Z"))
    assert [owner.manager for owner in additions(live, {}).values()] == ["second"]
