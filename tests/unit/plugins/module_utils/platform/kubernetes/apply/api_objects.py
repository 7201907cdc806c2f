# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of the API as a cluster returns them, with what rollouts look at."""

from __future__ import annotations

from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.findings import Event

IMAGE = "quay.io/uni/hub:1"


def pod(
    name: str = "hub-new-1",
    state: dict[str, Any] | None = None,
    node: str = "node1",
    owner: str = "uid-hub-new",
    **fields: Any,
) -> dict[str, Any]:
    """Return a pod with one container in a state. fields: status, spec, metadata, container, of_container."""
    status = {"name": "hub", "restartCount": 0, "ready": False, "state": state or {}, **fields.get("of_container", {})}
    ready = {"type": "Ready", "status": "True" if status["ready"] else "False"}
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "ownerReferences": [{"uid": owner, "controller": True}],
            **fields.get("metadata", {}),
        },
        "spec": {
            **({"nodeName": node} if node else {}),
            "containers": [{"name": "hub", "image": IMAGE, **fields.get("container", {})}],
            **fields.get("spec", {}),
        },
        "status": {"conditions": [ready], "containerStatuses": [status], **fields.get("status", {})},
    }


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def ended(code: int = 1, reason: str = "Error") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason}}


def unschedulable(message: str, **fields: Any) -> dict[str, Any]:
    reason = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return pod(node="", status={"conditions": [reason], **fields.pop("status", {})}, **fields)


def event(reason: str, message: str, **fields: Any) -> Event:
    return Event(reason, message, **fields)


def deployment(name: str = "hub", ready: int = 0, release: str = "jupyterhub", **fields: Any) -> dict[str, Any]:
    """Return a Deployment of one pod, whose newest ReplicaSet is NAME-new."""
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "generation": 2,
            "annotations": {"meta.helm.sh/release-name": release, "deployment.kubernetes.io/revision": "2"},
            "labels": {"component": name},
        },
        "spec": {"replicas": 1, "selector": {"matchLabels": {"component": name}}, **fields.get("spec", {})},
        "status": {
            "observedGeneration": 2,
            "replicas": 1,
            "updatedReplicas": 1,
            "availableReplicas": ready,
            **fields.get("status", {}),
        },
    }


def replica_set(name: str, revision: str, owner: str = "uid-hub") -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "annotations": {"deployment.kubernetes.io/revision": revision},
            "ownerReferences": [{"uid": owner, "controller": True}],
        }
    }
