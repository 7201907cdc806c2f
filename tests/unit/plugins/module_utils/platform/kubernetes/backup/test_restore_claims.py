# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore makes, leaves alone and refuses."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.errors import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.backup.claims import (
    RESTORING,
    Claims,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.backup.restore import (
    Backup,
    examine,
    place,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.backup.save import Backups
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.backup.volumes import Volume
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases.records import HubSecret
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.backup.fake_namespace import (  # noqa: E501
    FakeNamespace,
    change_of,
    claim,
)

CLAIMS, SECRETS = "/api/v1/namespaces/lab/persistentvolumeclaims", "/api/v1/namespaces/lab/secrets"
ADA = Volume(
    "claim-ada",
    {"persistentVolumeClaim": {"claimName": "claim-ada"}},
    user="ada",
    capacity="1Gi",
    modes=("ReadWriteOnce",),
    made=True,
    labels={"component": "singleuser-storage"},
    annotations={"hub.jupyter.org/username": "ada"},
)
HOMES = Volume("homes", {"persistentVolumeClaim": {"claimName": "homes"}}, ("home",), capacity="1Gi")
EXPORT = Volume("shared", {"nfs": {"server": "files.example.org", "path": "/homes"}}, ("home",))
VALUES = {
    "hub": {"image": {"name": "hub", "tag": "1"}, "db": {"pvc": {"storage": "2Gi", "storageClassName": "fast"}}},
    "singleuser": {"storage": {"dynamic": {"storageClass": "slow", "storageAccessModes": ["ReadWriteOnce"]}}},
}


def backup_of(*volumes: Volume) -> Backup:
    folders = {path: {"files": 3, "size": 30} for volume in volumes for path in volume.paths}
    manifest = {"volumes": [volume.as_dict() for volume in volumes], "folders": folders, "users": ["ada"]}
    return Backup("1a2b3c4d", "2026-11-24T08:15:00Z", "20261124T081500Z", manifest, {})


def backups() -> Backups:
    return Backups({"repository": "s3:x"}, "restic:1", {"p.py": "pass"}, VALUES, {})


def restored(api: FakeNamespace, *volumes: Volume, **options: Any) -> list[dict[str, Any]]:
    """Return the requests to the program, in order."""
    requests: list[dict[str, Any]] = []

    def program(command: str, request: dict[str, Any]) -> dict[str, Any]:
        requests.append({"command": command, **request})
        return {"servers": 1, "left": []}

    api.program = program
    assert place(change_of(api), backups(), backup_of(*volumes), **options) == ([], 1)
    return requests


def test_claims_are_made_as_the_chart_and_the_spawner_make_them() -> None:
    api = FakeNamespace()
    database, homes = restored(api, ADA)
    made = api.objects[f"{CLAIMS}/hub-db-dir"]
    assert made["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"
    assert made["metadata"]["annotations"]["meta.helm.sh/release-name"] == "lab"
    assert made["spec"]["storageClassName"] == "fast" and made["spec"]["resources"]["requests"]["storage"] == "2Gi"
    made = api.objects[f"{CLAIMS}/claim-ada"]
    assert made["metadata"]["annotations"] == {"hub.jupyter.org/username": "ada", RESTORING: "1a2b3c4d"}
    assert made["spec"]["storageClassName"] == "slow" and made["spec"]["resources"]["requests"]["storage"] == "1Gi"
    assert database["command"] == "place" and database["from"] == "1a2b3c4d"
    assert homes["command"] == "place-homes" and homes["folders"] == {"claim-ada": 3} and homes["over"] == ["claim-ada"]


def test_an_interrupted_restore_goes_on_in_its_own_claims() -> None:
    api = FakeNamespace()
    restored(api, ADA)
    before = sorted(api.objects)
    assert restored(api, ADA)[1]["over"] == ["claim-ada"] and sorted(api.objects) == before


def test_claims_of_another_interrupted_restore_are_made_anew() -> None:
    api = FakeNamespace()
    other = claim("claim-ada")
    other["metadata"]["annotations"][RESTORING] = "0000aaaa"
    api.add(CLAIMS, other)
    restored(api, ADA)
    assert api.objects[f"{CLAIMS}/claim-ada"]["metadata"]["annotations"][RESTORING] == "1a2b3c4d"


def test_a_claim_of_somebody_is_not_restored_over() -> None:
    api = FakeNamespace()
    api.add(CLAIMS, claim("claim-ada"))
    assert restored(api, ADA)[1]["over"] == []


def test_what_is_replaced_is_emptied_even_if_an_earlier_restore_made_it() -> None:
    api = FakeNamespace()
    restored(api, ADA)
    request = restored(api, ADA, replace=True)[1]
    assert request["over"] == [] and request["replace"] is True


def test_a_claim_of_the_operator_has_to_be_there() -> None:
    with pytest.raises(PlatformError, match="the claim homes of homes does not exist; make it, and restore again"):
        restored(FakeNamespace(), HOMES)


def test_a_drill_leaves_volumes_of_others_alone() -> None:
    api = FakeNamespace()
    restored(api, HOMES, EXPORT, beside=True)
    assert f"{CLAIMS}/homes" in api.objects
    volumes = api.made[-1]["spec"]["volumes"]
    assert {"name": "home-1", "emptyDir": {}} in volumes and not any("nfs" in volume for volume in volumes)


def test_a_hub_is_only_restored_where_there_is_none() -> None:
    api = FakeNamespace()
    change = change_of(api)
    assert examine(change, replace=False) is False
    api.add(CLAIMS, claim("hub-db-dir"))
    with pytest.raises(PlatformError, match="the data of hub lab is there, but no release"):
        examine(change, replace=True)
    Claims(change, "1a2b3c4d", VALUES)
    api.objects[f"{CLAIMS}/hub-db-dir"]["metadata"]["annotations"] = {RESTORING: "1a2b3c4d"}
    assert examine(change, replace=False) is False


def test_data_of_a_restored_hub_that_ran_is_like_any_other() -> None:
    api = FakeNamespace()
    change = change_of(api)
    database = claim("hub-db-dir")
    database["metadata"]["annotations"] = {RESTORING: "1a2b3c4d"}
    api.add(CLAIMS, database)
    secret: HubSecret = change.secret()
    secret.begin(change.record(1))
    secret.write(5)
    with pytest.raises(PlatformError, match="is there, but no release"):
        examine(change, replace=False)


def test_when_a_hub_was_backed_up_outlives_deploys() -> None:
    change = change_of(FakeNamespace())
    secret = change.secret()
    secret.backup, secret.restored = "2026-11-24T08:15:00Z", "1a2b3c4d"
    secret.write(5)
    assert change.secret().restored == "1a2b3c4d"
    deployed = change.secret()
    deployed.begin(change.record(1))
    deployed.write(5)
    found = change.secret()
    assert found.backup == "2026-11-24T08:15:00Z" and found.restored == ""
