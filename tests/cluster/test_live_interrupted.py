# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploys that are killed can be repeated, and only one deploys at a time. In this order."""

from __future__ import annotations

import datetime
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.lock_owner import LockOwner
from hub_client import wait_for
from kubernetes_api import Kubernetes
from kubernetes_fleet import KubernetesFleet

HUB, CLUSTER = "research", "interrupted"
REPLACED = "the lock of an earlier deploy, which did not release it, was replaced"
OWNER = "hubfleet.jupyterhub/owner"


@pytest.fixture(scope="module")
def fleet(kubernetes: Kubernetes, make_fleet: Callable[..., KubernetesFleet]) -> KubernetesFleet:
    """A hub in a namespace that has a lock of its own, with permissions for this namespace only."""
    made = make_fleet(**{CLUSTER: kubernetes})
    made.clusters[CLUSTER]["cluster_permissions"] = "namespace"
    made.add_hub(HUB, hub_check_through="cluster")
    kubernetes.kubectl("create", "namespace", made.namespace(HUB))
    return made


def is_session(pod: dict[str, Any]) -> bool:
    return bool(pod["metadata"]["labels"].get("component") == "singleuser-server")


pytestmark = pytest.mark.slow


def descendants(pid: int) -> Iterator[int]:
    """Yield the processes that a process started, and those that they did."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from descendants(int(child))
        yield int(child)


def kill(playbook: subprocess.Popen[str]) -> None:
    """Kill a playbook with all that it started; tasks of Ansible are sessions of their own."""
    for pid in [playbook.pid, *descendants(playbook.pid)]:
        os.kill(pid, signal.SIGKILL)
    playbook.wait()
    assert playbook.stdout
    playbook.stdout.close()


def start_and_kill(fleet: KubernetesFleet, at: str, until: Callable[[], bool] = lambda: True) -> str:
    """Start a deploy, and kill it at a line of its output, and when something else is true; return the output."""
    playbook = fleet.start("deploy")
    output = ""
    assert playbook.stdout
    for line in playbook.stdout:
        output += line
        if at in line:
            break
    assert at in output, output
    wait_for("the moment to kill", until)
    kill(playbook)
    return output


def test_a_deploy_that_is_killed_again_and_again_converges(fleet: KubernetesFleet, kubernetes: Kubernetes) -> None:
    namespace = fleet.namespace(HUB)

    def helm_is_at_work() -> bool:
        return bool(kubernetes.objects(namespace, "secrets", "--selector", "owner=helm"))

    def checks() -> bool:
        return any(map(is_session, kubernetes.objects(namespace, "pods", "--selector", "component")))

    start_and_kill(fleet, "Deploy the hub's release and its add-ons")
    output = start_and_kill(fleet, "helm upgrade research", helm_is_at_work)
    assert REPLACED in output
    assert "helm did not end" in fleet.run("plan") or "the last deploy did not end" in fleet.run("plan")
    fleet.hubs[HUB]["hub_title"] = "A first title"  # the hub that the killed helm started may be ready by now
    output = start_and_kill(fleet, "hub: ", lambda: bool(kubernetes.objects(namespace, "pods")))
    assert REPLACED in output
    output = start_and_kill(fleet, "Check the hubs", checks)
    assert REPLACED in output
    plan = fleet.run("plan")
    assert "1 to update" in plan, plan
    output = fleet.run("deploy")
    assert REPLACED in output and "checked" in output, output
    # What the killed check left is removed by a later one, when it cannot be at work any more: see test_check.py.
    users = [user["name"] for user in fleet.hub(HUB).api("GET", "users")[1]]
    assert len([name for name in users if name.startswith("hubfleet-check")]) <= 1, users
    assert kubernetes.objects(namespace, "leases") == []
    fleet.assert_unchanged()


def test_a_task_that_outlives_its_playbook_changes_nothing_more(fleet: KubernetesFleet, kubernetes: Kubernetes) -> None:
    """Ansible's tasks have sessions of their own: whoever kills the playbook does not kill them."""
    namespace = fleet.namespace(HUB)
    fleet.hubs[HUB]["hub_title"] = "A second title"
    playbook = fleet.start("deploy")
    assert playbook.stdout
    assert any("helm upgrade research" in line for line in playbook.stdout)
    left = list(descendants(playbook.pid))
    os.kill(playbook.pid, signal.SIGKILL)
    playbook.wait()
    output = fleet.run("deploy")
    assert REPLACED in output, output
    playbook.stdout.close()
    wait_for("the end of what was left", lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), patience=180)
    fleet.assert_unchanged()
    assert kubernetes.objects(namespace, "leases") == []


class Lease:
    """The lock of the hub's namespace, as somebody else holds it."""

    def __init__(self, fleet: KubernetesFleet, kubernetes: Kubernetes) -> None:
        self.fleet, self.kubernetes = fleet, kubernetes
        self.namespace = fleet.namespace(HUB)

    def hold(self, owner: LockOwner, age: float = 0) -> None:
        """Let somebody hold the lock. age: seconds since it was renewed."""
        self.free()
        renewed = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age)
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": "hubfleet-deploy",
                "namespace": self.namespace,
                "annotations": {OWNER: owner.to_text()},
            },
            "spec": {
                "holderIdentity": owner.who,
                "leaseDurationSeconds": 1800,
                "renewTime": renewed.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            },
        }
        self.kubernetes.kubectl("create", "--filename", "-", given=lease)

    def free(self) -> None:
        """Let nobody hold the lock."""
        self.kubernetes.kubectl(
            "--namespace", self.namespace, "delete", "lease", "hubfleet-deploy", "--ignore-not-found"
        )


@pytest.fixture
def lease(fleet: KubernetesFleet, kubernetes: Kubernetes) -> Iterator[Lease]:
    """The lock; a title is to be deployed, which these tests leave alone."""
    fleet.hubs[HUB]["hub_title"] = "A third title"
    found = Lease(fleet, kubernetes)
    yield found
    found.free()


def alive() -> LockOwner:
    """Return an owner that is seen to be at work."""
    return LockOwner.of_process(os.getpid(), "ada@desk", "2026-11-24 08:15 UTC")


def elsewhere() -> LockOwner:
    """Return an owner on another machine."""
    return LockOwner("machine-id:1f", "2e", "pid:[1]", 17, "1", "ben@laptop", "2026-11-24 08:15 UTC")


def test_a_lock_that_is_held_is_not_taken(fleet: KubernetesFleet, lease: Lease) -> None:
    before = fleet.versions(HUB)
    lease.hold(alive(), age=7200)
    for more in ((), ("-e", f"deploy_break_lock={CLUSTER}")):
        output = fleet.fails("deploy", *more, patient=False)
        assert "a deploy by ada@desk is under way since 2026-11-24 08:15 UTC" in output, output
        assert "deploy_break_lock" not in output.partition("is under way")[2]
    lease.hold(elsewhere())
    output = fleet.fails("deploy", patient=False)
    assert "a deploy by ben@laptop" in output and f"-e deploy_break_lock={CLUSTER}" in output, output
    assert fleet.versions(HUB) == before


def test_a_lock_that_expired_is_taken(fleet: KubernetesFleet, lease: Lease) -> None:
    lease.hold(elsewhere(), age=1801)
    # Nothing of a hub is deployed, which the recap reports.
    assert REPLACED in fleet.fails("deploy", "--tags", "machine")


def test_a_lock_can_be_broken(fleet: KubernetesFleet, lease: Lease) -> None:
    lease.hold(elsewhere())
    assert REPLACED in fleet.fails("deploy", "--tags", "machine", "-e", f"deploy_break_lock={CLUSTER}")


def test_a_lock_that_was_lost_ends_the_deploy(fleet: KubernetesFleet, lease: Lease) -> None:
    playbook = fleet.start("deploy")
    assert playbook.stdout
    assert any("Check the identity of the clusters, and lock them" in line for line in playbook.stdout)
    wait_for("the lock", lambda: lease.kubernetes.objects(lease.namespace, "leases"))
    before = fleet.versions(HUB)
    lease.hold(elsewhere())
    output = playbook.stdout.read()
    assert playbook.wait() != 0
    assert f"the lock of cluster {CLUSTER} was taken over by ben@laptop" in output, output
    assert fleet.versions(HUB) == before
