# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which image each environment of a hub needs, and when it is another one."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.builder import WantedImage
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.pins import ImagePin, ImagePins
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.lock import Lock
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.pins import Pin
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.charts import Charts
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.images import (
    EnvironmentFiles,
    Images,
    built_environments,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput, HostInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import Problems
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.kubernetes_hubs import (  # noqa: E501
    CHARTS,
    hub_of,
)

BASE = "quay.io/uni/base:1"
FILES = EnvironmentFiles({"user-5.5.txt": "jupyterhub==5.5.4\n", "user-6.1.txt": "jupyterhub==6.1.0\n"}, {"a.py": ""})
MAPS = Pin("../maps", "", "", "a" * 40, "b" * 40, "2026-11-30T09:15:00Z")
LOCK = Lock({MAPS.key: MAPS}, ImagePins({BASE: f"sha256:{'1' * 64}"}))
CATALOGUE: dict[str, Any] = {
    "science": {"packages": ["numpy==2.3.5"]},
    "maps": {"repository": "../maps"},
    "given": {"packages": ["numpy==2.3.5"], "image": "quay.io/uni/python:1"},
}


def hub(catalogue: dict[str, Any] | None = None, **variables: Any) -> Hub:
    """Return a hub that offers all of a catalogue."""
    offered = catalogue or CATALOGUE
    given: dict[str, Any] = {
        "cluster_image_registry": "registry.example.org/hubs",
        "cluster_base_image": BASE,
        "hub_environment_catalogue": offered,
        "hub_environments": list(offered),
        **variables,
    }
    return hub_of(lock=None, **given)


def images(files: EnvironmentFiles = FILES) -> Images:
    """Return the images of a cluster."""
    return Images(Charts(CHARTS, "", ""), files)


def wanted(made: Hub, lock: Lock = LOCK, files: EnvironmentFiles = FILES) -> dict[str, WantedImage]:
    """Return the images of a hub, by environment."""
    return {each.name: images(files).wanted(made, each, lock) for each in built_environments(made)}


def test_what_has_an_image_is_not_built() -> None:
    found = wanted(hub())
    assert list(found) == ["science", "maps"]
    assert found["maps"].address.name == "registry.example.org/hubs/maps"
    assert found["maps"].build.tree == MAPS.tree
    assert found["science"].build.lock == "jupyterhub==5.5.4\n"
    assert found["science"].build.requirements == "numpy==2.3.5\n"


@pytest.mark.parametrize(
    ("change", "renewed"),
    [
        ({"hub_title": "Another"}, set()),
        ({"cluster_image_registry": "elsewhere.example.org/hubs"}, set()),
        ({"catalogue": {**CATALOGUE, "science": {"packages": ["numpy==2.3.6"]}}}, {"science"}),
        ({"lock": Lock({MAPS.key: MAPS}, ImagePins({BASE: f"sha256:{'2' * 64}"}))}, {"science", "maps"}),
        (
            {"lock": Lock({MAPS.key: Pin(*MAPS.key, "c" * 40, "d" * 40, MAPS.date)}, LOCK.images)},
            {"maps"},
        ),
        ({"lock": Lock({MAPS.key: Pin(*MAPS.key, "c" * 40, MAPS.tree, MAPS.date)}, LOCK.images)}, set()),
        ({"files": EnvironmentFiles(FILES.locks, {"a.py": "new"})}, {"science", "maps"}),
        ({"files": EnvironmentFiles({"user-5.5.txt": "jupyterhub==5.5.5\n"}, FILES.modules)}, {"science", "maps"}),
    ],
)
def test_the_tag_changes_with_what_the_image_is_made_from(change: dict[str, Any], renewed: set[str]) -> None:
    before = wanted(hub())
    beside = {key: change.pop(key) for key in ("lock", "files") if key in change}
    after = wanted(hub(**change), **beside)
    assert {name for name in before if before[name].key != after[name].key} == renewed


def test_the_base_is_the_image_of_the_chart_unless_it_is_set() -> None:
    base = images().base(hub(cluster_base_image=None, cluster_chart_version="4.4.0"))
    assert (base.name, base.reference) == ("quay.io/jupyterhub/k8s-singleuser-sample", "4.4.0")


@pytest.mark.parametrize(("base", "plain"), [("10.0.0.1:5000/base:1", True), (BASE, False)])
def test_a_base_is_read_without_tls_where_the_registry_is(base: str, plain: bool) -> None:
    found = images().base(hub(cluster_image_registry="http://10.0.0.1:5000/hubs", cluster_base_image=base))
    assert found.plain is plain


def complete(made: Hub, lock: Lock | None, needs_images: bool = True) -> list[str]:
    """Fill in the images of a hub; return what is wrong with it."""
    problems = Problems()
    inventory = FleetInput({"alpha": HostInput("alpha", {}, frozenset())}, {}, lock=lock, needs_images=needs_images)
    images().complete(made, inventory, problems)
    return [problem.line() for problem in problems.of(["alpha"])]


def test_images_of_the_lock_file_are_filled_in() -> None:
    made = hub(hub_profiles=[{"title": "Maps", "environments": ["maps", "given"]}])
    pins = [
        ImagePin(each.address.name, each.key, f"sha256:{digit * 64}", MAPS.date, "5.5.4", "4.6.6")
        for each, digit in zip(wanted(made).values(), "34")
    ]
    lock = Lock(LOCK.repositories, ImagePins(LOCK.images.bases, {(pin.image, pin.key): pin for pin in pins}))
    assert complete(made, lock) == []
    digests = {"science": "3" * 64, "maps": "4" * 64}
    science, maps = (f"registry.example.org/hubs/{name}@sha256:{digest}" for name, digest in digests.items())
    assert [each.image for each in made.environments] == [science, maps, "quay.io/uni/python:1"]
    assert [each.image for each in made.profiles[0].environments] == [maps, "quay.io/uni/python:1"]


def test_images_that_are_missing_are_told() -> None:
    told = complete(hub(), LOCK)
    assert len(told) == 2
    assert "hub_environment_catalogue.science: has no image in environments.lock.yml yet; run the playbook" in told[1]


def test_where_the_lock_file_does_not_matter_images_have_tags() -> None:
    made = hub()
    assert complete(made, None) == []
    assert made.environments[0].image.startswith("registry.example.org/hubs/science:")


def test_what_deploys_nothing_goes_on_with_images_of_another_release() -> None:
    made = hub()
    pin = ImagePin(
        "registry.example.org/hubs/science", "0123456789ab", f"sha256:{'5' * 64}", MAPS.date, "5.5.4", "4.6.6"
    )
    lock = Lock(LOCK.repositories, ImagePins(LOCK.images.bases, {(pin.image, pin.key): pin}))
    assert complete(made, lock, needs_images=False) == []
    assert made.environments[0].image == pin.reference
    assert made.environments[1].image.startswith("registry.example.org/hubs/maps:")


def test_an_entry_of_the_hub_is_another_one_than_that_of_the_catalogue() -> None:
    own = {"name": "science", "packages": ["numpy==2.3.6"]}
    made = hub(hub_environments=[own], hub_profiles=[{"title": "All", "environments": ["science", "maps"]}])
    found = [images().wanted(made, each, LOCK) for each in built_environments(made)]
    assert [each.build.requirements for each in found] == ["numpy==2.3.6\n", "numpy==2.3.5\n", ""]
    complete(made, None)
    assert made.environments[0].image != made.profiles[0].environments[0].image
    assert made.profiles[0].environments[1].image.startswith("registry.example.org/hubs/maps:")
