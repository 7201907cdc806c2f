# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account may do, from the answers of an API server."""

from __future__ import annotations

from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.rights import (
    missing_permissions,
    sentences,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.role import Rule

PODS = Rule("", "pods", ("get", "list", "delete"))
LOGS = Rule("", "pods/log", ("get",))
LEASES = Rule("coordination.k8s.io", "leases", ("create",))


class Reviews:
    """An API server that grants rules. allowed: what it grants elsewhere than in rules, which are incomplete then."""

    def __init__(self, *rules: dict[str, Any], allowed: tuple[str, ...] = ()):
        self.rules, self.allowed, self.asked = list(rules), allowed, 0

    def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path.endswith("selfsubjectrulesreviews"):
            return {"status": {"resourceRules": self.rules, "incomplete": bool(self.allowed)}}
        self.asked += 1
        attributes = body["spec"]["resourceAttributes"]
        names = "/".join(filter(None, (attributes["resource"], attributes["subresource"])))
        return {"status": {"allowed": f"{attributes['verb']} {names}" in self.allowed}}


def missing(api: Reviews, *rules: Rule) -> list[str]:
    return list(sentences(missing_permissions(api, "research", rules)))  # type: ignore[arg-type]


def rule(groups: list[str], resources: list[str], verbs: list[str], **more: Any) -> dict[str, Any]:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs, **more}


def test_everything() -> None:
    assert missing(Reviews(rule(["*"], ["*"], ["*"])), PODS, LOGS, LEASES) == []


def test_what_is_missing_is_named_once_for_each_resource() -> None:
    api = Reviews(rule([""], ["pods"], ["get"]))
    assert missing(api, PODS, LOGS, LEASES) == [
        "list, delete pods in research",
        "get pods/log in research",
        "create leases.coordination.k8s.io in research",
    ]


def test_rights_on_some_objects_are_not_enough() -> None:
    api = Reviews(rule([""], ["pods"], ["*"], resourceNames=["hub"]))
    assert missing(api, PODS) == ["get, list, delete pods in research"]


def test_incomplete_answers_are_asked_one_by_one() -> None:
    """Clouds grant permissions outside of the cluster's roles."""
    api = Reviews(rule([""], ["pods"], ["get"]), allowed=("list pods", "get pods/log"))
    assert missing(api, PODS, LOGS) == ["delete pods in research"]
    assert api.asked == 3
