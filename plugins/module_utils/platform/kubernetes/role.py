# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The permissions in a hub's namespace of the account that deploys, with ``cluster_permissions: namespace``.

Helm reads, watches and changes each object of a release. Whoever creates a Role must have what it grants: the hub's
grants pods, volumes, secrets and services of sessions, and events. The playbooks need a few more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...schema.model import Hub

#: File beside the values, and the account that it names.
ROLE_FILE = "role.yaml"
ACCOUNT = "hubfleet-deployer"

_READ = ["get", "list", "watch"]
_MANAGE = [*_READ, "create", "patch", "delete"]
_RBAC, _NETWORKING = "rbac.authorization.k8s.io", "networking.k8s.io"


@dataclass(frozen=True)
class Rule:
    """What an account may do with a resource; resource: also a subresource, such as pods/log."""

    group: str
    resource: str
    verbs: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the rule as a Role has it."""
        return {"apiGroups": [self.group], "resources": [self.resource], "verbs": list(self.verbs)}


def role_objects(hub: Hub) -> list[dict[str, Any]]:
    """Return a service account, a Role that suffices to install, upgrade and remove a hub, and their RoleBinding."""
    rules = [rule.as_dict() for rule in deploy_rules(hub)]
    reference = {"kind": "Role", "name": ACCOUNT, "apiGroup": _RBAC}
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": hub.namespace}
    return [
        _object("v1", "ServiceAccount", hub),
        {**_object(f"{_RBAC}/v1", "Role", hub), "rules": rules},
        {**_object(f"{_RBAC}/v1", "RoleBinding", hub), "subjects": [subject], "roleRef": reference},
    ]


def _object(version: str, kind: str, hub: Hub) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": ACCOUNT, "namespace": hub.namespace}}


def deploy_rules(hub: Hub) -> list[Rule]:
    """Return what a deploy of a hub needs in its namespace, each resource once."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for group, resource, some in (*_helm_rules(hub), *_PLAYBOOKS):
        known = verbs.setdefault((group, resource), [])
        known += [verb for verb in some if verb not in known]
    return [Rule(group, resource, tuple(some)) for (group, resource), some in verbs.items()]


def read_rules(hub: Hub) -> list[Rule]:
    """Return what a plan, a status and a check of a hub need in its namespace."""
    return [Rule(group, resource, tuple(verbs)) for group, resource, verbs in _READING]


#: What a plan reads, and what a check needs: the token of its service, a way to the proxy, and the removal of what its
#: own users leave.
_READING = (
    ("", "secrets", ["get", "list"]),
    ("", "namespaces", ["get"]),
    ("", "pods", ["get", "list", "delete"]),
    ("", "persistentvolumeclaims", ["list", "delete"]),
    ("", "pods/portforward", ["get", "create"]),
    ("", "services", ["get"]),
    ("", "events", ["list"]),
    ("apps", "deployments", ["list"]),
)
#: What the playbooks need beside Helm: the lock, the identity of the namespace, reasons of failures, the check,
#: stopping a hub, and pods that copy data.
_PLAYBOOKS = (
    ("", "namespaces", ["get"]),
    ("coordination.k8s.io", "leases", ["get", "create", "update", "delete"]),
    ("", "events", _READ),
    ("", "pods", ["create", "delete"]),
    ("", "pods/log", ["get"]),
    ("", "pods/portforward", ["get", "create"]),
    ("", "pods/exec", ["get", "create"]),
    ("apps", "deployments/scale", ["patch"]),
    ("apps", "statefulsets", _READ),
    ("apps", "daemonsets", _READ),
)


def _helm_rules(hub: Hub) -> Iterator[tuple[str, str, list[str]]]:
    """Yield group, resource and verbs of what install.sh needs."""
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
