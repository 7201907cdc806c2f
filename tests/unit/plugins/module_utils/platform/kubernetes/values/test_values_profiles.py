# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users choose from: its shape in the chart's values, and what the real KubeSpawner makes of every choice."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.kubernetes_hubs import (  # noqa: E501
    values_of,
)

ENVIRONMENTS: dict[str, Any] = {
    "python": {"title": "Python", "description": "Most of it.", "image": "quay.io/uni/python:1"},
    "r": {
        "image": "quay.io/uni/r:4.5",
        "interface": "/rstudio",
        "variables": {"LANG": "de"},
        "working_directory": "/srv",
        "image_pull_policy": "Always",
        "choice": "R-4",
        "extra": {"badge": "new"},
        "override": {"environment": {"MORE": "1"}, "http_timeout": 90},
    },
}
SIZES: dict[str, Any] = {
    "small": {"title": "Small", "memory": "1G", "memory_guarantee": "512M", "cpu": 1, "cpu_guarantee": 0.1},
    "gpu": {"memory": "7.5G", "gpu": 2, "node_selector": {"pool": "gpu"}, "allowed_groups": ["gpu-users"]},
    "free": {"title": "As much as there is"},
}
GIBIBYTE = 2**30


def values(**variables: Any) -> dict[str, Any]:
    """Return the chart's values for sessions."""
    catalogues: dict[str, Any] = {"hub_environment_catalogue": ENVIRONMENTS, "hub_size_catalogue": SIZES}
    found: dict[str, Any] = values_of(**catalogues, **variables).merged["singleuser"]
    return found


def profile_list(**variables: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = values(**variables).get("profileList", [])
    return found


@pytest.fixture
def kubespawner(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of KubeSpawner, which does not ask a cluster."""
    module = pytest.importorskip("kubespawner.spawner", reason="these tests need the package jupyterhub-kubespawner")
    for name in ("load_config", "shared_client"):
        monkeypatch.setattr(module, name, lambda *_args, **_kwargs: None)
    return module


@pytest.fixture
def start(kubespawner: Any) -> Any:
    """A function that returns KubeSpawner as it is after a user chose something."""

    def started(profiles: list[dict[str, Any]], **user_options: str) -> Any:
        spawner = kubespawner.KubeSpawner(_mock=True, profile_list=profiles, image="base:1", environment={"HUB": "1"})
        spawner.user_options = user_options
        asyncio.run(spawner.load_user_options())
        return spawner

    return started


def test_nothing_to_choose_is_no_profile() -> None:
    only = values(hub_environments=["python"], hub_sizes=["small"])
    assert "profileList" not in only
    assert only["image"] == {"name": "quay.io/uni/python", "tag": "1"}
    assert only["memory"] == {"limit": "1G", "guarantee": "512M"}
    assert only["cpu"] == {"limit": 1, "guarantee": 0.1}
    assert "profileList" not in values()


def test_what_a_session_has_no_place_for_makes_a_profile(start: Any) -> None:
    profiles = profile_list(hub_environments=["r"])
    assert [profile["slug"] for profile in profiles] == ["r"]
    spawner = start(profiles)
    assert (spawner.image, spawner.working_dir, spawner.default_url) == ("quay.io/uni/r:4.5", "/srv", "/rstudio")
    assert (spawner.image_pull_policy, spawner.http_timeout) == ("Always", 90)
    assert spawner.environment == {"HUB": "1", "LANG": "de", "MORE": "1"}


LEAST = 2**20


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ({"memory": "256M"}, {"memory": {"limit": "256M", "guarantee": "1M"}}),
        ({"memory": "4G", "cpu": 2}, {"memory": {"limit": "4G", "guarantee": "1M"}, "cpu": {"limit": 2}}),
        ({"cpu_guarantee": 1}, {"memory": {"guarantee": "1M"}, "cpu": {"guarantee": 1}}),
        ({"memory_guarantee": "2G"}, {"memory": {"guarantee": "2G"}}),
    ],
    ids=str,
)
def test_nothing_is_set_aside_where_a_size_does_not_say_so(
    size: dict[str, Any], expected: dict[str, Any], start: Any
) -> None:
    """By default, the chart guarantees 1G, and Kubernetes the whole limit."""
    if size.get("cpu"):
        expected["cpu"]["guarantee"] = 0.001
    named = {"name": "some", **size}
    only = values(hub_sizes=[named])
    assert {key: only[key] for key in ("memory", "cpu") if key in only} == expected
    assert "profileList" not in only
    found = values(hub_environments=["python"], hub_sizes=[named, {"name": "other", "memory_guarantee": "1.5G"}])
    assert found["memory"] == {"guarantee": "1M"}
    chosen = start(found["profileList"], size="some")
    assert chosen.mem_guarantee == (2 * GIBIBYTE if "memory_guarantee" in size else LEAST)
    assert chosen.cpu_guarantee == expected.get("cpu", {}).get("guarantee")


def test_nothing_is_set_aside_without_a_size() -> None:
    assert values()["memory"] == {"guarantee": "1M"}
    assert values(hub_environments=["python", "r"])["memory"] == {"guarantee": "1M"}


def test_what_helm_values_guarantee_reaches_sizes_that_guarantee_nothing(start: Any) -> None:
    sizes = [{"name": "some", "memory": "4G", "cpu": 2}, {"name": "other", "memory_guarantee": "3G"}]
    placeholders: dict[str, Any] = {"hub_user_placeholders": 2, "hub_pod_priority": True}
    for helm_values in (
        {"singleuser": {"memory": {"guarantee": "2G"}, "cpu": {"guarantee": 0.5}}},
        {"hub": {"config": {"KubeSpawner": {"mem_guarantee": "2G", "cpu_guarantee": 0.5}}}},
    ):
        helm: dict[str, Any] = {"cluster_helm_values": helm_values, **placeholders}
        found = values_of(hub_environment_catalogue=ENVIRONMENTS, hub_sizes=sizes, **helm).merged
        profiles = found["singleuser"]["profileList"]
        assert (start(profiles, size="some").mem_guarantee, start(profiles, size="some").cpu_guarantee) == (None, None)
        assert start(profiles, size="other").mem_guarantee == 3 * GIBIBYTE
        assert "resources" not in found["scheduling"]["userPlaceholder"]


def test_defaults_of_the_chart_are_kept_where_they_are_asked_for() -> None:
    chart = {"hub_defaults_source": "chart"}
    assert "memory" not in values(**chart)
    assert values(**chart, hub_sizes=[{"name": "some", "memory": "2G", "cpu": 1}])["memory"] == {"limit": "2G"}
    (profile,) = profile_list(**chart, hub_environments=["python"], hub_sizes=["small", "gpu"])
    choices = profile["profile_options"]["size"]["choices"]
    assert choices["gpu"]["kubespawner_override"].keys() == {"mem_limit", "extra_resource_limits", "node_selector"}
    assert [choice.keys() & {"default", "position"} for choice in choices.values()] == [set(), set()]


@pytest.mark.parametrize(
    ("sizes", "requests"),
    [
        ([], {"memory": str(GIBIBYTE)}),
        (["small"], {"memory": str(GIBIBYTE // 2), "cpu": 0.1}),
        (["gpu", "small"], {"memory": str(int(7.5 * GIBIBYTE)), "nvidia.com/gpu": "2"}),
    ],
)
def test_a_placeholder_reserves_what_the_default_session_needs(sizes: list[str], requests: dict[str, Any]) -> None:
    more: dict[str, Any] = {"hub_sizes": sizes} if sizes else {}
    by_option: dict[str, Any] = {"hub_user_placeholders": 2, "hub_pod_priority": True}
    by_helm: dict[str, Any] = {"hub_helm_values": {"scheduling": {"userPlaceholder": {"replicas": 2}}}}
    for given in (by_option, by_helm):
        given |= {"hub_environment_catalogue": ENVIRONMENTS, "hub_size_catalogue": SIZES}
        found = values_of(hub_environments=["python"], **given, **more).merged
        assert found["scheduling"]["userPlaceholder"]["resources"]["requests"] == requests


def test_descriptions_of_choices_are_shown() -> None:
    """KubeSpawner's form shows only their titles; profiles have a place for descriptions."""
    sizes = [{"name": "small", "title": "Small", "description": "For notes"}, {"name": "tiny", "title": "Tiny"}]
    (profile,) = profile_list(hub_environments=["python"], hub_sizes=sizes)
    assert (profile["display_name"], profile["description"]) == ("Python", "Most of it.")
    choices = profile["profile_options"]["size"]["choices"]
    assert [choice["display_name"] for choice in choices.values()] == ["Small – For notes", "Tiny"]
    (profile,) = profile_list(hub_profiles=[{"title": "All", "environments": ["python", "r"]}])
    assert profile["profile_options"]["image"]["choices"]["python"]["display_name"] == "Python – Most of it."


# --- Order


@pytest.fixture
def on_the_hub() -> Any:
    """A function that returns the profile list of a hub as KubeSpawner gets it: Helm sorts mappings by key."""

    def profiles_of(groups: bool = False, **variables: Any) -> Any:
        config = pytest.importorskip("traitlets.config").Config()
        made = values_of(hub_environment_catalogue=ENVIRONMENTS, hub_size_catalogue=SIZES, **variables).merged
        sent = json.loads(json.dumps(made, sort_keys=True))
        config.KubeSpawner.profile_list = sent["singleuser"]["profileList"]
        for key, code in sorted(sent["hub"]["extraConfig"].items()):
            if key == "00-hubfleet-profile-order" or groups:
                exec(code, {"c": config})
        return config.KubeSpawner.profile_list

    return profiles_of


def test_sizes_stand_in_the_order_of_the_inventory(on_the_hub: Any, start: Any) -> None:
    sizes = [{"name": name, "memory": f"{number}G"} for number, name in enumerate(("small", "medium", "large"), 1)]
    (profile,) = on_the_hub(hub_environments=["python"], hub_sizes=sizes)
    assert list(profile["profile_options"]["size"]["choices"]) == ["small", "medium", "large"]
    assert start([profile]).mem_limit == GIBIBYTE
    assert start([profile], size="large").mem_limit == 3 * GIBIBYTE


def test_options_and_environments_stand_in_the_order_of_the_inventory(on_the_hub: Any, start: Any) -> None:
    profiles = on_the_hub(
        hub_profiles=[
            {
                "title": "All",
                "environments": ["r", "python"],
                "environment_option": "software",
                "sizes": ["small", "gpu"],
                "default_size": "gpu",
                "size_option": "resources",
                "options": {
                    "extras": {
                        "display_name": "Extras",
                        "choices": {
                            "none": {"display_name": "None"},
                            "all": {"display_name": "All", "kubespawner_override": {"mem_limit": "9G"}},
                        },
                    }
                },
            }
        ]
    )
    options = profiles[0]["profile_options"]
    assert list(options) == ["software", "resources", "extras"]
    assert [list(option["choices"]) for option in options.values()] == [
        ["R-4", "python"],
        ["small", "gpu"],
        ["none", "all"],
    ]
    default = start(profiles)
    assert (default.image, default.mem_limit) == (ENVIRONMENTS["r"]["image"], int(7.5 * GIBIBYTE))
    # What comes last in the inventory, is applied last.
    assert start(profiles, extras="all").mem_limit == 9 * GIBIBYTE


def test_who_may_not_start_the_first_gets_the_next(on_the_hub: Any, kubespawner: Any) -> None:
    sizes = [
        {"name": "staff", "memory": "1G", "allowed_groups": ["staff"]},
        {"name": "small", "memory": "2G"},
        {"name": "large", "memory": "3G"},
    ]
    listed = on_the_hub(groups=True, hub_environments=["python"], hub_sizes=sizes)

    async def auth_state() -> None:
        return None

    def default(*groups: str) -> tuple[list[str], int]:
        spawner = kubespawner.KubeSpawner(_mock=True, profile_list=listed)
        spawner.user.groups = [SimpleNamespace(name=group) for group in groups]
        spawner.user.get_auth_state = auth_state
        (profile,) = asyncio.run(listed(spawner))
        asyncio.run(spawner.load_user_options())
        return list(profile["profile_options"]["size"]["choices"]), spawner.mem_limit // GIBIBYTE

    assert default("staff") == (["staff", "small", "large"], 1)
    assert default() == (["small", "large"], 2)


def test_the_order_of_names_needs_no_code() -> None:
    sizes = [{"name": "a", "memory": "1G"}, {"name": "b", "memory": "2G"}]
    made = values_of(hub_environment_catalogue=ENVIRONMENTS, hub_environments=["python"], hub_sizes=sizes).merged
    assert "00-hubfleet-profile-order" not in made["hub"]["extraConfig"]
    choices = made["singleuser"]["profileList"][0]["profile_options"]["size"]["choices"]
    assert choices["a"]["default"] is True
    assert "position" not in choices["a"]


# --- What is one profile's only


def test_the_only_size_and_environment_do_not_reach_profiles_that_name_others(start: Any) -> None:
    """KubeSpawner merges a profile over what all sessions have, and mappings in it key by key."""
    own: dict[str, Any] = {
        "name": "big",
        "memory": "7.5G",
        "cpu": 4,
        "gpu": 2,
        "node_selector": {"pool": "gpu"},
        "override": {"extra_resource_limits": {"example.org/fpga": 1}},
    }
    found = values(
        hub_environments=["r"],
        hub_sizes=[own],
        hub_profiles=[
            {"title": "Default"},
            {"title": "Other", "environments": ["python"], "sizes": ["free"]},
            {"title": "Own image", "unlisted_image": {}},
        ],
    )
    assert found.keys() & {"cpu", "extraResource", "extraEnv", "nodeSelector"} == set()
    assert found["memory"] == {"guarantee": "1M"}
    profiles = found["profileList"]
    first = start(profiles)
    assert (first.image, first.working_dir, first.environment["LANG"]) == (ENVIRONMENTS["r"]["image"], "/srv", "de")
    assert (first.mem_limit, first.cpu_limit, first.node_selector) == (int(7.5 * GIBIBYTE), 4, {"pool": "gpu"})
    assert first.extra_resource_limits == {"nvidia.com/gpu": "2", "example.org/fpga": 1}
    other = start(profiles, profile="other")
    assert (other.image, other.working_dir, other.environment) == (ENVIRONMENTS["python"]["image"], None, {"HUB": "1"})
    assert (other.mem_limit, other.cpu_limit, other.node_selector, other.extra_resource_limits) == (None, None, {}, {})
    asked = start(profiles, **{"profile": "own-image", "image--unlisted-choice": "a/b:c"})
    assert (asked.image, asked.working_dir, asked.environment) == ("a/b:c", None, {"HUB": "1"})
    assert asked.cpu_limit == 4


def test_an_only_size_for_some_is_for_them_in_profiles_too() -> None:
    (profile,) = profile_list(hub_sizes=["gpu"], hub_profiles=[{"title": "One", "environments": ["python"]}])
    assert profile["profile_options"]["size"]["choices"]["gpu"]["allowed_groups"] == ["gpu-users"]


def test_imported_hubs_keep_what_their_profiles_share() -> None:
    found = values(
        hub_defaults_source="chart",
        hub_environments=["python"],
        hub_sizes=["small"],
        hub_profiles=[{"title": "Default"}, {"title": "Other", "environments": ["r"]}],
    )
    assert found["memory"] == {"limit": "1G", "guarantee": "512M"}
    assert found["image"] == {"name": "quay.io/uni/python", "tag": "1"}
    assert found["profileList"][0] == {"display_name": "Default"}


def test_sizes_are_offered_without_an_environment() -> None:
    (profile,) = profile_list(hub_title="Maps", hub_sizes=["small", "gpu"])
    assert (profile["display_name"], list(profile["profile_options"]["size"]["choices"])) == ("Maps", ["small", "gpu"])
    (profile,) = profile_list(hub_sizes=["gpu"])
    assert profile["profile_options"]["size"]["choices"]["gpu"]["allowed_groups"] == ["gpu-users"]


@pytest.mark.parametrize(
    ("profiles", "image"),
    [
        ([{"title": "A", "environments": ["python"]}, {"title": "B", "environments": ["r"], "default": True}], "r"),
        ([{"title": "A", "unlisted_image": {}}, {"title": "B", "environments": ["python"]}], "python"),
        ([{"title": "A", "environments": ["python"]}, {"title": "B"}], None),
    ],
)
def test_no_other_image_is_pulled_for_nothing(profiles: list[dict[str, Any]], image: str | None) -> None:
    """Image pullers pull singleuser.image as well; a profile that names no image has it, too."""
    found = values(hub_profiles=profiles).get("image")
    assert found == (dict(zip(("name", "tag"), ENVIRONMENTS[image]["image"].rsplit(":", 1))) if image else None)


def test_variables_of_environments_are_literal(start: Any) -> None:
    own = [{"name": name, "image": "a/b:c", "variables": {"A": '{"a": 1}', "B": "$(C)"}} for name in ("x", "y")]
    found = values(hub_environments=own[:1])["extraEnv"]
    assert (found["A"], found["B"]) == ('{{"a": 1}}', "$$(C)")
    spawner = start(profile_list(hub_environments=own), profile="y")
    assert spawner._expand_env(spawner.environment) == {"HUB": "1", "A": '{"a": 1}', "B": "$$(C)"}


def test_several_environments_and_sizes(start: Any) -> None:
    profiles = profile_list(hub_environments=["python", "r"], hub_sizes=["small", "gpu"])
    assert [(profile["slug"], profile["display_name"]) for profile in profiles] == [("python", "Python"), ("r", "r")]
    assert profiles[0]["description"] == "Most of it."
    assert list(profiles[0]["profile_options"]) == ["size"]
    chosen = {
        (environment, size): start(profiles, profile=environment, size=size)
        for environment in ("python", "r")
        for size in ("small", "gpu")
    }
    for (environment, size), spawner in chosen.items():
        assert spawner.image == ENVIRONMENTS[environment]["image"]
        limits = (spawner.mem_limit, spawner.mem_guarantee, spawner.cpu_limit, spawner.cpu_guarantee)
        if size == "small":
            assert limits == (GIBIBYTE, GIBIBYTE // 2, 1, 0.1)
            assert (spawner.extra_resource_limits, spawner.node_selector) == ({}, {})
        else:
            assert limits[0] == int(7.5 * GIBIBYTE)
            assert spawner.extra_resource_limits == {"nvidia.com/gpu": "2"}
            assert spawner.node_selector == {"pool": "gpu"}
    first = start(profiles)
    assert (first.image, first.mem_limit) == ("quay.io/uni/python:1", GIBIBYTE)


def test_one_size_is_what_every_environment_has(start: Any) -> None:
    profiles = profile_list(hub_environments=["python", "r"], hub_sizes=["small"])
    assert [option for profile in profiles for option in profile.get("profile_options", {})] == []
    assert start(profiles, profile="r").mem_limit == GIBIBYTE


def test_an_image_of_ones_own(start: Any) -> None:
    profiles = profile_list(hub_environments=["python"], hub_sizes=["small", "gpu"], hub_unlisted_image=True)
    assert profiles[1]["profile_options"]["image"]["choices"] == {}
    assert [profile["slug"] for profile in profiles] == ["python", "other"]
    asked = {"profile": "other", "image--unlisted-choice": "my/image:1", "size": "small"}
    spawner = start(profiles, **asked)
    assert (spawner.image, spawner.mem_limit) == ("my/image:1", GIBIBYTE)
    with pytest.raises(ValueError, match="validation regex"):
        start(profiles, **{**asked, "image--unlisted-choice": "no-tag"})
    assert start(profiles).image == "quay.io/uni/python:1"


def test_groups_stand_where_the_code_in_the_hub_looks() -> None:
    profiles = profile_list(hub_environments=["python"], hub_sizes=["small", "gpu"])
    choices = profiles[0]["profile_options"]["size"]["choices"]
    assert {name: choice.get("allowed_groups") for name, choice in choices.items()} == {
        "small": None,
        "gpu": ["gpu-users"],
    }


def test_the_only_size_for_some_is_for_these_only() -> None:
    """Where there is nothing else to choose, it stays a choice that the code in the hub can hide."""
    entry = {"title": "One", "environments": ["python"], "sizes": ["gpu"]}
    for made in ({"hub_environments": ["python"], "hub_sizes": ["gpu"]}, {"hub_profiles": [entry]}):
        (profile,) = profile_list(**made)
        assert profile["profile_options"]["size"]["choices"]["gpu"]["allowed_groups"] == ["gpu-users"]


def test_the_only_environment_for_some_is_for_these_only() -> None:
    own: list[dict[str, Any]] = [
        {"name": "x", "image": "a/b:c", "allowed_groups": ["staff"], "extra": {"badge": "new"}}
    ]
    (profile,) = profile_list(hub_environments=own)
    assert (profile["allowed_groups"], profile["badge"]) == (["staff"], "new")
    assert "profile_options" not in profile
    catalogue = {"x": {key: value for key, value in own[0].items() if key != "name"}}
    one: dict[str, Any] = {
        "hub_environment_catalogue": catalogue,
        "hub_profiles": [{"title": "One", "environments": ["x"]}],
    }
    found = values_of(**one).merged
    (profile,) = found["singleuser"]["profileList"]
    assert profile["profile_options"]["image"]["choices"]["x"]["allowed_groups"] == ["staff"]


def test_profiles_of_the_hubs_own(start: Any) -> None:
    profiles = profile_list(
        hub_profiles=[
            {
                "title": "CPU",
                "description": "Everyone's.",
                "slug": "cpu",
                "environments": ["python", "r"],
                "default_environment": "r",
                "environment_option": "software",
                "environment_title": "Software",
                "unlisted_image": {"title": "Your own", "allowed_groups": ["builders"]},
                "sizes": ["small"],
                "override": {"environment": {"P": "1"}},
                "extra": {"badge": "x"},
            },
            {
                "title": "GPU",
                "default": True,
                "allowed_groups": ["gpu-users"],
                "environments": ["python"],
                "sizes": ["small", "gpu"],
                "default_size": "gpu",
                "size_option": "resources",
                "options": {"resources": {"choices": {"gpu": {"display_name": "Two"}}}},
            },
        ]
    )
    cpu, gpu = profiles
    assert (cpu["display_name"], cpu["description"], cpu["slug"], cpu["badge"]) == ("CPU", "Everyone's.", "cpu", "x")
    software = cpu["profile_options"]["software"]
    assert software["display_name"] == "Software"
    assert list(software["choices"]) == ["python", "R-4"]
    assert software["choices"]["R-4"]["default"] is True
    assert software["choices"]["R-4"]["badge"] == "new"
    assert software["unlisted_choice"]["allowed_groups"] == ["builders"]
    assert gpu["allowed_groups"] == ["gpu-users"]
    assert gpu["profile_options"]["resources"]["choices"]["gpu"]["display_name"] == "Two"

    assert start(profiles).extra_resource_limits == {"nvidia.com/gpu": "2"}  # the default of the default profile
    assert start(profiles, profile="gpu", resources="small").mem_limit == GIBIBYTE
    chosen = start(profiles, profile="cpu")
    assert (chosen.image, chosen.mem_limit) == ("quay.io/uni/r:4.5", GIBIBYTE)
    assert chosen.environment == {"HUB": "1", "P": "1", "LANG": "de", "MORE": "1"}
    own = start(profiles, **{"profile": "cpu", "software--unlisted-choice": "a/b:c"})
    assert (own.image, own.environment) == ("a/b:c", {"HUB": "1", "P": "1"})


def test_a_single_environment_is_a_choice_where_one_is_asked_for() -> None:
    (profile,) = profile_list(hub_profiles=[{"title": "One", "environments": ["python"], "environment_option": "x"}])
    assert list(profile["profile_options"]["x"]["choices"]) == ["python"]


@pytest.mark.parametrize(
    ("image", "name", "tag"),
    [
        ("quay.io/uni/python:1", "quay.io/uni/python", "1"),
        ("localhost:5000/python:1", "localhost:5000/python", "1"),
        ("quay.io/uni/python:1@sha256:" + "a" * 64, "quay.io/uni/python:1@sha256", "a" * 64),
    ],
)
def test_name_and_tag_give_the_image_again(image: str, name: str, tag: str) -> None:
    """The chart joins both by a colon."""
    made = values(hub_environments=[{"name": "x", "image": image}])["image"]
    assert made == {"name": name, "tag": tag}
    assert f"{made['name']}:{made['tag']}" == image


def test_texts_are_shown_as_they_are_written(start: Any) -> None:
    """KubeSpawner puts them into the page without escaping."""
    texts = {"title": "R & <b>D</b>", "description": 'x < y "z"'}
    unlisted = {"title": "<i>", "message": '"quoted" & more', "choice_title": "<Other>"}
    profile = {**texts, "environments": ["python"], "sizes": ["small", "gpu"], "unlisted_image": unlisted}
    sizes = {**SIZES, "small": {**SIZES["small"], "title": "1 < 2"}}
    profiles = values_of(
        hub_profiles=[profile], hub_environment_catalogue=ENVIRONMENTS, hub_size_catalogue=sizes
    ).merged["singleuser"]["profileList"]
    form = start(profiles)._render_options_form(profiles)
    for shown in ("R &amp; &lt;b&gt;D&lt;/b&gt;", 'x &lt; y "z"', "&lt;i&gt;", "&lt;Other&gt;", "1 &lt; 2"):
        assert f">{shown}<" in form.replace("\n", "").replace("  ", "")
    assert 'title="&quot;quoted&quot; &amp; more"' in form
    assert profiles[0]["slug"] == "r-b-d-b"
    imported = profile_list(hub_profiles=[texts], hub_defaults_source="chart")
    assert imported == [{"display_name": texts["title"], "description": texts["description"]}]


def test_every_profile_can_be_chosen(start: Any) -> None:
    titles = ["1,000 GB", "Größe XL", "日本", "中国", "🚀 GPU", "🚀", "***"]
    profiles = profile_list(
        hub_profiles=[{"title": title, "override": {"environment": {"T": title}}} for title in titles]
    )
    assert [profile.get("slug") for profile in profiles] == [
        None,  # KubeSpawner makes it
        "grosse-xl",
        "65e5-672c",
        "4e2d-56fd",
        "gpu",
        "1f680",
        "2a-2a-2a",
    ]
    for slug, title in zip(["1000-gb", *(profile["slug"] for profile in profiles[1:])], titles):
        assert start(profiles, profile=slug).environment["T"] == title


def test_only_an_image_of_ones_own_can_be_shown(start: Any) -> None:
    profiles = profile_list(hub_profiles=[{"title": "Own", "unlisted_image": {}}])
    assert "--unlisted-choice" in start(profiles, **{"profile": "own", "image--unlisted-choice": "a:1"}).options_form
