# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this account may do in a namespace, asked before anything is changed.

The cluster answers for a whole namespace at once (SelfSubjectRulesReview). Clusters whose permissions come from
elsewhere, such as a cloud's, say that this answer is incomplete; then each missing one is asked about by itself.
Source: https://kubernetes.io/docs/reference/access-authn-authz/authorization/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .api.client import KubernetesApi
from .role import Rule

_AUTHORIZATION = "/apis/authorization.k8s.io/v1"
_PARALLEL = 8


@dataclass(frozen=True)
class Permission:
    """A verb on a resource of a group in a namespace."""

    verb: str
    group: str
    resource: str
    namespace: str

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        return f"{self.verb} {self.resource}{group} in {self.namespace}"


def missing_permissions(api: KubernetesApi, namespace: str, rules: Iterable[Rule]) -> list[Permission]:
    """Return which permissions of rules this account does not have in a namespace."""
    wanted = [Permission(verb, rule.group, rule.resource, namespace) for rule in rules for verb in rule.verbs]
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": namespace},
    }
    status = api.create(f"{_AUTHORIZATION}/selfsubjectrulesreviews", review)["status"]
    granted = status.get("resourceRules") or []
    lacking = [each for each in wanted if not any(_grants(rule, each) for rule in granted)]
    if lacking and status.get("incomplete"):
        with ThreadPoolExecutor(_PARALLEL) as threads:
            allowed = list(threads.map(lambda each: _is_allowed(api, each), lacking))
        lacking = [each for each, may in zip(lacking, allowed) if not may]
    return lacking


def sentences(lacking: Sequence[Permission]) -> Iterator[str]:
    """Yield permissions in words: one text for all verbs on a resource, such as "get, list pods in research"."""
    verbs: dict[tuple[str, str, str], list[str]] = {}
    for each in lacking:
        verbs.setdefault((each.group, each.resource, each.namespace), []).append(each.verb)
    for (group, resource, namespace), some in verbs.items():
        yield str(Permission(", ".join(some), group, resource, namespace))


def _grants(rule: dict[str, Any], wanted: Permission) -> bool:
    if rule.get("resourceNames"):
        return False
    return all(
        value in (rule.get(key) or ()) or "*" in (rule.get(key) or ())
        for key, value in (("verbs", wanted.verb), ("apiGroups", wanted.group), ("resources", wanted.resource))
    )


def _is_allowed(api: KubernetesApi, wanted: Permission) -> bool:
    resource, _slash, subresource = wanted.resource.partition("/")
    attributes = {
        "namespace": wanted.namespace,
        "verb": wanted.verb,
        "group": wanted.group,
        "resource": resource,
        "subresource": subresource,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = api.create(f"{_AUTHORIZATION}/selfsubjectaccessreviews", review)
    return bool(answer["status"].get("allowed"))
