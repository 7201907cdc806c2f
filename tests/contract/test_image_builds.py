# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images the playbook environments asks for and builds; tests/cluster builds real ones."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.pins import ImagePin, ImagePins
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.lock import Lock
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.pins import PYTHON, REPO2DOCKER, Pin
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.charts import Charts
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.images import Images
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput, HostInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.validate import validate
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils import image_builds
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import RECORDED_CHARTS, environment_files
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.image_builds import ImageBuilds

OLD, NEW = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
BASE = "quay.io/uni/base:1"
DATE = "2026-11-30T09:15:00Z"


def hubs(**variables: dict[str, Any]) -> dict[str, Hub]:
    """Return hubs of one cluster, by name. variables: of each; the name of the cluster is in ``cluster``."""
    hosts, clusters = {}, {}
    for name, given in variables.items():
        cluster = given.pop("cluster", "cloud")
        options = {
            "cluster_platform": "kubernetes",
            "cluster_image_registry": f"registry.example.org/{cluster}",
            "cluster_base_image": BASE,
            "hub_home_storage": "none",
            "hub_environment_catalogue": {"science": {"packages": ["numpy==2.3.5"]}, "maps": {"packages": ["six"]}},
            **given,
        }
        hosts[name] = HostInput(name, options, frozenset({"staging"}))
        clusters.setdefault(cluster, []).append(name)
    fleet, problems = validate(FleetInput(hosts, clusters, lock=None))
    assert [problem.line() for problem in problems.of(hosts)] == []
    return fleet.hubs


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> ImageBuilds:
    """The images of a fleet; registries have the base image, and nothing else."""
    made = Images(Charts(RECORDED_CHARTS, "", ""), environment_files())
    monkeypatch.setattr(image_builds, "Registry", lambda base: SimpleNamespace(digest=lambda _reference: NEW))
    return ImageBuilds(SimpleNamespace(images=lambda _hub: made), "", print)  # type: ignore[arg-type]


def pinned(builds: ImageBuilds, of: list[Hub], base: str = OLD) -> Lock:
    """Return a lock file with all images of hubs."""
    lock = Lock({}, ImagePins({BASE: base}))
    needed = builds.needed(of, lock, [], lock)
    images = {use.key: ImagePin(*use.key, f"sha256:{'a' * 64}", DATE, "5.5.4", "4.6.6") for use in needed}
    return Lock({}, ImagePins({BASE: base}, images))


def names(needed: list[image_builds.ImageUse]) -> list[tuple[str, list[str]]]:
    """Return the images with the hubs that need them."""
    return [(use.key[0], [hub.name for hub, _environment in use.uses]) for use in needed]


def test_bases_are_asked_once(builds: ImageBuilds) -> None:
    made = list(hubs(one={"hub_environments": ["science"]}, two={"hub_environments": ["maps"]}).values())
    assert builds.bases(made, {}, {}, newest=False) == {BASE: NEW}
    assert builds.bases(made, {}, {BASE: OLD}, newest=False) == {BASE: OLD}
    assert builds.bases(made, {}, {BASE: OLD, "other": OLD}, newest=True) == {BASE: NEW, "other": OLD}


def test_what_an_engine_builds_needs_no_base(builds: ImageBuilds) -> None:
    catalogue = {"maps": {"repository": "https://example.org/maps"}}
    maps = hubs(one={"hub_environments": ["maps"], "hub_environment_catalogue": catalogue})["one"]
    (key,) = (environment.repository for environment in maps.offered_environments)
    assert key is not None
    pin = Pin(*key, "a" * 40, "b" * 40, "2026-11-30T09:15:00Z", REPO2DOCKER)
    assert builds.bases([maps], {key: pin}, {}, newest=True) == {}
    assert builds.base_names([maps], {key: replace(pin, kind=PYTHON)}) == {BASE}


def test_profiles_alone_offer_environments(builds: ImageBuilds) -> None:
    profiles = [{"title": "All", "environments": ["science", "maps"]}]
    made = list(hubs(one={"hub_profiles": profiles}).values())
    lock = pinned(builds, made)
    assert names(builds.needed(made, lock, [], lock)) == [
        ("registry.example.org/cloud/maps", ["one"]),
        ("registry.example.org/cloud/science", ["one"]),
    ]


def test_a_new_base_renews_what_other_hubs_had(builds: ImageBuilds) -> None:
    made = hubs(
        one={"hub_environments": ["science"]},
        two={"hub_environments": ["science", "maps"]},
        far={"hub_environments": ["maps"], "cluster": "elsewhere"},
    )
    one, two, far = made.values()
    before = pinned(builds, [one, two])
    after = Lock({}, ImagePins({BASE: NEW}, before.images.images))
    needed = builds.needed([one], after, [two, far], before)
    assert names(needed) == [
        ("registry.example.org/cloud/maps", ["two"]),
        ("registry.example.org/cloud/science", ["one", "two"]),
    ]
    assert builds.replaced([one, two, far], before, after) >= set(before.images.images)
    assert builds.replaced([one, two, far], before, before) == set()


def test_what_is_pinned_asks_no_registry(builds: ImageBuilds, monkeypatch: pytest.MonkeyPatch) -> None:
    made = list(hubs(one={"hub_environments": ["science"]}).values())
    lock = pinned(builds, made)
    monkeypatch.setattr(image_builds, "ImageBuilder", None)
    needed = builds.needed(made, lock, [], lock)
    assert builds.settle(needed, lock, build=True) == lock.images
    assert [use.outcome for use in needed] == [image_builds.UNCHANGED]


def test_secrets_of_hubs_are_not_in_what_builds_print(builds: ImageBuilds, monkeypatch: pytest.MonkeyPatch) -> None:
    made = list(hubs(one={"hub_environments": ["science"]}).values())

    class Failing:
        """Prints the address of the package index."""

        def __init__(self, *_arguments: Any) -> None:
            pass

        def find(self, _wanted: Any) -> None:
            raise image_builds.HubfleetError("it said https://ada:s3cret-word@index.example.org/")

    monkeypatch.setattr(image_builds, "ImageBuilder", Failing)
    made[0].redactor = SimpleNamespace(mask_text=lambda text: text.replace("s3cret-word", "***"))  # type: ignore[assignment]
    needed = builds.needed(made, Lock(), [], Lock())
    builds.settle(needed, Lock(), build=True)
    assert "s3cret-word" not in needed[0].problem and "***" in needed[0].problem
