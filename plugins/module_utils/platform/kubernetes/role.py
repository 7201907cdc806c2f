# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions in a hub's namespace of the account that deploys, with ``cluster_permissions: namespace``.

Helm reads, watches and changes each object of a release. Whoever creates a Role must have what it grants: the hub's
grants pods, volumes, secrets and services of sessions, and events.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...schema.model import Hub

#: File beside the values, and the account that it names.
ROLE_FILE = "role.yaml"
ACCOUNT = "hubfleet-deployer"

_READ = ["get", "list", "watch"]
_MANAGE = [*_READ, "create", "patch", "delete"]
_RBAC, _NETWORKING = "rbac.authorization.k8s.io", "networking.k8s.io"


def role_objects(hub: Hub) -> list[dict[str, Any]]:
    """Return a service account, a Role that suffices to install, upgrade and remove a hub, and their RoleBinding."""
    rules = [{"apiGroups": [group], "resources": [resource], "verbs": verbs} for group, resource, verbs in _rules(hub)]
    reference = {"kind": "Role", "name": ACCOUNT, "apiGroup": _RBAC}
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": hub.namespace}
    return [
        _object("v1", "ServiceAccount", hub),
        {**_object(f"{_RBAC}/v1", "Role", hub), "rules": rules},
        {**_object(f"{_RBAC}/v1", "RoleBinding", hub), "subjects": [subject], "roleRef": reference},
    ]


def _object(version: str, kind: str, hub: Hub) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": ACCOUNT, "namespace": hub.namespace}}


def _rules(hub: Hub) -> Iterator[tuple[str, str, list[str]]]:
    """Yield group, resource and verbs of each rule."""
    exposure = hub.cluster["cluster_exposure"]
    brings_roles = not hub["hub_service_account"]
    yield "", "configmaps", _MANAGE
    yield "", "secrets", [*_MANAGE, "update"]  # Helm's records of the release are secrets, too
    yield "", "services", _MANAGE
    yield "", "persistentvolumeclaims", _MANAGE
    yield "apps", "deployments", _MANAGE
    yield "apps", "replicasets", _READ
    yield _NETWORKING, "networkpolicies", _MANAGE
    if brings_roles:
        yield "", "pods", [*_READ, "create", "delete"]
        yield "", "events", _READ
        yield "", "serviceaccounts", _MANAGE
        yield _RBAC, "roles", _MANAGE
        yield _RBAC, "rolebindings", _MANAGE
    else:
        yield "", "pods", _READ
    if exposure == "ingress":
        yield _NETWORKING, "ingresses", _MANAGE
    elif exposure == "gateway":
        yield "gateway.networking.k8s.io", "httproutes", _MANAGE
