# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hubs are deployed, left alone, changed under a running kernel, upgraded, and rolled back. In this order."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from cluster_hub import Session
from fleet_inventory import STAGING, TOKEN
from kubernetes_api import Kubernetes
from kubernetes_fleet import KubernetesFleet

#: Another minor version than that of the chart of the tests, so that JupyterHub might change its database.
NEXT_JUPYTERHUB = "5.99.0"


@pytest.fixture(scope="module")
def fleet(kubernetes: Kubernetes, make_fleet: Callable[..., KubernetesFleet]) -> KubernetesFleet:
    """A hub for production, and one that is deployed and checked before it."""
    # Hubs of other tests on the same cluster are none of its own, by the name of the cluster.
    made = make_fleet(deploys=kubernetes)
    made.clusters["deploys"]["cluster_history_limit"] = 5
    made.add_hub("research", hub_check_through="cluster", hub_deploy_timeout="4m")
    made.add_hub("trial", tier=STAGING, hub_check_through="cluster")
    return made


@pytest.fixture(scope="module")
def next_chart(chart: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart with another version, and with another version of JupyterHub by its own words."""
    copy = tmp_path_factory.mktemp("charts") / "jupyterhub"
    shutil.copytree(chart, copy)
    about = yaml.safe_load((copy / "Chart.yaml").read_text())
    about.update(version="4.9.0-test", appVersion=NEXT_JUPYTERHUB)
    (copy / "Chart.yaml").write_text(yaml.safe_dump(about))
    return copy


@pytest.fixture(scope="module")
def session(fleet: KubernetesFleet) -> Iterator[Session]:
    """A session with a kernel that lives through all deploys that follow."""
    with fleet.hub("research").session("ada") as started:
        started.run("answer = 41")
        yield started


def assert_alive(session: Session, pod: str) -> None:
    """Check that a session goes on, in the same pod and the same kernel."""
    session.hub.connect()
    assert session.pod["metadata"]["uid"] == pod
    assert session.run("print(answer + 1)").strip() == "42"


def assert_no_secrets(fleet: KubernetesFleet, output: str) -> None:
    """Check that no secret of the hubs, of their services or of the kubeconfig was printed."""
    kubeconfig = yaml.safe_load(Path(fleet.clusters["deploys"]["cluster_kubeconfig"]).read_text())
    keys = [value for user in kubeconfig["users"] for value in user["user"].values()]
    for hub in fleet.hubs:
        content = fleet.secret(hub, "hub")
        keys += [value for key, value in content.items() if key != "values.yaml" and value]
        generated = fleet.generated_secrets(hub)
        assert generated
        keys += generated
    assert [key for key in [*keys, TOKEN] if key in output] == []


@pytest.mark.options("cluster_kubeconfig", "cluster_context", "hub_check_through", "hub_deploy_timeout")
def test_two_hubs_are_deployed(fleet: KubernetesFleet) -> None:
    output = fleet.run("deploy", "-vvv", "--diff")
    assert_no_secrets(fleet, output)
    started = [line for line in output.splitlines() if "helm upgrade" in line]
    assert [line.partition(":")[0] for line in started] == ["trial", "research"]
    for hub in fleet.hubs:
        assert re.search(rf"^{hub} .*deployed", output, re.MULTILINE), output
        status, answer = fleet.hub(hub).api("GET", "users")
        assert status == 200 and not [user["name"] for user in answer if user["name"].startswith("hubfleet")]
        assert not fleet.hub(hub).pods("singleuser-server")


def test_a_second_deploy_touches_nothing(fleet: KubernetesFleet) -> None:
    before = {hub: fleet.versions(hub) for hub in fleet.hubs}
    output = fleet.run("deploy")
    assert "nothing to change" in output, output
    assert {hub: fleet.versions(hub) for hub in fleet.hubs} == before
    fleet.assert_unchanged("-e", "plan_drift=deep", "-e", "plan_exit_code=true")


def test_a_change_leaves_sessions_and_the_proxy_alone(fleet: KubernetesFleet, session: Session) -> None:
    pod = session.pod["metadata"]["uid"]
    hub = fleet.hub("research")
    old_hub, old_proxy = hub.pods("hub")[0]["metadata"]["uid"], hub.pods("proxy")[0]["metadata"]["uid"]
    fleet.hubs["research"]["hub_title"] = "A new title"
    plan = fleet.run("plan", "--diff", "-vvv")
    assert "A new title" in plan and "hub restarts" in plan and "proxy restarts" not in plan, plan
    assert_no_secrets(fleet, plan)
    before = fleet.versions("trial")
    output = fleet.run("deploy", "-vvv", "--diff")
    assert_no_secrets(fleet, output)
    assert fleet.versions("trial") == before
    assert hub.pods("hub")[0]["metadata"]["uid"] != old_hub
    assert hub.pods("proxy")[0]["metadata"]["uid"] == old_proxy
    assert_alive(session, pod)
    assert "A new title" in str(hub.request("GET", f"{hub.url}hub/login")[1])


def test_an_upgrade_is_rolled_back_with_the_database(
    fleet: KubernetesFleet, session: Session, chart: Path, next_chart: Path
) -> None:
    pod, hub = session.pod["metadata"]["uid"], fleet.hub("research")
    hub.api("POST", "users/before")
    fleet.clusters["deploys"]["cluster_chart"] = str(next_chart)
    plan = fleet.run("plan", "--limit", "research")
    assert NEXT_JUPYTERHUB in plan and "4.9.0-test" in plan, plan
    output = fleet.run("deploy", "--limit", "research")
    assert re.search(r"database copied to before-3\.sqlite", output), output
    assert_alive(session, pod)
    hub.api("POST", "users/after")
    output = fleet.run("rollback", "--limit", "research")
    assert "was rolled back to deploy 2" in output and "restore its database" in output, output
    assert_alive(session, pod)
    assert hub.api("GET", "users/before")[0] == 200
    assert hub.api("GET", "users/after")[0] == 404
    fleet.clusters["deploys"]["cluster_chart"] = str(chart)
    fleet.assert_unchanged("--limit", "research")


def test_status_tells_every_deploy(fleet: KubernetesFleet) -> None:
    output = fleet.run("status", "-e", "status_history=true")
    rows = [line.split() for line in output.splitlines()]
    history = {row[0]: row for row in rows[rows.index(["research:"]) :] if row and row[0].isdigit()}
    assert sorted(history) == ["1", "2", "3", "4"], output
    assert NEXT_JUPYTERHUB in history["3"] and NEXT_JUPYTERHUB not in history["4"]
    assert "back to 2" in " ".join(history["4"])


@pytest.mark.options("cluster_history_limit")
def test_a_numbered_deploy_is_brought_back(fleet: KubernetesFleet, session: Session) -> None:
    pod, hub = session.pod["metadata"]["uid"], fleet.hub("research")
    output = fleet.run("rollback", "--limit", "research", "-e", "rollback_to=1")
    assert "was rolled back to deploy 1" in output, output
    assert "A new title" not in str(hub.request("GET", f"{hub.url}hub/login")[1])
    assert_alive(session, pod)
    output = fleet.run("rollback", "--limit", "research", "-e", "rollback_to=1")
    assert "is at deploy 1 already" in output, output
    output = fleet.fails("rollback", "--limit", "research", "-e", "rollback_to=17")
    assert "there is no revision 17" in output
    kept = fleet.kubernetes["deploys"].objects(hub.namespace, "secrets", "--selector", "owner=helm,name=research")
    assert len(kept) == 5
