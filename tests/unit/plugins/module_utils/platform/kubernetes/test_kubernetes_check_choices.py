# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A check on Kubernetes starts what a user without groups may choose."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.check_choices import check_choices
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.check_service import (
    check_service_settings,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.kubernetes_hubs import (  # noqa: E501
    hub_of,
    values_of,
)

CATALOGUES: dict[str, Any] = {
    "hub_environment_catalogue": {
        "python": {"image": "quay.io/uni/python:1"},
        "r": {"image": "quay.io/uni/r:4", "choice": "R-4", "check_code": "cat(42)", "check_output": "[42]"},
    },
    "hub_size_catalogue": {
        "small": {"memory": "1G"},
        "large": {"memory": "4G"},
        "gpu": {"memory": "8G", "allowed_groups": ["gpu-users"]},
    },
}
DEFAULT_CODE = "print(6 * 7)"


def tried(every: bool = False, **variables: Any) -> tuple[list[tuple[str, dict[str, Any], str]], list[str]]:
    """Return titles, options and code of the choices, and the warnings."""
    given = {**CATALOGUES, **variables}
    choices, warnings = check_choices(hub_of(**given), values_of(**given).merged, every)
    return [(choice.title, choice.options, choice.code) for choice in choices], warnings


@pytest.mark.parametrize("every", [False, True])
def test_a_hub_without_choices_has_one(every: bool) -> None:
    assert tried(every) == ([("default", {}, DEFAULT_CODE)], [])
    only = {"hub_environments": ["r"], "hub_sizes": ["small"]}
    choices, warnings = tried(every, **only)
    assert [choice[0] for choice in choices] == ["r/small"] and choices[0][2] == "cat(42)" and not warnings


def test_every_environment_in_every_size() -> None:
    offered = {"hub_environments": ["python", "r"], "hub_sizes": ["small", "gpu", "large"]}
    assert tried(**offered) == ([("python/small", {}, DEFAULT_CODE)], [])
    choices, warnings = tried(every=True, **offered)
    assert choices == [
        ("python/small", {"profile": "python", "size": "small"}, DEFAULT_CODE),
        ("python/large", {"profile": "python", "size": "large"}, DEFAULT_CODE),
        ("r/small", {"profile": "r", "size": "small"}, "cat(42)"),
        ("r/large", {"profile": "r", "size": "large"}, "cat(42)"),
    ]
    assert warnings == [
        "not started, since only members of groups may (allowed_groups): size gpu of profile python, "
        "size gpu of profile r"
    ]


def test_profiles_with_options_of_their_own() -> None:
    """The first size is for others, so that the second one is preselected."""
    profiles = [
        {
            "title": "Study",
            "environments": ["python", "r"],
            "environment_option": "software",
            "default_environment": "r",
            "sizes": ["gpu", "small"],
            "size_option": "resources",
            "options": {"mode": {"display_name": "Mode", "choices": {"b": {"display_name": "B"}}}},
        },
        {"title": "Staff", "allowed_groups": ["staff"]},
        {"title": "Plain", "slug": "plain"},
    ]
    offered = {"hub_profiles": profiles, "hub_environments": ["python"]}
    assert tried(**offered) == ([("study/r/small/b", {}, "cat(42)")], [])
    choices, warnings = tried(every=True, **offered)
    chosen = {"profile": "study", "resources": "small", "mode": "b"}
    assert choices == [
        ("study/python/small/b", {**chosen, "software": "python"}, DEFAULT_CODE),
        ("study/r/small/b", {**chosen, "software": "R-4"}, "cat(42)"),
        ("plain", {"profile": "plain"}, DEFAULT_CODE),
    ]
    assert warnings == [
        "not started, since only members of groups may (allowed_groups): resources gpu of profile study, profile staff"
    ]


def test_values_that_are_typed_are_not_tried() -> None:
    profiles = [{"title": "Other", "unlisted_image": {}}, {"title": "Plain", "environments": ["r"]}]
    offered = {"hub_profiles": profiles}
    said = ["profile other was not started: a value has to be typed (unlisted_choice)"]
    for every in (False, True):
        assert tried(every, **offered) == ([("plain", {"profile": "plain"}, "cat(42)")], said)
    said = ["no server was started: profile other: a value has to be typed (unlisted_choice)"]
    assert tried(hub_profiles=profiles[:1]) == ([], said)


def test_a_hub_that_is_for_groups_only_says_so() -> None:
    said = ["no server was started: every profile is for members of groups (allowed_groups) only"]
    offered = {"hub_environments": ["python"], "hub_sizes": ["gpu"]}
    assert tried(**offered) == ([], said) == tried(every=True, **offered)


def test_helm_values_replace_the_list() -> None:
    """Helm sorts mappings; an environment is known by its image."""
    profiles = [
        {
            "display_name": "Ours",
            "profile_options": {
                "image": {
                    "choices": {
                        "second": {"kubespawner_override": {"image": "quay.io/uni/r:4"}},
                        "first": {"kubespawner_override": {"image": "elsewhere:1"}},
                    }
                }
            },
        },
        {"display_name": "Two words", "default": True},
    ]
    values = {"singleuser": {"profileList": profiles}}
    offered = {"hub_helm_values": values, "hub_environments": ["python", "r"], "hub_sizes": ["small"]}
    assert tried(**offered) == ([("two-words", {}, DEFAULT_CODE)], [])
    assert tried(every=True, **offered)[0] == [
        ("ours/first", {"profile": "ours", "image": "first"}, DEFAULT_CODE),
        ("ours/r", {"profile": "ours", "image": "second"}, "cat(42)"),
        ("two-words", {"profile": "two-words"}, DEFAULT_CODE),
    ]


def test_imported_hubs_have_the_order_of_helm() -> None:
    offered = {
        "hub_defaults_source": "chart",
        "hub_profiles": [{"title": "Study", "environments": ["r", "python"], "sizes": ["small"]}],
    }
    (choice,), _warnings = tried(**offered)
    assert choice == ("study/r", {}, "cat(42)")  # R-4 comes before python
    choices, _warnings = tried(every=True, **offered)
    assert [choice[0] for choice in choices] == ["study/r", "study/python"]


def test_shared_directories_in_homes() -> None:
    variables = {
        "hub_home_storage": "claim",
        "hub_home_claim": "homes",
        "hub_shared_directories": {
            "course": {"path": "~/course", "subpath": "course", "read_only": True},
            "group": {"path": "/home/jovyan/group", "subpath": "group"},
            "data": {"path": "/data", "subpath": "data"},
            "gone": {"path": "~/gone", "subpath": "gone"},
        },
        "hub_helm_values": {"singleuser": {"storage": {"extraVolumeMounts": {"gone": None}}}},
    }
    choices, _warnings = check_choices(hub_of(**variables), values_of(**variables).merged, False)
    assert choices[0].shared_directories == {"course": False, "group": True}


def test_the_service_of_the_check_has_no_more_rights_than_it_needs() -> None:
    service, role = check_service_settings()
    assert (service.path, service.value) == (("hub", "services", "hubfleet-check"), {"display": False})
    assert role.path == ("hub", "loadRoles", "hubfleet-check")
    assert role.value == {"services": ["hubfleet-check"], "scopes": ["admin:users", "servers", "tokens"]}


def test_kubespawner_starts_what_the_check_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """The image of every choice, and of the default one, with the list as Helm hands it on."""
    module = pytest.importorskip("kubespawner.spawner", reason="this test needs the package jupyterhub-kubespawner")
    for name in ("load_config", "shared_client"):
        monkeypatch.setattr(module, name, lambda *_args, **_kwargs: None)
    study = {"title": "Study", "environments": ["r", "python"], "sizes": ["small", "large"]}
    given = {**CATALOGUES, "hub_profiles": [study, {"title": "Only R", "environments": ["r"]}]}
    hub, values = hub_of(**given), values_of(**given).merged
    profiles = json.loads(json.dumps(values["singleuser"]["profileList"], sort_keys=True))
    images = {name: entry["image"] for name, entry in CATALOGUES["hub_environment_catalogue"].items()}
    choices = [*check_choices(hub, values, every=True)[0], *check_choices(hub, values, every=False)[0]]
    assert [choice.environment for choice in choices] == ["r", "r", "python", "python", "r", "r"]
    for choice in choices:
        spawner = module.KubeSpawner(_mock=True, profile_list=profiles, image="base:1")
        spawner.user_options = choice.options
        asyncio.run(spawner.load_user_options())
        assert spawner.image == images[choice.environment], choice
        assert spawner.mem_limit == {"small": 2**30, "large": 2**32}.get(choice.size), choice


def test_environments_that_every_check_starts() -> None:
    """Those of repositories, and those that open with a program, beside what is preselected."""
    program = {"command": ["serve", "{port}"]}
    catalogue = {
        **CATALOGUES["hub_environment_catalogue"],
        "maps": {"image": "quay.io/uni/maps:1", "interface": program},
        "staff": {"image": "quay.io/uni/staff:1", "interface": program, "allowed_groups": ["staff"]},
    }
    offered = {
        "hub_environment_catalogue": catalogue,
        "hub_environments": ["python", "r", "maps", "staff"],
        "hub_sizes": ["small", "large"],
    }
    assert [choice[:2] for choice in tried(**offered)[0]] == [
        ("python/small", {}),
        ("maps/small", {"profile": "maps", "size": "small"}),
    ]
    offered["hub_environments"] = ["maps", "python"]
    assert [choice[:2] for choice in tried(**offered)[0]] == [("maps/small", {})]
    profiles = [{"title": "All", "environments": ["python", "maps", "staff"], "sizes": ["small"]}]
    assert [choice[1] for choice in tried(**offered, hub_profiles=profiles)[0]] == [
        {},
        {"profile": "all", "image": "maps"},
    ]


def test_the_page_that_users_are_led_to() -> None:
    catalogue = {
        "python": {"image": "quay.io/uni/python:1", "interface": "/lab/tree/{username}"},
        "maps": {"image": "quay.io/uni/maps:1", "interface": {"command": ["serve", "{port}"], "path": "viewer"}},
        "plain": {"image": "quay.io/uni/plain:1", "override": {"default_url": "/{servername}/x"}},
        "image": {"image": "quay.io/uni/image:1", "override": {"default_url": ""}},
        "usual": {"image": "quay.io/uni/usual:1"},
    }
    given = {**CATALOGUES, "hub_environment_catalogue": catalogue, "hub_environments": list(catalogue)}
    found, _warnings = check_choices(hub_of(**given), values_of(**given).merged, every=True)
    assert [choice.interface for choice in found] == ["/lab/tree/{username}", "/viewer/", "", "", "/lab"]
    assert [choice.interface_start for choice in found] == [0, 60, 0, 0, 0]
    only = {**given, "hub_environments": ["usual"], "hub_interface": "notebook"}
    found, _warnings = check_choices(hub_of(**only), values_of(**only).merged, every=False)
    assert [choice.interface for choice in found] == ["/tree"]
    for section in ("Spawner", "KubeSpawner"):
        values = {"hub": {"config": {section: {"default_url": "/rstudio"}}}}
        found, _warnings = check_choices(hub_of(**only), values_of(**only, hub_helm_values=values).merged, every=False)
        assert [choice.interface for choice in found] == ["/rstudio"]
    chart = {**only, "hub_defaults_source": "chart", "hub_interface": None}
    found, _warnings = check_choices(hub_of(**chart), values_of(**chart).merged, every=False)
    assert [choice.interface for choice in found] == [""]
