# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rendered Role is what the playbooks need, no more and no less, and reading needs little. In this order."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes import role
from hub_client import wait_for
from kubernetes_api import Kubernetes
from kubernetes_fleet import KubernetesFleet
from recorded_requests import RecordingProxy

HUB, CLUSTER = "research", "limited"
READER = "hubfleet-reader"
pytestmark = [pytest.mark.slow, pytest.mark.options("cluster_permissions")]


class Limited(KubernetesFleet):
    """The inventory of the tests, used by accounts with few permissions. role: as it is rendered."""

    role: dict[str, Any]

    def apply(self, *objects: dict[str, Any]) -> None:
        """Apply objects, as whoever administers the cluster."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubernetes[CLUSTER].kubectl("apply", "--filename", "-", given=items)

    def token(self, account: str) -> str:
        """Return a token of a service account of the namespace."""
        create = ("create", "token", account, "--duration=2h")
        return self.kubernetes[CLUSTER].kubectl("--namespace", self.namespace(HUB), *create).strip()

    def become(self, account: str, token: str, server: str = "") -> None:
        """Use an account from now on. server: another address of the API server."""
        content = yaml.safe_load(self.kubernetes[CLUSTER].kubeconfig.read_text(encoding="utf-8"))
        content["users"][0]["user"] = {"token": token}
        if server:
            content["clusters"][0]["cluster"] = {"server": server}
        path = self.directory / f"{account}.conf"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        self.clusters[CLUSTER]["cluster_kubeconfig"] = str(path)

    def allow(self, rules: list[dict[str, Any]]) -> None:
        """Let the account that deploys have these rules only."""
        account, own, binding = self.role["items"]
        self.apply(account, {**own, "rules": rules}, binding)


@pytest.fixture(scope="module")
def fleet(
    kubernetes: Kubernetes, chart: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Limited:
    """A hub in a namespace of others, which is not deployed yet."""
    made = Limited(tmp_path_factory.mktemp("fleet"), {CLUSTER: kubernetes.kubeconfig}, chart)
    request.addfinalizer(made.remove)
    made.clusters[CLUSTER]["cluster_permissions"] = "namespace"
    made.add_hub(HUB, hub_check_through="cluster")
    kubernetes.kubectl("create", "namespace", made.namespace(HUB))
    rendered = made.directory / "rendered"
    made.run("render", "-e", f"render_directory={rendered}")
    made.role = yaml.safe_load((rendered / HUB / "role.yaml").read_text(encoding="utf-8"))
    made.allow(made.role["items"][1]["rules"])
    return made


@pytest.fixture(scope="module")
def proxy(fleet: Limited, kubernetes: Kubernetes) -> Iterator[RecordingProxy]:
    """Writes down what the account that deploys asks for."""
    server = yaml.safe_load(kubernetes.kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]["server"]
    token = fleet.token(role.ACCOUNT)
    with RecordingProxy(server, token) as recording:
        fleet.become(role.ACCOUNT, token, recording.address)
        yield recording


def without(rules: list[dict[str, Any]], group: str, resource: str, *verbs: str) -> None:
    """Take verbs on a resource out of rules."""
    for rule in rules:
        if rule["apiGroups"] == [group] and rule["resources"] == [resource]:
            rule["verbs"] = [verb for verb in rule["verbs"] if verb not in verbs]


def test_what_is_missing_is_told_before_anything_is_touched(fleet: Limited, proxy: RecordingProxy) -> None:
    rules = copy.deepcopy(fleet.role["items"][1]["rules"])
    without(rules, "apps", "deployments", "create", "patch")
    without(rules, "", "pods/exec", "get", "create")
    without(rules, "", "persistentvolumeclaims", "delete")
    fleet.allow([rule for rule in rules if rule["verbs"]])
    output = fleet.fails("deploy")
    namespace = fleet.namespace(HUB)
    for sentence in ("create, patch deployments.apps", "get, create pods/exec", "delete persistentvolumeclaims"):
        assert f"{sentence} in {namespace}" in output, output
    assert fleet.kubernetes[CLUSTER].objects(namespace, "secrets,leases,deployments,persistentvolumeclaims") == []
    assert {request for request in proxy.requests if request[2] not in ("get", "list")} == set()
    fleet.allow(fleet.role["items"][1]["rules"])


def test_all_verbs_work_with_the_role(fleet: Limited, proxy: RecordingProxy, tmp_path: Path) -> None:
    output = fleet.run("deploy")
    assert "deployed" in output, output
    hub = fleet.hub(HUB)
    with hub.session("ada") as session:
        assert session.run("print(1 + 1)").strip() == "2"
    fleet.run("check")
    fleet.run("plan", "-e", "plan_drift=deep", "-e", "plan_exit_code=true")
    fleet.run("status", "-e", "status_history=true")
    # Another version of JupyterHub, so that the database is copied.
    chart = tmp_path / "jupyterhub"
    shutil.copytree(fleet.chart, chart)
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    (chart / "Chart.yaml").write_text(yaml.safe_dump({**about, "version": "4.9.0-test", "appVersion": "5.99.0"}))
    fleet.clusters[CLUSTER]["cluster_chart"] = str(chart)
    assert "database copied" in fleet.run("deploy")
    assert "restore its database" in fleet.run("rollback", "--limit", HUB)
    fleet.clusters[CLUSTER]["cluster_chart"] = str(fleet.chart)
    # What the hub says when it crashes stands in its log.
    fleet.hubs[HUB]["hub_jupyterhub_config"] = "raise RuntimeError('broken on purpose')"
    output = fleet.fails("deploy")
    assert "broken on purpose" in output and "rolled back" in output, output
    del fleet.hubs[HUB]["hub_jupyterhub_config"]
    fleet.run("stop", "--limit", HUB, "-e", "stop_servers=true")
    fleet.run("deploy")
    fleet.kubernetes[CLUSTER].kubectl("--namespace", fleet.namespace(HUB), "set", "env", "deployment/hub", "MORE=1")
    fleet.run("deploy")
    fleet.run(
        "remove", "--limit", HUB, "-e", f"remove_hubs={HUB}", "-e", "remove_data=true", "-e", "remove_export=false"
    )
    left = ("deployments", "persistentvolumeclaims")
    wait_for("the end", lambda: not any(fleet.kubernetes[CLUSTER].objects(fleet.namespace(HUB), kind) for kind in left))


def test_no_rule_is_too_much(fleet: Limited, proxy: RecordingProxy) -> None:
    """What the hub and its sessions need is granted by the Role of the hub, so whoever makes that has to have it."""
    used = set(proxy.requests)
    rules = [
        (rule["apiGroups"][0], rule["resources"][0], set(rule["verbs"])) for rule in fleet.role["items"][1]["rules"]
    ]
    unused = [
        (group, resource)
        for group, resource, verbs in rules
        if not any((group, resource, verb) in used for verb in verbs)
    ]
    assert unused == []


def test_reading_needs_little(fleet: Limited) -> None:
    fleet.clusters[CLUSTER]["cluster_kubeconfig"] = str(fleet.kubernetes[CLUSTER].kubeconfig)
    fleet.clusters[CLUSTER]["cluster_permissions"] = "cluster-admin"
    fleet.run("deploy")
    account, own, binding = fleet.role["items"]
    names = {"name": READER, "namespace": fleet.namespace(HUB)}
    fleet.apply(
        {**account, "metadata": names},
        {**own, "metadata": names, "rules": [rule.as_dict() for rule in role.read_rules(None)]},
        {
            **binding,
            "metadata": names,
            "subjects": [{**binding["subjects"][0], "name": READER}],
            "roleRef": {**binding["roleRef"], "name": READER},
        },
    )
    fleet.become(READER, fleet.token(READER))
    fleet.clusters[CLUSTER]["cluster_permissions"] = "read-only"
    fleet.assert_unchanged()
    assert "up" in fleet.run("status", "-e", "status_history=true")
    before = fleet.versions(HUB)
    assert "cannot" not in fleet.run("check")
    fleet.hubs[HUB]["hub_title"] = "A new title"
    assert "1 to update" in fleet.run("plan", "--diff")
    output = fleet.fails("deploy")
    assert "cluster_permissions is read-only" in output, output
    after = fleet.versions(HUB).items()
    assert {name: version for name, version in after if "claim-hubfleet-check" not in name} == before
