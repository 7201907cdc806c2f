# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which volumes of a hub are saved, and how pods mount them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.backup.volumes import (
    MOST,
    Volume,
    batches,
    database_mount,
    volumes_of,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.backup.fake_namespace import (  # noqa: E501
    FakeNamespace,
    claim,
    using_pod,
)

CHECKED = "claim-hubfleet-check-0123"
CLAIMS, PODS = "/api/v1/namespaces/lab/persistentvolumeclaims", "/api/v1/namespaces/lab/pods"


def found(api: Any, **storage: Any) -> list[Volume]:
    return volumes_of(api, "lab", {"singleuser": {"storage": {"type": "dynamic", **storage}}})


def test_claims_of_users_are_saved() -> None:
    api = FakeNamespace()
    for each in (
        claim("claim-ben"),
        claim("claim-ada"),
        claim("claim-new", "Pending"),
        claim("data", labels={}),
        claim(CHECKED),
    ):
        api.add(CLAIMS, each)
    volumes = found(api)
    assert [volume.name for volume in volumes] == ["claim-ada", "claim-ben"]
    assert volumes[0].user == "ada" and volumes[0].capacity == "1Gi" and volumes[0].made
    assert volumes[0].paths == ["claim-ada"]
    assert Volume.from_dict({**volumes[0].as_dict(), "of a later release": 1}) == volumes[0]


def test_a_claim_that_is_in_use_is_mounted_on_its_node() -> None:
    api = FakeNamespace()
    for name in ("claim-ada", "claim-ben", "claim-cyd", "claim-dan"):
        api.add(CLAIMS, claim(name, modes=["ReadWriteMany"] if name == "claim-dan" else ["ReadWriteOnce"]))
    api.add(PODS, using_pod("jupyter-ada", "node2", "claim-ada"))
    api.add(PODS, using_pod("jupyter-cyd", "node2", "claim-cyd", phase="Succeeded"))
    api.add(PODS, using_pod("jupyter-dan", "node2", "claim-dan"))
    made = batches(found(api))
    assert [[volume.name for volume in batch] for batch in made] == [
        ["claim-ben", "claim-cyd", "claim-dan"],
        ["claim-ada"],
    ]
    assert [batch[0].node for batch in made] == ["", "node2"]


def test_volumes_of_other_nodes_are_not_mounted_together() -> None:
    api = FakeNamespace()
    api.add(CLAIMS, claim("claim-ada", node="node1"))
    api.add(CLAIMS, claim("claim-ben", node="node2"))
    assert [len(batch) for batch in batches(found(api))] == [1, 1]


def test_no_pod_mounts_too_many_volumes() -> None:
    volumes = [Volume(f"claim-{number:02}", {}) for number in range(MOST + 1)]
    assert [len(batch) for batch in batches(volumes)] == [MOST, 1]
    assert batches([]) == []


@pytest.mark.parametrize(
    "subpath,mounts,folders",
    [
        ("home/{username}", [], ("home",)),
        ("home/{username}", [{"name": "home", "subPath": "shared"}], ("home", "shared")),
        ("{username}", [{"name": "home", "subPath": "shared"}], ("",)),
        ("hubs/lab/{username}", {"data": {"name": "other", "subPath": "x"}}, ("hubs/lab",)),
        (None, [], ("",)),
    ],
)
def test_folders_of_a_shared_claim(subpath: str | None, mounts: Any, folders: tuple[str, ...]) -> None:
    """Other folders of the volume may be of other hubs."""
    api = FakeNamespace()
    api.add(CLAIMS, claim("homes", labels={}))
    static = {"pvcName": "homes", "subPath": subpath}
    (volume,) = found(api, type="static", static=static, extraVolumeMounts=mounts)
    assert volume.folders == folders and not volume.made and volume.labels == {}


def test_an_export_is_one_volume() -> None:
    nfs = {"server": "files.example.org", "path": "/homes"}
    volume = {"name": "home", "nfs": nfs}
    mounts = [{"name": "home", "subPath": "lab/{username}", "mountPath": "/home/jovyan"}]
    (shared,) = found(FakeNamespace(), type="none", extraVolumes=[volume], extraVolumeMounts=mounts)
    assert shared.name == "shared" and shared.source == {"nfs": nfs} and shared.paths == ["shared/lab"]


def test_the_database_may_be_elsewhere() -> None:
    assert database_mount({}) == {}
    assert database_mount({"hub": {"db": {"type": "sqlite-pvc", "pvc": {"subPath": "lab"}}}}) == {"subPath": "lab"}
    assert database_mount({"hub": {"db": {"type": "postgres"}}}) is None
