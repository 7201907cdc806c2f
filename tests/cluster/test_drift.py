# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of a release by others are found, field by field, with who made them; nothing else is."""

from __future__ import annotations

import dataclasses
import json
import re
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.client import KubernetesApi
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api.credentials import Credentials
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.drift.deep import deep_drift
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases import helm_secrets
from kubernetes_api import Kubernetes, program

NAME = "research"
#: Nothing is generated, so that an upgrade changes nothing.
VALUES = {
    "hub": {
        "config": {
            "JupyterHub": {"cookie_secret": "1f" * 32},
            "CryptKeeper": {"keys": ["2e" * 32]},
            "ConfigurableHTTPProxy": {"auth_token": "3d" * 32},
            "Authenticator": {"allowed_users": ["ada"]},
        },
        "db": {"pvc": {"storage": "100M"}},
    },
    "proxy": {"chp": {"image": {"tag": "test"}}},
    "scheduling": {"userScheduler": {"enabled": False}},
    "prePuller": {"hook": {"enabled": False}, "continuous": {"enabled": False}},
}
CONTAINER = "spec.template.spec.containers"


class Installed:
    """A release of the chart that helm installed in a namespace of its own."""

    def __init__(self, kubernetes: Kubernetes, chart: Path, values: Path, server_side: bool) -> None:
        self.kubernetes, self.chart, self.values, self.server_side = kubernetes, chart, values, server_side
        self.namespace = f"drift-{secrets.token_hex(3)}"
        self.kubernetes.kubectl("create", "namespace", self.namespace)

    def upgrade(self) -> None:
        """Install or upgrade the release."""
        command = [program("helm"), "upgrade", "--install", NAME, str(self.chart), "--namespace", self.namespace]
        command += ["--values", str(self.values), f"--server-side={str(self.server_side).lower()}"]
        done = subprocess.run(command, env=self.kubernetes.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def kubectl(self, *arguments: str, given: object = None) -> str:
        """Run kubectl in the namespace."""
        return self.kubernetes.kubectl("--namespace", self.namespace, *arguments, given=given)

    def release(self) -> helm_secrets.HelmRelease:
        """Return the newest revision."""
        found = self.kubernetes.objects(self.namespace, "secrets", "--selector", helm_secrets.SELECTOR)
        return max(map(helm_secrets.decode, found), key=lambda release: release.revision)

    def drift(self, *ignored: str, kubeconfig: str = "", manifest: str = "") -> list[str]:
        """Return the findings, with T in place of times. manifest: in place of that of the release."""
        release = self.release()
        if manifest:
            release = dataclasses.replace(release, manifest=manifest)
        api = KubernetesApi(Credentials(kubeconfig or str(self.kubernetes.kubeconfig)))
        found = map(str, deep_drift(api, release, ignored, lambda value: value))
        return sorted(re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "T", line) for line in found)

    def versions(self) -> dict[str, str]:
        """Return the resourceVersion of each object."""
        kinds = "deployments,services,configmaps,secrets,networkpolicies,roles,rolebindings,persistentvolumeclaims"
        found = self.kubernetes.objects(self.namespace, kinds)
        return {f"{each['kind']}/{each['metadata']['name']}": each["metadata"]["resourceVersion"] for each in found}

    def manifest(self, kind: str, name: str) -> dict[str, Any]:
        """Return an object of the manifest."""
        documents = yaml.safe_load_all(self.release().manifest)
        found = (each for each in documents if each and (each["kind"], each["metadata"]["name"]) == (kind, name))
        instance: dict[str, Any] = next(found)
        return instance

    def edit(self, kind: str, name: str, changes: dict[str, Any]) -> None:
        """Change a live object as ``kubectl edit`` does: each change is a path with slashes, and a value or None."""
        instance = json.loads(self.kubectl("get", kind, name, "--output", "json"))
        for path, value in changes.items():
            *way, last = path.split("/")
            place: Any = instance
            for step in way:
                place = place[int(step) if isinstance(place, list) else step]
            if value is None:
                del place[last]
            else:
                place[last] = value
        self.kubectl("replace", "--field-manager=kubectl-edit", "--filename=-", given=instance)


@pytest.fixture(params=[True, False], ids=["server-side", "client-side"], scope="module")
def installed(
    kubernetes: Kubernetes, chart: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Installed]:
    """A release that was installed by Helm 4, and in the way of Helm 3."""
    values = tmp_path_factory.mktemp("drift") / "values.yaml"
    values.write_text(json.dumps(VALUES))
    made = Installed(kubernetes, chart, values, request.param)
    try:
        made.upgrade()
        yield made
    finally:
        kubernetes.remove_namespace(made.namespace)


def test_an_unchanged_release_has_none(installed: Installed) -> None:
    assert installed.drift() == []
    for _upgrade in range(2):
        installed.upgrade()
        assert installed.drift() == []


def test_comparing_changes_nothing(installed: Installed) -> None:
    stable = ("ConfigMap", "NetworkPolicy", "Role", "RoleBinding", "Secret", "Service")
    before = {name: version for name, version in installed.versions().items() if name.startswith(stable)}
    installed.drift()
    assert before and {name: installed.versions()[name] for name in before} == before
    assert not [name for name in installed.versions() if name.endswith("-as-new")]


def test_kinds_that_are_gone_are_told(installed: Installed) -> None:
    route = {"kind": "Route", "metadata": {"name": "hub"}}
    gone = [{"apiVersion": "apps/v1beta2", **route}, {"apiVersion": "apps/v1", **route}]
    lines = installed.drift(manifest=yaml.safe_dump_all(gone))
    assert lines == [
        "the cluster no longer has apiVersion apps/v1 of Route hub",
        "the cluster no longer has apiVersion apps/v1beta2 of Route hub",
    ]


def test_what_cannot_be_applied_is_compared(installed: Installed) -> None:
    """A server-side apply refuses a variable that is there twice, and fields that it does not know."""
    hub = installed.manifest("Deployment", "hub")
    hub["spec"]["paused_"] = True
    container = hub["spec"]["template"]["spec"]["containers"][0]
    container["env"].append({"name": "MORE", "value": "1"})
    container["env"].append({"name": "MORE", "value": "2"})
    missing = f'Deployment hub: {CONTAINER}[hub].env[%s] is missing, it was {{"name": "MORE", "value": "%s"}}'
    expected = [missing % (len(container["env"]) - 2, 1), missing % (len(container["env"]) - 1, 2)]
    assert installed.drift(manifest=yaml.safe_dump(hub)) == expected


def test_what_cannot_be_changed_back_is_told(installed: Installed) -> None:
    hub = installed.manifest("Deployment", "hub")
    for labels in (hub["spec"]["selector"]["matchLabels"], hub["spec"]["template"]["metadata"]["labels"]):
        labels["tier"] = "core"
    place = "spec.selector.matchLabels.tier"
    assert installed.drift(manifest=yaml.safe_dump(hub)) == [
        f"Deployment hub: {place} is missing, it was core; the field cannot be changed",
        "Deployment hub: spec.template.metadata.labels.tier is missing, it was core",
    ]


def test_objects_that_others_created_anew_are_the_same(installed: Installed) -> None:
    """Their managers own all defaults of the API, which nobody chose."""
    for kind, name in (("deployment", "proxy"), ("service", "hub"), ("networkpolicy", "proxy"), ("configmap", "hub")):
        instance = json.loads(installed.kubectl("get", kind, name, "--output", "json"))
        installed.kubectl("delete", kind, name)
        for key in ("uid", "resourceVersion", "creationTimestamp", "generation"):
            instance["metadata"].pop(key, None)
        installed.kubectl("create", "--filename=-", given=instance)
    assert installed.drift() == []


def test_missing_rights_are_told_once(installed: Installed) -> None:
    installed.kubectl("create", "serviceaccount", "reader")
    rights = ("--verb=get", "--resource=services,configmaps")
    installed.kubectl("create", "role", "reader", *rights)
    account = f"--serviceaccount={installed.namespace}:reader"
    installed.kubectl("create", "rolebinding", "reader", "--role=reader", account)
    token = installed.kubectl("create", "token", "reader").strip()
    config = yaml.safe_load(installed.kubernetes.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    lines = installed.drift("*/singleuser", kubeconfig=json.dumps(config))
    start = "not compared, since these credentials may not get and patch them: "
    assert len(lines) == 1 and lines[0].startswith(start) and lines[0].endswith(" more"), lines


def change_everything(installed: Installed) -> None:
    """Change objects in the ways in which people do."""
    kubectl, edit = installed.kubectl, installed.edit
    kubectl("scale", "deployment/hub", "--replicas=0")
    kubectl("set", "image", "deployment/hub", "hub=example.org/hub:1")
    kubectl("set", "env", "deployment/proxy", "PORT=9", "DB_PASSWORD=hunter2")
    kubectl("set", "resources", "deployment/proxy", "--limits=memory=1Gi")
    kubectl("label", "deployment/proxy", "team=research")
    kubectl("rollout", "restart", "deployment/proxy")
    pod = json.loads(kubectl("get", "deployment", "proxy", "--output", "json"))["spec"]["template"]["spec"]
    sidecar = {"name": "sidecar", "image": "example.org/sidecar:1"}
    edit("deployment", "proxy", {"spec/template/spec/containers": [*pod["containers"], sidecar]})
    config = json.loads(kubectl("get", "configmap", "hub", "--output", "json"))["data"]["jupyterhub_config.py"]
    changed = f"{config}c.Spawner.cmd = 'sh'\n"
    edit("configmap", "hub", {"data/jupyterhub_config.py": changed, "data/more.py": "x = 1"})
    edit("secret", "hub", {"data/values.yaml": "aHVudGVyMg==", "data/more": "aHVudGVyMg=="})
    edit("networkpolicy", "hub", {"spec/ingress": [{}]})
    edit("service", "hub", {"metadata/labels/component": None, "spec/ports/0/port": 9081})
    edit("role", "hub", {"rules/0/verbs": ["*"]})
    kubectl("delete", "service", "proxy-api")


def test_every_change_is_found(installed: Installed) -> None:
    image = installed.manifest("Deployment", "hub")["spec"]["template"]["spec"]["containers"][0]["image"]
    change_everything(installed)
    lines = installed.drift("NetworkPolicy/*:spec.egress")
    assert "hunter2" not in "".join(lines) and "aHVudGVyMg" not in "".join(lines)
    by, added = "(kubectl-edit, T)", "added by kubectl-set, T"
    hub, chp = f"Deployment hub: {CONTAINER}[hub]", f"Deployment proxy: {CONTAINER}[chp]"
    exact = {
        "ConfigMap hub: data[more.py] is x = 1, added by kubectl-edit, T",
        f"{hub}.image is example.org/hub:1, not {image} (kubectl-set, T)",
        "Deployment hub: spec.replicas is 0, not 1 (kubectl scale or an autoscaler)",
        "Deployment proxy: metadata.labels.team is research, added by kubectl-label, T",
        f'{chp}.env[DB_PASSWORD] is {{"name": "DB_PASSWORD", "value": "***"}}, {added}',
        f'{chp}.env[PORT] is {{"name": "PORT", "value": "9"}}, {added}',
        f"{chp}.resources.limits.memory is 1Gi, {added}",
        "Secret hub: data.more was added by kubectl-edit, T",
        f"Secret hub: data[values.yaml] differs {by}",
        "Service hub: metadata.labels.component is missing, it was hub",
        f"Service hub: spec.ports[hub].port is 9081, not 8081 {by}",
        "Service proxy-api is missing",
    }
    assert exact <= set(lines)
    patterns = [
        r"ConfigMap hub: data\[jupyterhub_config.py\] is c.Spawner.cmd = 'sh' in line \d+, .* \(kubectl-edit, T\)",
        rf"Deployment proxy: {CONTAINER}\[sidecar\] is {{.*, added by kubectl-edit, T",
        r"NetworkPolicy hub: spec.ingress\[.*kubectl-edit, T\)?",
        r'Role hub: rules\[0\].verbs is \["\*"\], not \["get", .* \(kubectl-edit, T\)',
    ]
    for line in set(lines) - exact:
        assert any(re.fullmatch(pattern, line) for pattern in patterns), line
    for pattern in patterns:
        assert any(re.fullmatch(pattern, line) for line in lines), (pattern, lines)


def test_rules_leave_changes_out(installed: Installed) -> None:
    """After the test before."""
    kinds = [f"{kind}/*" for kind in ("ConfigMap", "NetworkPolicy", "Role", "Secret", "Service")]
    places = ["*/proxy:spec.template.spec.containers", "*/hub:spec.replicas", "Deployment/*:metadata.labels[t*]"]
    lines = installed.drift(*kinds, *places)
    assert [line.partition(" is ")[0] for line in lines] == [
        f"Deployment hub: {CONTAINER}[hub].image",
        "Deployment proxy: metadata.labels.team",
    ]
    assert installed.drift(*kinds, *places, "Deployment/*:metadata.labels.t*", "Deployment/hub") == []
