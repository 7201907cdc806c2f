# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With its data, a hub is removed completely, and nothing that others have in its namespace."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.apply import stop
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases.records import (
    CLUSTER_LABEL,
    HubSecret,
    Place,
    Record,
)

Json = dict[str, Any]
NAMESPACE = "/api/v1/namespaces/lab"
OF_HUB = {"labels": {"app": "jupyterhub"}}


class Change:
    """A hub that is not deployed any more, in a namespace that a deploy made. lines: what it reports."""

    place = Place("cloud", "lab", "lab", "lab")

    def __init__(self, **objects: list[Json]) -> None:
        self.api = self.helm = self
        self.objects = objects
        self.deleted: list[str] = []
        self.uninstalled: list[str] = []
        self.lines: list[str] = []
        self.newest = None
        self.report = self.lines.append
        self.uninstall = self.uninstalled.append
        self.addons: dict[str, int] = {}

    def secret(self) -> HubSecret:
        api: Any = self
        found = HubSecret(api, self.place)
        found.records = [Record(4, "", "", "", "", result="failed"), Record(3, "", "", "", "", addons=self.addons)]
        return found

    def observe(self) -> Change:
        return self

    def renew(self) -> None:
        """Renew nothing."""

    def find(self, path: str) -> Json | None:
        return {"metadata": {"labels": {CLUSTER_LABEL: "cloud"}}} if path == NAMESPACE else None

    def list(self, path: str, selector: str = "", metadata: bool = False) -> list[Json]:
        kind = path.rpartition("/")[2]
        if kind == "pods" and selector:
            return []
        return [{"metadata": each} for each in self.objects.get(kind, []) if f"{kind}/{each['name']}" not in self.gone]

    @property
    def gone(self) -> set[str]:
        return {path.removeprefix(f"{NAMESPACE}/") for path in self.deleted}

    def delete(self, path: str, **_options: Any) -> bool:
        self.deleted.append(path)
        return True


@pytest.fixture(autouse=True)
def helm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop, "helm_version", lambda: (4, 0))


def removed(change: Any) -> list[str]:
    stop.remove(change, remove_data=True)
    found: list[str] = change.deleted
    return found


def test_everything() -> None:
    ending = {"name": "hub-1", **OF_HUB}
    change = Change(persistentvolumeclaims=[{"name": "hub-db-dir", **OF_HUB}], pods=[ending])
    claim = f"{NAMESPACE}/persistentvolumeclaims/hub-db-dir"
    assert removed(change) == [claim, f"{NAMESPACE}/secrets/hubfleet.lab", NAMESPACE]


@pytest.mark.parametrize(
    ("objects", "what"),
    [
        ({"persistentvolumeclaims": [{"name": "homes"}]}, "claim homes"),
        ({"secrets": [{"name": "x", "labels": {"owner": "helm", "name": "nfs", "version": "1"}}]}, "release nfs"),
        ({"pods": [{"name": "postgres-0", "labels": {"app": "postgres"}}]}, "pod postgres-0"),
    ],
)
def test_what_others_have(objects: dict[str, list[Json]], what: str) -> None:
    change = Change(**objects)
    assert removed(change) == [f"{NAMESPACE}/secrets/hubfleet.lab"]
    assert change.lines[-1] == f"the namespace lab stays, with {what}"


def test_addons_of_earlier_deploys() -> None:
    change = Change()
    change.addons = {"lab-dask": 2}
    removed(change)
    assert change.uninstalled == ["lab-dask", "lab"]
