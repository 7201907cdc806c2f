# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users choose from, in which order, and what each choice sets aside, limits and sets in real sessions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from cluster_hub import IMAGE, ClusterHub, Session
from hub_client import Browser
from kubernetes_api import Kubernetes

GPU = "nvidia.com/gpu"
MEBIBYTE = 2**20
#: By their names, each of these lists has another order.
ENVIRONMENTS = {
    "study": {"title": "Study", "image": IMAGE, "variables": {"STUDY": "{b}"}, "working_directory": "/tmp"},
    "empty": {"title": "Empty", "image": IMAGE, "choice": "Empty", "description": "Nothing"},
}
SIZES: dict[str, dict[str, Any]] = {
    "staff": {"title": "Staff", "memory": "1G", "allowed_groups": ["staff"]},
    "small": {"title": "Small", "memory": "384M", "cpu": 1},
    "medium": {"title": "Medium", "memory": "512M", "memory_guarantee": "128M", "cpu": 1, "cpu_guarantee": 0.05},
    "free": {"title": "What is left"},
}
#: The only ones of the hub.
BASE_ENVIRONMENT = {"title": "Base", "image": IMAGE, "variables": {"BASE": "yes"}, "image_pull_policy": "IfNotPresent"}
BASE_SIZE: dict[str, Any] = {
    "title": "Base",
    "memory": "512M",
    "memory_guarantee": "256M",
    "cpu": 1.5,
    "cpu_guarantee": 0.1,
    "gpu": 1,
    "node_selector": {"kubernetes.io/os": "linux"},
}
PROFILES: list[dict[str, Any]] = [
    {
        "title": "Study",
        "slug": "study",
        "environments": list(ENVIRONMENTS),
        "environment_option": "software",
        "sizes": list(SIZES),
        "size_option": "resources",
    },
    {"title": "Standard", "slug": "standard"},
]


@pytest.fixture(scope="module")
def hub(make_hub: Callable[..., ClusterHub]) -> ClusterHub:
    """A hub with profiles, and one environment and size for those that name none."""
    made = make_hub(
        hub_authenticator="dummy",
        hub_demonstration=True,
        hub_groups={"staff": {"users": ["ada"]}},
        hub_environment_catalogue={**ENVIRONMENTS, "base": BASE_ENVIRONMENT},
        hub_environments=["base"],
        hub_size_catalogue={**SIZES, "base": BASE_SIZE},
        hub_sizes=["base"],
        hub_profiles=PROFILES,
    )
    made.deploy()
    return made


def resources(session: Session) -> dict[str, dict[str, float]]:
    """Return the limits and requests of a session in bytes, CPUs and devices."""
    found: dict[str, dict[str, str]] = session.container["resources"]
    return {bound: {name: amount(text) for name, text in amounts.items()} for bound, amounts in found.items()}


def amount(text: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)(\w*)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"": 1, "m": 0.001, "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}[unit]


def variables(session: Session) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in session.container["env"]}


@pytest.mark.options("hub_profiles.environments", "hub_profiles.sizes", "hub_profiles.slug")
@pytest.mark.options("hub_size_catalogue.memory", "hub_size_catalogue.cpu", "hub_size_catalogue.allowed_groups")
@pytest.mark.options("hub_environment_catalogue.variables", "hub_environment_catalogue.working_directory")
def test_the_first_that_a_user_may_start_is_the_default(hub: ClusterHub) -> None:
    """A size for others comes first; nothing is set aside that no option asks for."""
    with hub.session("ben") as session:
        small = {"memory": 384 * MEBIBYTE, "cpu": 1}
        assert resources(session) == {"limits": small, "requests": {"memory": MEBIBYTE, "cpu": 0.001}}
        assert session.value("[os.environ['STUDY'], os.environ.get('BASE'), os.getcwd()]") == ["{b}", None, "/tmp"]
        assert not session.pod["spec"].get("nodeSelector")


@pytest.mark.options("hub_profiles.environment_option", "hub_profiles.size_option", "hub_environment_catalogue.image")
@pytest.mark.options("hub_size_catalogue.memory_guarantee", "hub_size_catalogue.cpu_guarantee")
def test_every_choice_is_only_itself(hub: ClusterHub) -> None:
    with hub.session("ben", profile="study", software="Empty", resources="medium") as session:
        assert resources(session) == {
            "limits": {"memory": 512 * MEBIBYTE, "cpu": 1},
            "requests": {"memory": 128 * MEBIBYTE, "cpu": 0.05},
        }
        assert {"STUDY", "BASE"}.isdisjoint(variables(session))
        assert session.container["workingDir"] == "/home/jovyan"
    with hub.session("ben", profile="study", resources="free") as session:
        assert resources(session) == {"requests": {"memory": MEBIBYTE}}


@pytest.fixture
def gpus(kubernetes: Kubernetes) -> None:
    """Two GPUs on each node, as a device plugin announces them."""
    status = json.dumps({"status": {"capacity": {GPU: "2"}}})
    for node in kubernetes.kubectl("get", "nodes", "--output", "name").split():
        kubernetes.kubectl("patch", node, "--subresource=status", "--type=merge", "--patch", status)


@pytest.mark.options("hub_profiles", "hub_environments", "hub_sizes", "hub_environment_catalogue.image_pull_policy")
@pytest.mark.options("hub_size_catalogue.gpu", "hub_size_catalogue.node_selector")
@pytest.mark.usefixtures("gpus")
def test_profiles_without_a_size_have_the_only_one_of_the_hub(hub: ClusterHub) -> None:
    with hub.session("ben", profile="standard") as session:
        assert resources(session) == {
            "limits": {"memory": 512 * MEBIBYTE, "cpu": 1.5, GPU: 1},
            "requests": {"memory": 256 * MEBIBYTE, "cpu": 0.1, GPU: 1},
        }
        assert session.pod["spec"]["nodeSelector"] == BASE_SIZE["node_selector"]
        assert variables(session)["BASE"] == "yes"
        assert session.container["imagePullPolicy"] == "IfNotPresent"


@pytest.mark.options("hub_profiles.title", "hub_profiles.environments", "hub_profiles.sizes", "hub_groups")
@pytest.mark.parametrize(
    ("user", "sizes"), [("ada", ["staff", "small", "medium", "free"]), ("ben", ["small", "medium", "free"])]
)
def test_the_start_page_has_the_order_of_the_inventory(hub: ClusterHub, user: str, sizes: list[str]) -> None:
    browser = Browser(hub)
    browser.request("hub/login")
    browser.request("hub/login", {"username": user, "password": "any"})
    status, page = browser.request("hub/spawn")
    assert status == 200, page
    assert re.findall(r'name="profile" [^>]*?value="(.*?)"', page) == ["study", "standard"]
    assert re.findall(r'<select [^>]*?name="(.*?)"', page) == [
        "profile-option-study--software",
        "profile-option-study--resources",
    ]
    choices = re.findall(r'<option value="(.*?)"( selected)?>', page)
    assert [name for name, _selected in choices] == ["study", "Empty", *sizes]
    assert [name for name, selected in choices if selected] == ["study", sizes[0]]
    assert "Empty – Nothing" in page


@pytest.mark.options("hub_sizes")
def test_the_only_size_without_profiles(make_hub: Callable[..., ClusterHub]) -> None:
    """It is what every session has; a size below the chart's guarantee starts, too."""
    hub = make_hub(hub_sizes=[{"name": "small", "memory": "384M", "cpu": 1}])
    hub.deploy()
    with hub.session("ada") as session:
        assert resources(session) == {
            "limits": {"memory": 384 * MEBIBYTE, "cpu": 1},
            "requests": {"memory": MEBIBYTE, "cpu": 0.001},
        }
        assert session.value("6 * 7") == 42
