# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profile lists become hub_profiles, whatever their shape."""

from __future__ import annotations

from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.catalogues import Catalogues
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.reconcile import ReconciledHub, reconcile
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.sources import Source, ValuesFiles
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.importing.import_helpers import CODE

UNLISTED = {
    "enabled": True,
    "display_name": "Custom image",
    "validation_regex": "^.+:.+$",
    "validation_message": "Must be a publicly available docker image, of form <image-name>:<tag>",
    "kubespawner_override": {"image": "{value}"},
}


def imported(*profiles: Any) -> tuple[ReconciledHub, dict[str, Any]]:
    """Return a hub with this profile list, and the catalogues that it needs."""
    catalogues = Catalogues()
    wanted = {"singleuser": {"profileList": list(profiles)}}
    made = reconcile(Source("cluster", "hub", "production", wanted, ValuesFiles()), catalogues, CODE, {})
    return made, catalogues.needed([made.variables])


def test_sizes_of_profiles() -> None:
    made, catalogues = imported(
        {
            "display_name": "Small: 4 CPU, 32 GB",
            "description": "A machine",
            "default": True,
            "kubespawner_override": {
                "mem_limit": None,
                "mem_guarantee": "28.937G",
                "cpu_guarantee": 0.4,
                "node_selector": {"node.kubernetes.io/instance-type": "r5.xlarge"},
            },
        }
    )
    assert made.helm_values == {}
    assert made.variables["hub_profiles"] == [
        {"title": "Small: 4 CPU, 32 GB", "description": "A machine", "default": True, "sizes": ["small"]}
    ]
    assert catalogues == {
        "hub_size_catalogue": {
            "small": {
                "memory_guarantee": "28.937G",
                "cpu_guarantee": 0.4,
                "node_selector": {"node.kubernetes.io/instance-type": "r5.xlarge"},
                "override": {"mem_limit": None},
            }
        }
    }


def test_choices() -> None:
    made, catalogues = imported(
        {
            "display_name": "CPU",
            "slug": "cpu",
            "allowed_groups": ["org:team"],
            "profile_options": {
                "requests": {
                    "display_name": "Node share",
                    "choices": {
                        "mem_8": {
                            "display_name": "8 GB",
                            "default": True,
                            "kubespawner_override": {"mem_limit": "8G", "mem_guarantee": "7G"},
                        },
                        "mem_16": {"display_name": "16 GB", "kubespawner_override": {"mem_limit": "16G"}},
                    },
                },
                "image": {
                    "display_name": "Image",
                    "dynamic_image_building": {"enabled": True},
                    "unlisted_choice": {**UNLISTED, "description": "Yours"},
                    "choices": {
                        "pangeo": {
                            "display_name": "Pangeo",
                            "slug": "pangeo",
                            "kubespawner_override": {"image": "pangeo/notebook:1", "default_url": "/lab"},
                        },
                    },
                },
            },
            "kubespawner_override": {"cpu_limit": None},
        }
    )
    assert made.helm_values == {}
    assert made.variables["hub_profiles"] == [
        {
            "title": "CPU",
            "slug": "cpu",
            "allowed_groups": ["org:team"],
            "environments": ["pangeo"],
            "unlisted_image": {},
            "sizes": ["mem-8", "mem-16"],
            "default_size": "mem-8",
            "size_option": "requests",
            "size_title": "Node share",
            "override": {"cpu_limit": None},
            "options": {
                "image": {"dynamic_image_building": {"enabled": True}, "unlisted_choice": {"description": "Yours"}}
            },
        }
    ]
    assert catalogues == {
        "hub_environment_catalogue": {
            "pangeo": {
                "title": "Pangeo",
                "image": "pangeo/notebook:1",
                "interface": "lab",
                "extra": {"slug": "pangeo"},
            }
        },
        "hub_size_catalogue": {
            "mem-8": {"title": "8 GB", "memory": "8G", "memory_guarantee": "7G", "choice": "mem_8"},
            "mem-16": {"title": "16 GB", "memory": "16G", "choice": "mem_16"},
        },
    }


def test_a_choice_of_one_stays_a_choice() -> None:
    choice = {"display_name": "A", "kubespawner_override": {"image": "image:a"}}
    made, _catalogues = imported(
        {"display_name": "P", "profile_options": {"image": {"display_name": "Image", "choices": {"a": choice}}}}
    )
    assert made.variables["hub_profiles"] == [
        {"title": "P", "environments": ["a"], "environment_option": "image"},
    ]


def test_the_same_entry_has_one_name_and_others_a_number() -> None:
    def profile(title: str, image: str) -> dict[str, Any]:
        choices = {
            "a": {"display_name": "A", "kubespawner_override": {"image": image}},
            "b": {"display_name": "B", "kubespawner_override": {"image": "image:b"}},
        }
        return {"display_name": title, "profile_options": {"image": {"display_name": "Image", "choices": choices}}}

    made, catalogues = imported(profile("One", "image:1"), profile("Two", "image:2"), profile("Three", "image:1"))
    assert [profile["environments"] for profile in made.variables["hub_profiles"]] == [
        ["a", "b"],
        ["a-2", "b"],
        ["a", "b"],
    ]
    assert catalogues["hub_environment_catalogue"]["a-2"] == {"title": "A", "image": "image:2", "choice": "a"}


def test_profiles_that_the_schema_does_not_take_are_said_word_by_word() -> None:
    made, _catalogues = imported(
        {"display_name": "One", "kubespawner_override": {"image": "image:1"}},
        {"display_name": "Two", "slug": "no slug", "kubespawner_override": {}},
        {"display_name": "", "default": None},
    )
    assert made.helm_values == {}
    assert made.variables["hub_profiles"] == [
        {"title": "One", "environments": ["image"]},
        {"title": "Two", "extra": {"slug": "no slug", "kubespawner_override": {}}},
        {"title": "Profile 3", "extra": {"display_name": "", "default": None}},
    ]


def test_second_defaults_and_titles_are_kept() -> None:
    made, _catalogues = imported(
        {"display_name": "One", "default": True}, {"display_name": "One", "default": True, "slug": "one"}
    )
    assert made.helm_values == {}
    assert made.variables["hub_profiles"][0] == {"title": "One", "default": True}
    assert made.variables["hub_profiles"][1]["extra"]["default"] is True


def test_what_is_no_list_of_profiles_stays_a_helm_value() -> None:
    for listed in ([{"description": "no title"}], ["text"], [[]]):
        made, _catalogues = imported(*listed)
        assert "hub_profiles" not in made.variables
        assert made.helm_values == {"singleuser": {"profileList": listed}}


def test_groups_in_helm_values_do_not_bring_our_code_into_them() -> None:
    made, _catalogues = imported({"display_name": 1, "allowed_groups": ["g"]})
    assert made.helm_values == {"singleuser": {"profileList": [{"display_name": 1, "allowed_groups": ["g"]}]}}
