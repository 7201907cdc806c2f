# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods that save and restore: what they mount, and whom they run as."""

from __future__ import annotations

from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.backup.pods import (
    Account,
    Task,
    hub_account,
    hub_image,
    pod,
    session_account,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.backup.volumes import Volume

HOME = Volume("claim-ada", {"persistentVolumeClaim": {"claimName": "claim-ada"}})
IMAGES = {"hub": {"image": "hub:1", "secrets": [{"name": "pull"}]}, "restic": "restic:1"}


def made(**fields: Any) -> dict[str, Any]:
    task = Task("hub", "save", "{}", Account(1000, 100), **fields)
    return pod(
        task, "hubfleet-backup-lab-hub", {"a": "b"}, IMAGES, "hubfleet-backup-lab", {"a.py": "a.py"}, "hub-db-dir"
    )


def test_homes_are_only_read_by_a_backup() -> None:
    spec = made(homes=[HOME])["spec"]
    (mount,) = [each for each in spec["containers"][0]["volumeMounts"] if each["name"] == "home-0"]
    assert mount == {"name": "home-0", "mountPath": "/homes/claim-ada", "readOnly": True}
    spec = made(homes=[HOME], restoring=True)["spec"]
    (mount,) = [each for each in spec["containers"][0]["volumeMounts"] if each["name"] == "home-0"]
    assert mount == {"name": "home-0", "mountPath": "/hubfleet/tree/homes/claim-ada", "readOnly": False}


def test_volumes_keep_their_group() -> None:
    """Kubernetes gives volumes to the group of a pod, so it has to be that of sessions."""
    context = made(homes=[HOME])["spec"]["securityContext"]
    assert context == {"fsGroup": 100, "fsGroupChangePolicy": "OnRootMismatch"}


def test_pods_fit_the_restricted_standard() -> None:
    spec = made()["spec"]
    for container in (*spec["initContainers"], *spec["containers"]):
        context = container["securityContext"]
        assert context["runAsNonRoot"] and not context["allowPrivilegeEscalation"]
        assert context["capabilities"] == {"drop": ["ALL"]} and context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False and spec["imagePullSecrets"] == [{"name": "pull"}]


def test_a_pod_for_a_volume_in_use_runs_on_its_node() -> None:
    spec = made(database={}, node="node2")["spec"]
    (term,) = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term == {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node2"]}]}
    assert "affinity" not in made()["spec"]


def test_the_database_is_mounted_where_the_chart_keeps_it() -> None:
    spec = made(database={"subPath": "lab"})["spec"]
    (mount,) = [each for each in spec["containers"][0]["volumeMounts"] if each["name"] == "database"]
    assert mount == {"name": "database", "mountPath": "/hubfleet/database", "subPath": "lab"}
    assert {"name": "database", "persistentVolumeClaim": {"claimName": "hub-db-dir"}} in spec["volumes"]


def test_no_secret_is_in_a_manifest_and_no_image_of_restic_without_a_repository() -> None:
    task = Task("hub", "hold", "{}", Account(0))
    spec = pod(task, "n", {}, {**IMAGES, "restic": ""}, "store", {}, "hub-db-dir")["spec"]
    assert spec["initContainers"] == [] and spec["securityContext"] == {}
    assert spec["containers"][0]["securityContext"]["runAsNonRoot"] is False


def test_accounts_come_from_the_values() -> None:
    assert session_account({}) == Account(1000, 100)
    assert session_account({"singleuser": {"uid": 1005, "fsGid": 200}}) == Account(1005, 200)
    assert session_account({"singleuser": {"uid": None, "fsGid": None}}) == Account(1000, None)
    assert session_account({"hub": {"config": {"KubeSpawner": {"uid": 7}}}}) == Account(7, 100)
    hub = {"containerSecurityContext": {"runAsUser": 500}, "podSecurityContext": {"fsGroup": 501}}
    assert hub_account({"hub": hub}) == Account(500, 501)


def test_the_image_of_the_hub() -> None:
    image = {"name": "example.org/hub", "tag": "5", "pullSecrets": ["a", {"name": "b"}]}
    found = hub_image({"hub": {"image": image}})
    assert found == {"image": "example.org/hub:5", "secrets": [{"name": "a"}, {"name": "b"}]}
