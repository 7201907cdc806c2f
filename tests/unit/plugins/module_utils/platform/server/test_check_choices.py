# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A check starts what is for all users."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.pins import Pin
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.check_choices import check_choices
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Environment
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.schema.sound import hub_of

GPU = {"name": "gpu", "allowed_groups": ["gpu-users"]}
LARGE = {"name": "large", "memory": "8G", "allowed_groups": []}
NOT_STARTED = "not started, since only members of groups may (allowed_groups): environment gpu, size large"


def tried(every: bool = False, **variables: Any) -> tuple[list[str], list[str]]:
    choices, warnings = check_choices(hub_of(**variables), every)
    return [choice.title for choice in choices], warnings


def test_the_first_ones_or_all() -> None:
    offered = {
        "hub_environments": [{"name": "python"}, {"name": "r"}],
        "hub_sizes": [{"name": "small", "memory": "1G"}],
    }
    assert tried(**offered) == (["python/small"], [])
    assert tried(every=True, **offered) == (["python/small", "r/small"], [])


def test_environments_of_repositories_are_always_tried() -> None:
    pin = Pin("../maps", "", "", "a" * 40, "b" * 40, "2026-11-30T09:15:00Z")
    offered = {
        "hub_environments": [{"name": "python"}, {"name": "r"}],
        "hub_sizes": [{"name": "small", "memory": "1G"}],
    }
    hub = hub_of(**offered)
    hub.environments.append(Environment("maps", "Maps", repository=pin.key, pin=pin))
    assert [choice.title for choice in check_choices(hub, False)[0]] == ["python/small", "maps/small"]


@pytest.mark.parametrize("every", [False, True])
def test_what_is_for_groups_is_not_started(every: bool) -> None:
    offered = {"hub_environments": [GPU, {"name": "python"}], "hub_sizes": [LARGE, {"name": "small", "memory": "1G"}]}
    assert tried(every, **offered) == (["python/small"], [NOT_STARTED] if every else [])


def test_a_hub_that_is_for_groups_only_says_so() -> None:
    offered = {"hub_environments": [GPU], "hub_sizes": [{"name": "small", "memory": "1G"}]}
    said = "no server was started: every environment is for members of groups (allowed_groups) only"
    assert tried(**offered) == ([], [said])
