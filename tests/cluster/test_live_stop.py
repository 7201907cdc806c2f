# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub is stopped, deployed again, removed, brought back with its data, and removed with its data. In this order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hub_client import wait_for
from kubernetes_api import Kubernetes
from kubernetes_fleet import KubernetesFleet

HUB = "research"
REMOVE = ("--limit", HUB, "-e", f"remove_hubs={HUB}")


@pytest.fixture(scope="module")
def fleet(kubernetes: Kubernetes, make_fleet: Callable[..., KubernetesFleet]) -> KubernetesFleet:
    """A hub that is deployed."""
    made = make_fleet(stopping=kubernetes)
    made.clusters["stopping"]["cluster_permissions"] = "namespace"
    made.add_hub(HUB, hub_check_through="cluster")
    made.run("deploy")
    return made


def names(fleet: KubernetesFleet, kind: str) -> list[str]:
    """Return the names of objects of a kind in the hub's namespace."""
    found = fleet.kubernetes["stopping"].objects(fleet.namespace(HUB), kind)
    return sorted(each["metadata"]["name"] for each in found if "deletionTimestamp" not in each["metadata"])


def test_sessions_go_on_while_a_hub_is_stopped(fleet: KubernetesFleet) -> None:
    hub = fleet.hub(HUB)
    assert hub.start_server("ada")["ready"]
    pod = hub.pods("singleuser-server")[0]["metadata"]["uid"]
    fleet.run("stop", "--limit", HUB)
    wait_for("the end of the hub", lambda: not hub.pods("hub") and not hub.pods("proxy"))
    assert hub.pods("singleuser-server")[0]["metadata"]["uid"] == pod
    assert "hub not running" in fleet.run("status") and "proxy not running" in fleet.run("plan")
    before = fleet.versions(HUB)
    fleet.run("stop", "--limit", HUB)
    assert fleet.versions(HUB) == before
    fleet.run("deploy")
    hub = fleet.hub(HUB)
    assert hub.pods("singleuser-server")[0]["metadata"]["uid"] == pod
    assert hub.kernel("ada").run("print(open('notes.txt', 'w').write('kept'))").strip() == "4"


def test_sessions_are_only_ended_when_asked(fleet: KubernetesFleet) -> None:
    hub = fleet.hub(HUB)
    refused = fleet.fails("stop", "--limit", HUB, "-e", "stop_servers=true")
    assert "this would end the sessions of ada" in refused and "-e stop_end_sessions=true" in refused, refused
    assert hub.pods("hub") and hub.pods("singleuser-server")
    refused = fleet.fails("remove", *REMOVE)
    assert "this would end the sessions of ada" in refused and "-e remove_end_sessions=true" in refused, refused
    output = fleet.run("stop", "--limit", HUB, "-e", "stop_servers=true", "-e", "stop_end_sessions=true")
    assert "ended the sessions of ada" in output, output
    wait_for("the end of all", lambda: names(fleet, "pods") == [])


def test_a_removed_hub_comes_back_with_its_data(fleet: KubernetesFleet) -> None:
    fleet.run("deploy")
    hub = fleet.hub(HUB)
    token, secret = hub.token("ada"), fleet.secret(HUB, "hub")
    output = fleet.fails("remove", "--limit", HUB)
    assert "(data stays)" in output and f"-e remove_hubs={HUB}" in output, output
    fleet.run("remove", *REMOVE)
    assert names(fleet, "deployments") == []
    assert names(fleet, "persistentvolumeclaims") == ["claim-ada", "hub-db-dir"]
    wait_for("the end of all pods", lambda: names(fleet, "pods") == [])
    assert "1 to create" in fleet.run("plan")
    fleet.run("deploy")
    hub = fleet.hub(HUB)
    assert hub.request("GET", f"{hub.url}hub/api/user", token)[1]["name"] == "ada"
    again = fleet.secret(HUB, "hub")
    assert {key: again[key] for key in secret if key != "values.yaml"} == {
        key: value for key, value in secret.items() if key != "values.yaml"
    }
    with hub.session("ada") as session:
        assert session.run("print(open('notes.txt').read())").strip() == "kept"


def test_a_hub_is_removed_with_its_data(fleet: KubernetesFleet) -> None:
    fleet.run("remove", *REMOVE, "-e", "remove_data=true", "-e", "remove_export=false")
    namespaces = ("get", "namespace", fleet.namespace(HUB), "--ignore-not-found", "--output", "name")
    wait_for("the end of the namespace", lambda: not fleet.kubernetes["stopping"].kubectl(*namespaces), patience=120)
    assert "1 to create" in fleet.run("plan")
