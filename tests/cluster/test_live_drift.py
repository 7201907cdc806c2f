# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people change of a deployed hub is told, with who did it, and the next deploy repairs it. In this order."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hub_client import wait_for
from kubernetes_api import Kubernetes, program
from kubernetes_fleet import KubernetesFleet

HUB = "research"

pytestmark = pytest.mark.slow


class People(KubernetesFleet):
    """The inventory of the tests, and what people do beside it with kubectl and helm."""

    def kubectl(self, *arguments: str, **environment: str) -> str:
        """Run kubectl in the hub's namespace; environment: more variables, such as KUBE_EDITOR."""
        command = [program("kubectl"), "--namespace", self.namespace(HUB), *arguments]
        given = {**self.kubernetes["edits"].environment, **environment}
        done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def helm(self, *arguments: str) -> list[str]:
        """Return the command of helm in the hub's namespace."""
        return [program("helm"), *arguments, "--namespace", self.namespace(HUB)]

    def upgrade(self, *arguments: str) -> list[str]:
        """Return the command of an upgrade by hand."""
        return self.helm("upgrade", HUB, str(self.chart), "--reuse-values", *arguments)

    def deployment(self, name: str) -> Any:
        """Return the specification of a Deployment."""
        return json.loads(self.kubectl("get", "deployment", name, "--output", "json"))["spec"]

    def container(self) -> Any:
        """Return the container of the hub in its Deployment."""
        return self.deployment("hub")["template"]["spec"]["containers"][0]

    def revisions(self) -> list[dict[str, Any]]:
        """Return the metadata of the revisions of the hub's release, the newest last."""
        found = self.kubernetes["edits"].objects(self.namespace(HUB), "secrets", "--selector", f"owner=helm,name={HUB}")
        return sorted((each["metadata"] for each in found), key=lambda each: int(each["labels"]["version"]))

    def pending(self) -> str:
        """Return the name of the newest revision where helm did not end, else ""."""
        newest = self.revisions()[-1]
        return str(newest["name"]) if newest["labels"]["status"] == "pending-upgrade" else ""

    def assert_repaired(self, *lines: str) -> str:
        """Deploy; check that it told some lines, and that there is nothing to repair afterwards."""
        output = self.run("deploy")
        assert [line for line in lines if line not in output] == [], output
        self.assert_unchanged("-e", "plan_drift=deep")
        return output


@pytest.fixture(scope="module")
def fleet(kubernetes: Kubernetes, chart: Path, tmp_path_factory: pytest.TempPathFactory, request: Any) -> People:
    """A hub that is deployed."""
    made = People(tmp_path_factory.mktemp("fleet"), {"edits": kubernetes.kubeconfig}, chart)
    request.addfinalizer(made.remove)
    made.clusters["edits"]["cluster_permissions"] = "namespace"
    made.add_hub(HUB, hub_check_through="cluster")
    made.run("deploy")
    return made


def test_edits_are_told_and_repaired(fleet: People) -> None:
    fleet.kubectl("scale", "deployment/proxy", "--replicas=2")
    fleet.kubectl("set", "env", "deployment/hub", "ADDED_BY_HAND=yes")
    fleet.kubectl("edit", "deployment/hub", KUBE_EDITOR="sed -i s/periodSeconds:\\ 1$/periodSeconds:\\ 2/")
    assert fleet.container()["readinessProbe"]["periodSeconds"] == 2
    plan = fleet.run("plan")
    assert "drifted" in plan and "proxy was changed by kubectl," in plan, plan
    assert re.search("hub was changed by kubectl-(set|edit), 2[^ ]*Z and kubectl-(set|edit), 2[^ ]*Z", plan), plan
    deep = fleet.run("plan", "-e", "plan_drift=deep")
    assert "Deployment proxy: spec.replicas is 2, not 1 (kubectl)" in deep, deep
    assert "env[ADDED_BY_HAND]" in deep and "kubectl-set" in deep, deep
    assert "readinessProbe.periodSeconds is 2, not 1 (kubectl-edit" in deep, deep
    fleet.assert_repaired()
    container = fleet.container()
    assert container["readinessProbe"]["periodSeconds"] == 1 and fleet.deployment("proxy")["replicas"] == 1
    assert "ADDED_BY_HAND" not in [each["name"] for each in container["env"]]


def test_what_does_not_run_is_told_and_repaired(fleet: People) -> None:
    fleet.kubectl("scale", "deployment/hub", "--replicas=0")
    fleet.kubectl("delete", "deployment/proxy")
    plan = fleet.run("plan")
    assert "hub not running" in plan and "proxy is missing" in plan, plan
    status = fleet.run("status")
    assert "proxy is missing" in status, status
    fleet.assert_repaired()
    assert fleet.hub(HUB).api("GET", "")[0] == 200


def test_an_upgrade_by_hand_is_told_and_taken_back(fleet: People) -> None:
    command = fleet.upgrade("--set", "hub.annotations.edited=yes")
    subprocess.run(command, env=fleet.kubernetes["edits"].environment, check=True, capture_output=True)
    plan = fleet.run("plan", "--diff")
    newest = fleet.revisions()[-1]["labels"]["version"]
    assert f"revision {newest} was made with helm" in plan and "edited" in plan, plan
    fleet.assert_repaired()
    annotations = fleet.deployment("hub")["template"]["metadata"]["annotations"]
    assert "edited" not in annotations


def test_a_helm_of_others_that_was_killed(fleet: People) -> None:
    """Nobody knows whether it was; the deploy waits until it cannot be at work any more."""
    command = fleet.upgrade("--set", "hub.image.tag=missing", "--wait", "--timeout=5m")
    environment = fleet.kubernetes["edits"].environment
    at_work = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pending = wait_for("the revision of helm", fleet.pending, patience=60)
    wait_for("the change", lambda: fleet.container()["image"].endswith("missing"))
    os.kill(at_work.pid, signal.SIGKILL)
    at_work.wait()
    plan = fleet.run("plan")
    assert "helm did not end (pending-upgrade)" in plan, plan
    output = fleet.fails("deploy", patient=False)
    assert "somebody else's helm is at work on the release research (pending-upgrade since" in output, output
    assert fleet.pending() == pending
    for label in ("createdAt", "modifiedAt"):
        fleet.kubectl("label", "--overwrite", "secret", pending, f"{label}={time.time() - 3600:.0f}")
    fleet.assert_repaired("left as pending-upgrade by a helm that was killed")


@pytest.mark.options("hub_ignored_drift")
def test_ignored_drift_is_not_told_and_in_nobody_s_way(fleet: People) -> None:
    fleet.kubectl("scale", "deployment/proxy", "--replicas=2")
    fleet.hubs[HUB]["hub_ignored_drift"] = ["Deployment/proxy:spec.replicas"]
    for drift in ("cheap", "deep"):
        plan = fleet.run("plan", "-e", f"plan_drift={drift}")
        assert "nothing to change" in plan, plan
    fleet.kubectl("set", "env", "deployment/proxy", "ADDED_BY_HAND=yes")
    plan = fleet.run("plan")
    assert "proxy was changed by kubectl" in plan, plan
    fleet.kubectl("set", "env", "deployment/proxy", "ADDED_BY_HAND-")
    fleet.hubs[HUB]["hub_title"] = "A new title"
    fleet.run("deploy")
    fleet.assert_unchanged()
