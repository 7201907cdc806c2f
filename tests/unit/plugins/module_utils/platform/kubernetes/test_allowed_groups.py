# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The code that hides profiles and choices, run in a hub's configuration and asked by the real KubeSpawner."""

from __future__ import annotations

import asyncio
import copy
from types import SimpleNamespace
from typing import Any

import pytest

kubespawner = pytest.importorskip("kubespawner.spawner", reason="these tests need the package jupyterhub-kubespawner")

from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.kubernetes_hubs import (  # noqa: E402, E501
    CODE,
)
from tornado import web  # noqa: E402
from traitlets.config import Config  # noqa: E402

PLAIN, GPU, BIG = "quay.io/uni/plain:1", "quay.io/uni/gpu:1", "quay.io/uni/big:1"


def choice(image: str, **more: Any) -> dict[str, Any]:
    return {"display_name": image, "kubespawner_override": {"image": image}, **more}


PROFILES: list[dict[str, Any]] = [
    {
        "display_name": "GPU",
        "slug": "gpu",
        "allowed_groups": ["GPU-Users", "uni:Accelerators"],
        "kubespawner_override": {"image": GPU},
    },
    {
        "display_name": "Plain",
        "slug": "plain",
        "profile_options": {
            "image": {
                "display_name": "Image",
                "choices": {
                    "big": choice(BIG, default=True, allowed_groups=["big-users"]),
                    "plain": choice(PLAIN),
                },
                "unlisted_choice": {
                    "enabled": True,
                    "allowed_groups": ["builders"],
                    "kubespawner_override": {"image": "{value}"},
                },
            }
        },
    },
]
ONLY_FOR_SOME: list[dict[str, Any]] = [PROFILES[0]]


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("load_config", "shared_client"):
        monkeypatch.setattr(kubespawner, name, lambda *_args, **_kwargs: None)


def configured(profile_list: Any) -> Config:
    """Return a hub's configuration after the code ran in it, as the chart runs hub.extraConfig."""
    config = Config()
    if profile_list is not None:
        config.KubeSpawner.profile_list = profile_list
    exec(CODE.groups_config, {"c": config})
    return config


def spawner_of(profile_list: Any, *groups: str, state: Any = None, **user_options: str) -> Any:
    """Return the spawner of a user in some groups, who asked for something."""

    async def get_auth_state() -> Any:
        return state

    made = kubespawner.KubeSpawner(_mock=True, config=configured(profile_list), image="base:1")
    made.user.groups = [SimpleNamespace(name=group) for group in groups]
    made.user.get_auth_state = get_auth_state
    made.user_options = user_options
    return made


def seen(profile_list: Any, *groups: str, state: Any = None) -> list[dict[str, Any]]:
    """Return the profiles that a user sees."""
    made = spawner_of(profile_list, *groups, state=state)
    found: list[dict[str, Any]] = asyncio.run(made.profile_list(made))
    return found


def started(profile_list: Any, *groups: str, state: Any = None, **user_options: str) -> str:
    """Return the image that a user's server would run."""
    made = spawner_of(profile_list, *groups, state=state, **user_options)
    asyncio.run(made.load_user_options())
    image: str = made.image
    return image


def slugs(profiles: list[dict[str, Any]]) -> list[str]:
    return [profile["slug"] for profile in profiles]


def test_members_see_and_start_what_is_theirs() -> None:
    assert slugs(seen(PROFILES, "gpu-users")) == ["gpu", "plain"]
    assert started(PROFILES, "gpu-users") == GPU
    assert started(PROFILES, "gpu-users", profile="plain") == PLAIN
    image = seen(PROFILES, "BIG-USERS", "builders")[0]["profile_options"]["image"]
    assert list(image["choices"]) == ["big", "plain"]
    assert image["unlisted_choice"]["enabled"] is True
    assert started(PROFILES, "big-users") == BIG
    assert started(PROFILES, "builders", **{"profile": "plain", "image--unlisted-choice": "my:1"}) == "my:1"


def test_others_do_not_see_it_and_a_hidden_default_gives_way_to_what_is_left() -> None:
    assert slugs(seen(PROFILES, "somebody")) == ["plain"]
    image = seen(PROFILES)[0]["profile_options"]["image"]
    assert list(image["choices"]) == ["plain"]
    assert "unlisted_choice" not in image
    assert started(PROFILES) == PLAIN


@pytest.mark.parametrize("name", ["GPU-USERS", "gpu-users", "Gpu-Users"])
def test_case_of_groups_does_not_matter(name: str) -> None:
    assert slugs(seen(PROFILES, name)) == ["gpu", "plain"]


def test_teams_of_github_are_groups() -> None:
    teams = {"teams": [{"slug": "accelerators", "organization": {"login": "Uni"}}]}
    assert slugs(seen(PROFILES, state=teams)) == ["gpu", "plain"]
    assert started(PROFILES, state=teams, profile="gpu") == GPU
    others = {"teams": [{"slug": "accelerators", "organization": {"login": "other"}}]}
    assert slugs(seen(PROFILES, state=others)) == ["plain"]


@pytest.mark.parametrize("state", [{}, {"teams": None}, {"teams": [{}, {"slug": "x"}, None, "text"]}, {"token": "x"}])
def test_what_else_is_in_the_auth_state_lets_nobody_in(state: Any) -> None:
    assert slugs(seen(PROFILES, state=state)) == ["plain"]


@pytest.mark.parametrize(
    "asked",
    [
        {"profile": "gpu"},
        {"profile": "plain", "image": "big"},
        {"image": "big"},
        {"profile": "plain", "image--unlisted-choice": "my:1"},
    ],
    ids=str,
)
def test_what_is_hidden_cannot_be_started_by_the_api(asked: dict[str, str]) -> None:
    made = spawner_of(PROFILES, "somebody", **asked)
    with pytest.raises((ValueError, KeyError)):
        asyncio.run(made.load_user_options())
    assert made.image == "base:1"


def test_an_image_of_ones_own_without_a_profile_starts_none_either() -> None:
    assert started(PROFILES, "somebody", **{"image--unlisted-choice": "my:1"}) == "base:1"


def test_who_may_start_nothing_is_told_so() -> None:
    for ask in (
        lambda: seen(ONLY_FOR_SOME, "somebody"),
        lambda: started(ONLY_FOR_SOME),
        lambda: asyncio.run(form(spawner_of(ONLY_FOR_SOME))),
    ):
        with pytest.raises(web.HTTPError) as refused:
            ask()
        assert refused.value.status_code == 403
        assert "groups" in str(refused.value.log_message)


async def form(made: Any) -> str:
    """Return the page that the user chooses on."""
    page: str = await made.options_form(made)
    return page


def test_the_page_shows_what_the_user_may_start() -> None:
    page = asyncio.run(form(spawner_of(PROFILES, "gpu-users")))
    assert "GPU" in page and PLAIN in page and BIG not in page
    assert "GPU" not in asyncio.run(form(spawner_of(PROFILES)))


def test_a_group_of_nobody_hides_from_everyone() -> None:
    profiles = [{**PROFILES[0], "allowed_groups": []}, PROFILES[1]]
    assert slugs(seen(profiles, "gpu-users", "")) == ["plain"]


def test_a_profile_without_any_choice_left_is_hidden() -> None:
    size = {"size": {"choices": {"large": choice(BIG, allowed_groups=["big-users"])}}}
    profiles = [{"display_name": "Sized", "slug": "sized", "profile_options": size}, PROFILES[1]]
    assert slugs(seen(profiles)) == ["plain"]
    assert slugs(seen(profiles, "big-users")) == ["sized", "plain"]


def test_the_list_itself_stays_as_it_is() -> None:
    """The next user gets the whole list again, also after KubeSpawner has filled in what one user chose."""
    profiles = copy.deepcopy(PROFILES)
    assert started(profiles, "builders", **{"profile": "plain", "image--unlisted-choice": "my:1"}) == "my:1"
    seen(profiles)[0]["display_name"] = "changed"
    assert profiles == PROFILES
    assert slugs(seen(profiles, "gpu-users")) == ["gpu", "plain"]


def test_a_function_may_make_the_list() -> None:
    async def later(_spawner: Any) -> list[dict[str, Any]]:
        return PROFILES

    for listed in (lambda _spawner: PROFILES, later):
        assert slugs(seen(listed, "somebody")) == ["plain"]
        assert started(listed, "gpu-users") == GPU
    assert seen(lambda _spawner: [], "somebody") == []
    assert started(lambda _spawner: []) == "base:1"


@pytest.mark.parametrize("profile_list", [None, []])
def test_a_hub_without_profiles_is_left_alone(profile_list: Any) -> None:
    assert configured(profile_list).KubeSpawner == ({} if profile_list is None else {"profile_list": []})
    assert started(profile_list) == "base:1"
