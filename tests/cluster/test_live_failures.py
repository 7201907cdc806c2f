# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploys that fail say why, early, and leave the hub and its sessions as they were."""

from __future__ import annotations

import datetime
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster_hub import Session
from kubernetes_api import Kubernetes, program
from kubernetes_fleet import KubernetesFleet

HUB, CLUSTER = "research", "failing"
#: Nothing listens there.
MISSING_IMAGE = "127.0.0.1:9/missing"
TIMEOUT = 600

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fleet(kubernetes: Kubernetes, make_fleet: Callable[..., KubernetesFleet]) -> KubernetesFleet:
    """A hub that is deployed."""
    made = make_fleet(**{CLUSTER: kubernetes})
    made.clusters[CLUSTER]["cluster_permissions"] = "namespace"
    made.add_hub(HUB, hub_check_through="cluster", hub_deploy_timeout=f"{TIMEOUT}s")
    made.run("deploy")
    return made


@pytest.fixture(scope="module")
def session(fleet: KubernetesFleet) -> Iterator[Session]:
    """A session that lives through all failures."""
    with fleet.hub(HUB).session("ada") as started:
        started.run("answer = 41")
        yield started


@pytest.fixture
def good(fleet: KubernetesFleet, session: Session) -> Iterator[dict[str, Any]]:
    """The variables of the hub, to be changed; afterwards everything has to be what it was."""
    pod, proxy = session.pod["metadata"]["uid"], session.hub.pods("proxy")[0]["metadata"]["uid"]
    given = dict(fleet.hubs[HUB])
    yield fleet.hubs[HUB]
    fleet.hubs[HUB].clear()
    fleet.hubs[HUB].update(given)
    session.hub.connect()
    assert session.pod["metadata"]["uid"] == pod and session.hub.pods("proxy")[0]["metadata"]["uid"] == proxy
    assert session.run("print(answer + 1)").strip() == "42"
    fleet.assert_unchanged()


def failed(fleet: KubernetesFleet) -> str:
    """Deploy a hub that fails, long before the end of its time, and is rolled back; return why, from the recap."""
    started = time.monotonic()
    output = fleet.fails("deploy")
    assert time.monotonic() - started < TIMEOUT / 2, output
    recap = [line for line in output.splitlines() if line.startswith(f"{HUB} ") and "rolled back" in line]
    assert recap, output
    return recap[-1]


def test_an_image_that_is_not_there(fleet: KubernetesFleet, good: dict[str, Any]) -> None:
    good["hub_helm_values"] = {"hub": {"image": {"name": MISSING_IMAGE, "tag": "1.0"}}}
    assert f"cannot pull image {MISSING_IMAGE}:1.0" in failed(fleet)


def test_a_hub_that_nobody_can_schedule(fleet: KubernetesFleet, good: dict[str, Any]) -> None:
    good["hub_helm_values"] = {"hub": {"nodeSelector": {"hubfleet.jupyterhub/nobody": "has"}}}
    why = failed(fleet)
    assert "cannot be scheduled" in why and "a node with the label hubfleet.jupyterhub/nobody=has" in why, why


def test_a_quota_that_is_exceeded(fleet: KubernetesFleet, good: dict[str, Any], kubernetes: Kubernetes) -> None:
    quota = ("quota", "tests", "--hard=requests.ephemeral-storage=1Gi")
    kubernetes.kubectl("--namespace", fleet.namespace(HUB), "create", *quota)
    good["hub_helm_values"] = {"hub": {"resources": {"requests": {"ephemeral-storage": "2Gi"}}}}
    why = failed(fleet)
    kubernetes.kubectl("--namespace", fleet.namespace(HUB), "delete", *quota[:2])
    assert "exceeded quota: tests" in why, why


@pytest.mark.options("hub_environment_catalogue.check_code", "hub_environment_catalogue.check_output")
def test_code_of_a_check_that_prints_something_else(fleet: KubernetesFleet, good: dict[str, Any]) -> None:
    given = good["hub_environment_catalogue"]["python"]
    checked = {"check_code": "print(6 * 7)", "check_output": "43"}
    good["hub_environment_catalogue"] = {"python": {**given, **checked}}
    output = fleet.fails("check")
    assert re.search("the code printed .{0,3}42.{0,3}, not .{0,3}43", output), output


def test_a_check_that_fails(fleet: KubernetesFleet, good: dict[str, Any]) -> None:
    good["hub_environment_catalogue"] = {"python": {"title": "Python", "image": f"{MISSING_IMAGE}:1.0"}}
    good["hub_start_timeout"] = "45s"
    why = failed(fleet)
    assert f"cannot pull image {MISSING_IMAGE}:1.0" in why, why
    pods = fleet.hub(HUB).pods("singleuser-server")
    assert [pod["metadata"]["annotations"]["hub.jupyter.org/username"] for pod in pods] == ["ada"]


def test_values_that_the_chart_does_not_take(fleet: KubernetesFleet, good: dict[str, Any]) -> None:
    """Helm makes no revision, so there is nothing to go back to."""
    before = fleet.versions(HUB)
    good["hub_helm_values"] = {"proxy": {"service": None}}
    output = fleet.fails("deploy")
    assert "helm upgrade: " in output and "nil pointer" in output and "nothing to go back to" in output, output
    after = fleet.versions(HUB)
    # the secrets that it has, and its deploys
    own = f"Secret hubfleet.{HUB}"
    assert {**after, own: ""} == {**before, own: ""}


def test_a_chart_that_is_not_there(fleet: KubernetesFleet, tmp_path: Path) -> None:
    before, chart = fleet.versions(HUB), fleet.clusters[CLUSTER]["cluster_chart"]
    fleet.clusters[CLUSTER]["cluster_chart"] = str(tmp_path / "charts" / "jupyterhub")
    output = fleet.fails("deploy")
    fleet.clusters[CLUSTER]["cluster_chart"] = chart
    assert "cluster_chart" in output and str(tmp_path / "charts" / "jupyterhub") in output, output
    assert fleet.versions(HUB) == before


def test_helm_that_is_not_there(fleet: KubernetesFleet, tmp_path: Path) -> None:
    before, path = fleet.versions(HUB), fleet.environment["PATH"]
    folders = [each for each in path.split(":") if not os.path.exists(os.path.join(each, "helm"))]
    assert os.path.dirname(program("helm")) not in folders
    fleet.environment["PATH"] = ":".join(folders)
    fleet.hubs[HUB]["hub_title"] = "A new title"
    output = fleet.fails("deploy")
    del fleet.hubs[HUB]["hub_title"]
    fleet.environment["PATH"] = path
    assert "deploys to Kubernetes need the program helm (version 3.14 or newer) on PATH" in output, output
    assert fleet.versions(HUB) == before


@pytest.mark.options("cluster_maintenance_windows")
def test_a_cluster_outside_of_its_maintenance_windows(fleet: KubernetesFleet) -> None:
    before = fleet.versions(HUB)
    tomorrow = (datetime.datetime.now() + datetime.timedelta(days=1)).strftime("%a")
    fleet.clusters[CLUSTER]["cluster_maintenance_windows"] = [f"{tomorrow} 02:00-03:00"]
    fleet.hubs[HUB]["hub_title"] = "A new title"
    output = fleet.fails("deploy")
    assert f"cluster {CLUSTER} may only be changed in its maintenance windows" in output, output
    assert "1 to update" in fleet.run("plan")
    del fleet.hubs[HUB]["hub_title"], fleet.clusters[CLUSTER]["cluster_maintenance_windows"]
    assert fleet.versions(HUB) == before


def test_another_cluster_is_refused(fleet: KubernetesFleet) -> None:
    before = fleet.versions(HUB)
    path = fleet.path / ".cluster-identities.json"
    known = path.read_text()
    path.write_text(json.dumps({CLUSTER: f"{fleet.namespace(HUB)}=00000000-0000-0000-0000-000000000000"}))
    fleet.hubs[HUB]["hub_title"] = "A new title"
    for verb in ("deploy", "stop", "rollback"):
        output = fleet.fails(verb, "--limit", HUB)
        assert f"this is another {CLUSTER} than the one that was deployed before" in output, output
    path.write_text(known)
    fleet.clusters[CLUSTER]["cluster_context"], context = "mistyped", fleet.clusters[CLUSTER]["cluster_context"]
    output = fleet.fails("deploy")
    fleet.clusters[CLUSTER]["cluster_context"] = context
    del fleet.hubs[HUB]["hub_title"]
    assert "mistyped" in output, output
    assert fleet.versions(HUB) == before


def test_a_cluster_that_does_not_answer_is_in_nobody_s_way(
    fleet: KubernetesFleet, kubernetes: Kubernetes, tmp_path: Path
) -> None:
    kubeconfig = json.loads(kubernetes.kubectl("config", "view", "--raw", "--minify", "--output=json"))
    kubeconfig["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    silent = tmp_path / "silent.conf"
    silent.write_text(json.dumps(kubeconfig))
    fleet.add_cluster("away", silent, cluster_storage_class="standard")
    fleet.add_hub("spare", "away")
    fleet.hubs[HUB]["hub_title"] = "Another title"
    output = fleet.fails("plan")
    assert "https://127.0.0.1:1 does not answer: nothing listens there" in output, output
    assert "1 to update" in output and "1 unreachable" in output, output
    output = fleet.fails("deploy")
    hub = fleet.hub(HUB)
    assert "Another title" in str(hub.request("GET", f"{hub.url}hub/login")[1]), output
    assert "spare" in output and "unreachable" in output
    fleet.drop("spare")
