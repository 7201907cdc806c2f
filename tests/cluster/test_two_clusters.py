# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet on two clusters: both at once, one that does not answer, one taken for the other, one replaced."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from kubernetes_api import Kubernetes
from kubernetes_fleet import KubernetesFleet
from rest_repository import RestRepository

#: An image with restic, which the nodes have.
RESTIC = "docker.io/restic/restic:test"
HUB, OTHER = "research", "teaching"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fleet(
    kubernetes: Kubernetes, second_kubernetes: Kubernetes, make_fleet: Callable[..., KubernetesFleet]
) -> KubernetesFleet:
    """A hub on each cluster."""
    made = make_fleet(near=kubernetes, far=second_kubernetes)
    made.add_hub(HUB, "near", hub_check_through="cluster")
    made.add_hub(OTHER, "far", hub_check_through="cluster")
    return made


def test_hubs_of_both_are_deployed_and_checked(fleet: KubernetesFleet) -> None:
    output = fleet.run("deploy")
    for hub, cluster, other in ((HUB, "near", "far"), (OTHER, "far", "near")):
        assert re.search(rf"^{hub} .*deployed", output, re.MULTILINE), output
        found = [
            fleet.kubernetes[name].kubectl("get", "namespace", fleet.namespace(hub), "--ignore-not-found")
            for name in (cluster, other)
        ]
        assert found[0] and not found[1]
    fleet.assert_unchanged("-e", "plan_drift=deep")
    output = fleet.run("check")
    assert all(re.search(rf"^{hub} .* ok +\d", output, re.MULTILINE) for hub in (HUB, OTHER)), output


def test_a_cluster_that_does_not_answer_holds_nobody_up(fleet: KubernetesFleet, tmp_path: Path) -> None:
    given = Path(fleet.clusters["far"]["cluster_kubeconfig"])
    kubeconfig = yaml.safe_load(given.read_text(encoding="utf-8"))
    kubeconfig["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    silent = tmp_path / "silent.conf"
    silent.write_text(json.dumps(kubeconfig))
    fleet.hubs[HUB]["hub_title"] = fleet.hubs[OTHER]["hub_title"] = "New"
    fleet.clusters["far"]["cluster_kubeconfig"] = str(silent)
    output = fleet.fails("deploy")
    fleet.clusters["far"]["cluster_kubeconfig"] = str(given)
    assert re.search(rf"^{HUB} .*deployed", output, re.MULTILINE), output
    assert re.search(rf"^{OTHER} .*unreachable .*does not answer", output, re.MULTILINE), output
    fleet.run("deploy")


def test_a_kubeconfig_of_the_other_cluster_is_refused(fleet: KubernetesFleet) -> None:
    near, far = fleet.clusters["near"], fleet.clusters["far"]
    given = dict(near)
    before = {hub: fleet.versions(hub) for hub in fleet.hubs}
    fleet.hubs[HUB]["hub_title"] = "Misled"
    near.update({key: far[key] for key in ("cluster_kubeconfig", "cluster_context")})
    output = fleet.fails("deploy", "--limit", HUB)
    near.update(given)
    fleet.hubs[HUB]["hub_title"] = "New"
    assert "this is another near than the one that was deployed before" in " ".join(output.split()), output
    assert {hub: fleet.versions(hub) for hub in fleet.hubs} == before
    fleet.assert_unchanged()


def test_the_api_server_restarts_while_helm_works(
    fleet: KubernetesFleet, restart_api_server: Callable[[], None]
) -> None:
    """The deploy may fail; the next one completes it."""
    fleet.hubs[OTHER]["hub_title"] = "After a restart"
    deploy = fleet.start("deploy", "--limit", OTHER)
    assert deploy.stdout
    for line in deploy.stdout:
        if line.startswith(f"{OTHER}: helm upgrade {OTHER}"):
            restart_api_server()
            break
    deploy.communicate()
    fleet.run("deploy")
    hub = fleet.hub(OTHER)
    assert "After a restart" in str(hub.request("GET", f"{hub.url}hub/login")[1])
    fleet.assert_unchanged("-e", "plan_drift=deep")


@pytest.fixture
def repository(kubernetes: Kubernetes, fleet: KubernetesFleet, tmp_path: Path) -> Iterator[None]:
    """A repository for the backups of both clusters."""
    server = yaml.safe_load(kubernetes.kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]["server"]
    machine = re.sub(r"\.2$", ".1", str(urlsplit(server).hostname))
    with RestRepository(tmp_path / "repository", machine) as address:
        fleet.environment["BACKUP_PASSWORD"] = "of the backups only"
        for variables in fleet.clusters.values():
            backups = {"repository": address, "image": RESTIC, "password": "{{ lookup('env', 'BACKUP_PASSWORD') }}"}
            variables.update({f"cluster_backup_{key}": value for key, value in backups.items()})
        yield


def test_a_cluster_is_replaced_by_its_backups(fleet: KubernetesFleet, repository: None, kubernetes: Kubernetes) -> None:
    hub = fleet.hub(HUB)
    with hub.session("ada") as session:
        session.run("import pathlib; pathlib.Path('work.txt').write_text('of ada')")
    token = str(hub.api("POST", "users/ada/tokens", {"note": "mine"})[1]["token"])
    fleet.run("backup", "--limit", HUB)
    near, far = fleet.clusters["near"], fleet.clusters["far"]
    near.update({key: far[key] for key in ("cluster_kubeconfig", "cluster_context")})
    fleet.kubernetes["near"] = fleet.kubernetes["far"]
    refused = " ".join(fleet.fails("restore", "--limit", HUB).split())
    assert "if it moved, remove its line from" in refused, refused
    identities = fleet.path / ".cluster-identities.json"
    identities.write_text(json.dumps({"far": json.loads(identities.read_text())["far"]}))
    told = " ".join(fleet.run("restore", "--limit", HUB).split())
    assert f"{HUB} is as in the backup" in told, told
    moved = fleet.hub(HUB)
    assert moved.request("GET", f"{moved.url}hub/api/user", token)[0] == 200
    with moved.session("ada") as session:
        assert session.value("pathlib.Path('work.txt').read_text()") == "of ada"
    fleet.assert_unchanged()
    kubernetes.remove_namespace(fleet.namespace(HUB))  # what is left on the old one
