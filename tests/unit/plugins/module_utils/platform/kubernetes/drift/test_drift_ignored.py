# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for differences that a plan does not report."""

from __future__ import annotations

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.drift.ignored import (
    check_rule,
    has_paths,
    is_ignored,
    parse_rules,
)

UPDATE_TIME = "metadata.annotations[keel.sh/update-time]"


@pytest.mark.parametrize(
    "rule, path",
    [
        ("Deployment/hub:spec.replicas", "spec.replicas"),
        ("Deployment/hub:spec", "spec.replicas"),
        ("*/h?b:spec.*.image", "spec.template.spec.containers[hub].image"),
        (f"Deployment/*:{UPDATE_TIME}", UPDATE_TIME),
        ("Deployment/*:metadata.annotations", UPDATE_TIME),
        ("Deployment/*:metadata.annotations[*]", UPDATE_TIME),
        ("Deployment/*:spec.template.spec.containers[hub]", "spec.template.spec.containers[hub].image"),
        ("*/hub", "spec.replicas"),
        ("*/hub", ""),
        ("*/*", ""),
    ],
)
def test_matching_rules(rule: str, path: str) -> None:
    assert check_rule(rule) == ""
    assert is_ignored(parse_rules(["Service/x", rule]), "Deployment", "hub", path)


@pytest.mark.parametrize(
    "rule, path",
    [
        ("Deployment/hub:spec.replicas", "spec.replicasX"),
        ("Deployment/hub:spec.replicas", "spec"),
        ("Deployment/hub:spec.replicas", ""),
        ("Deployment/hub:replicas", "spec.replicas"),
        ("Deployment/hu", "spec.replicas"),
        ("Deploy/hub", "spec.replicas"),
        ("Deployment/hub:metadata.annotations[k]", UPDATE_TIME),
    ],
)
def test_other_rules(rule: str, path: str) -> None:
    assert check_rule(rule) == ""
    assert not is_ignored(parse_rules([rule]), "Deployment", "hub", path)


@pytest.mark.parametrize(
    "rule, problem",
    [
        ("", "is not KIND/NAME or KIND/NAME:PATH"),
        ("hub", "is not KIND/NAME or KIND/NAME:PATH"),
        ("/hub", "is not KIND/NAME or KIND/NAME:PATH"),
        ("Deployment/", "is not KIND/NAME or KIND/NAME:PATH"),
        ("Deployment/:spec", "is not KIND/NAME or KIND/NAME:PATH"),
        ("Deployment /hub", "is not KIND/NAME or KIND/NAME:PATH"),
        ("deployment/hub", "deployment is not a kind"),
        ("Deployment/hub:", "has no path"),
        ("Deployment/hub:/spec/replicas", "/spec/replicas is not a path such as spec.replicas"),
        ("Deployment/hub:spec.containers[hub", "has a bracket too many"),
    ],
)
def test_wrong_rules_are_told(rule: str, problem: str) -> None:
    assert problem in check_rule(rule)


def test_rules_for_paths_of_an_object() -> None:
    rules = parse_rules(["Deployment/proxy", "Deployment/h*:spec.replicas"])
    assert has_paths(rules, "Deployment", "hub")
    assert not has_paths(rules, "Deployment", "proxy") and not has_paths(rules, "Service", "hub")
