# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check acts like a user on a real hub, through the API server of its cluster, and leaves nothing behind."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.results import HubResult
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import CheckOptions, Choice, HubTarget
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.users import PREFIX, base36
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.client import KubernetesApi
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.credentials import Credentials
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart_secret import token_key
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.check import (
    CheckedHub,
    check_hubs,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.check_service import (
    CHECK_SERVICE,
    check_service_settings,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.layers import assign
from cluster_hub import IMAGE, ClusterHub
from hub_client import Client, wait_for

MISSING_IMAGE = "localhost:1/missing:1"
PYTHON = Choice("python", "", {"profile": "python"}, terminal_command="python3 --version")
BROKEN = Choice("broken", "", {"profile": "broken"})


def check_service() -> dict[str, Any]:
    """Return Helm values with the service that the check acts as."""
    values: dict[str, Any] = {}
    for setting in check_service_settings():
        assign(values, setting.path, setting.value)
    return values


@pytest.fixture(scope="module")
def hub(make_hub: Callable[..., ClusterHub]) -> ClusterHub:
    """A hub below a path, with an environment whose image does not exist."""
    made = make_hub(
        hub_url="http://check.invalid/team/",
        hub_environment_catalogue={"python": {"image": IMAGE}, "broken": {"image": MISSING_IMAGE}},
        hub_environments=["python", "broken"],
        hub_home_storage="dynamic",
        hub_helm_values=check_service(),
    )
    made.deploy()
    return made


@pytest.fixture
def check(hub: ClusterHub) -> Callable[..., HubResult]:
    """Check the hub at an address, inside of the cluster unless given."""
    api = KubernetesApi(Credentials(str(hub.kubernetes.kubeconfig)))

    def run(choice: Choice = PYTHON, url: str = "", **limits: float) -> HubResult:
        url = url or f"http://proxy-public.{hub.namespace}/team/"
        target = HubTarget(hub.name, "cloud", url, "", [choice])
        found = check_hubs(
            api, [CheckedHub(target, hub.namespace, hub.name, through_cluster=False)], CheckOptions(**limits), print
        )
        assert found.problems == {}
        return found.results[0]

    return run


def left_overs(hub: ClusterHub) -> list[str]:
    """Return users of checks, and their pods and claims."""
    _status, users = hub.api("GET", "users")
    found = [user["name"] for user in users if user["name"].startswith(PREFIX)]
    for kind in ("pods", "persistentvolumeclaims"):
        for item in hub.kubernetes.objects(hub.namespace, kind):
            user = item["metadata"].get("annotations", {}).get("hub.jupyter.org/username", "")
            found += [f"{kind} {item['metadata']['name']}"] if user.startswith(PREFIX) else []
    return found


def wait_until_clean(hub: ClusterHub) -> None:
    """A claim ends a little after the pod that used it."""
    wait_for("the end of users, pods and claims of checks", lambda: not left_overs(hub), patience=120)


@pytest.mark.parametrize("url", ["", "http://check.invalid/team/"])
def test_a_hub_passes_and_nothing_stays(hub: ClusterHub, check: Callable[..., HubResult], url: str) -> None:
    result = check(url=url)
    assert result.ok, f"{result}\n{hub.state()}"
    assert [step.name for step in result.choices[0].steps][-3:] == ["terminal", "stop", "delete user"]
    assert result.cleanup_problems == []
    assert [warning.partition(";")[0] for warning in result.warnings] == (
        ["the name check.invalid cannot be resolved here"] if url else []
    )
    wait_until_clean(hub)


def test_an_image_that_does_not_exist_is_named(hub: ClusterHub, check: Callable[..., HubResult]) -> None:
    result = check(BROKEN, start_timeout=15)
    (failed,) = result.choices
    assert failed.failed_step == "progress"
    # Which one comes first depends on how soon the kubelet waits before it pulls again.
    assert str(failed.error).startswith(("the server was not ready within 15 s", "the server does not start"))
    assert MISSING_IMAGE in str(failed.error)
    wait_until_clean(hub)


def test_what_a_killed_check_left_is_removed(hub: ClusterHub, check: Callable[..., HubResult]) -> None:
    user = f"{PREFIX}{base36(int(time.time()) - 7200)}-abc123"
    assert hub.start_server(user).get("ready"), hub.state()
    assert len(left_overs(hub)) == 3
    result = check()
    assert result.ok, f"{result}\n{hub.state()}"
    assert result.removed_users == [user]
    wait_until_clean(hub)


def test_the_service_of_the_check_can_do_no_more(hub: ClusterHub) -> None:
    (secret,) = (item for item in hub.kubernetes.objects(hub.namespace, "secrets") if item["metadata"]["name"] == "hub")
    token = base64.b64decode(secret["data"][token_key(CHECK_SERVICE)]).decode()

    def status(method: str, path: str) -> int:
        return Client.request(method, f"{hub.direct}hub/api/{path}", token)[0]

    assert status("GET", "users") == 200
    assert [status(*each) for each in (("GET", "services"), ("GET", "proxy"), ("POST", "shutdown"))] == [403] * 3
    with hub.session("ada"):
        assert Client.request("GET", f"{hub.url}user/ada/api/status", token)[0] == 403
