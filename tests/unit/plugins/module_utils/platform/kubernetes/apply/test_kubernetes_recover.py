# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Revisions that a helm left as pending: those of the last deploy are removed, those of others are waited for."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.revisions import APPLYING, CHECKED, FAILED
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply.deploy import recover
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.observe import HelmRevision
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases.records import (
    HubSecret,
    Place,
    Record,
)


class Change:
    """A hub whose releases have one pending revision each; deleted: what was removed."""

    place = Place("cloud", "lab", "lab", "lab")

    def __init__(self, **pending: int) -> None:
        self.pending = pending
        self.deleted: list[str] = []
        self.api = self

    def newest(self, release: str) -> HelmRevision | None:
        number = self.pending.get(release.replace("-", "_"))
        return None if number is None else HelmRevision(number, "pending-upgrade", int(time.time()) - 60)

    def report(self, _line: str) -> None:
        """Print nothing."""

    def find(self, _path: str) -> None:
        """Return no Secret of records."""

    def delete(self, path: str) -> None:
        self.deleted.append(path.rpartition("/")[2])


def recovered(change: Any, *records: Record) -> list[str]:
    secret = HubSecret(change, change.place)
    secret.records = list(records)
    recover(change, secret)
    found: list[str] = change.deleted
    return found


def record(number: int, result: str, **addons: int) -> Record:
    named = {f"lab-{name}": revision for name, revision in addons.items()}
    return Record(number, "2026-11-30T10:00:00Z", "ada@desk", "1.0.0", "", addons=named, result=result)


@pytest.mark.parametrize("result", [APPLYING, FAILED])
def test_of_the_last_deploy(result: str) -> None:
    assert recovered(Change(lab=4), record(4, result)) == ["sh.helm.release.v1.lab.v4"]


@pytest.mark.parametrize("result", [APPLYING, FAILED])
def test_of_an_addon_that_the_last_deploy_did_not_finish(result: str) -> None:
    found = recovered(Change(lab_dask=1), record(4, result, dask=0), record(3, CHECKED))
    assert found == ["sh.helm.release.v1.lab-dask.v1"]


@pytest.mark.parametrize("last", [record(4, CHECKED), record(4, FAILED), None])
def test_of_others(last: Record | None) -> None:
    change = Change(lab=5)
    with pytest.raises(PlatformError, match="somebody else's helm is at work on the release lab"):
        recovered(change, *([last] if last else []))
    assert change.deleted == []


def test_of_others_on_an_addon() -> None:
    with pytest.raises(PlatformError, match="somebody else's helm is at work on the release lab-dask"):
        recovered(Change(lab_dask=3), record(4, FAILED, dask=2))
