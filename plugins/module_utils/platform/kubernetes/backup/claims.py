# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Claims of a hub that is restored: for its database, which Helm takes over with the release, and for homes."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from ....common.nested import value_at
from ...errors import PlatformError
from ..api.client import Json
from ..apply.change import Change
from ..apply.database import CLAIM
from ..labels import RELEASE_NAME, RELEASE_NAMESPACE
from ..releases.records import OWNER
from ..values.layers import Values
from .volumes import SELECTED_NODE, Volume

#: On claims that a restore made: the backup; they hold nothing else until the hub is deployed.
RESTORING = "hubfleet.jupyterhub/restoring"
#: Seconds that removed claims have to go.
_PATIENCE = 120.0
_DYNAMIC = ("singleuser", "storage", "dynamic")


class Claims:
    """The claims in a hub's namespace. backup: what is restored. values: over the defaults of the chart."""

    def __init__(self, change: Change, backup: str, values: Values) -> None:
        """Read the claims."""
        self.change, self.backup, self.values = change, backup, values
        self._path = f"/api/v1/namespaces/{change.place.namespace}/persistentvolumeclaims"
        found = change.api.list(self._path, metadata=True)
        self._there = {each["metadata"]["name"]: each["metadata"] for each in found}

    def is_own(self, volume: Volume) -> bool:
        """Return whether the claim of a volume was made by this restore."""
        return self._restoring(volume.name) == self.backup

    def remove_others(self) -> None:
        """Remove claims that an interrupted restore of another backup made, and wait until they are gone."""
        others = [name for name in self._there if self._restoring(name) not in ("", self.backup)]
        for name in others:
            self.change.api.delete(f"{self._path}/{name}")
        deadline = time.monotonic() + _PATIENCE
        while any(self.change.api.find(f"{self._path}/{name}") for name in others):
            if time.monotonic() > deadline:
                raise PlatformError(f"the claim {others[0]} of an interrupted restore does not go away")
            time.sleep(1.0)
        for name in others:
            del self._there[name]

    def _restoring(self, name: str) -> str:
        annotations = self._there.get(name, {}).get("annotations") or {}
        return str(annotations.get(RESTORING) or "")

    def make_database(self) -> None:
        """Make the claim of the database as the chart does, so that Helm takes it over."""
        if CLAIM in self._there:
            return
        place, options = self.change.place, value_at(self.values, ("hub", "db", "pvc")) or {}
        labels = {"app": "jupyterhub", "component": "hub", "app.kubernetes.io/managed-by": "Helm"}
        annotations = {RELEASE_NAME: place.release, RELEASE_NAMESPACE: place.namespace}
        spec = _spec(options.get("accessModes"), options.get("storage") or "1Gi", options.get("storageClassName"))
        if options.get("selector"):
            spec["selector"] = options["selector"]
        self._make(CLAIM, labels, {**annotations, **(options.get("annotations") or {})}, spec)

    def make_home(self, volume: Volume, beside: bool) -> Volume:
        """Return a volume for homes, whose claim is made where KubeSpawner would make it.

        beside: whether only a trial is restored, which must not touch a volume that others use. Raises PlatformError
        where a claim is missing that is the operator's.
        """
        if "persistentVolumeClaim" not in volume.source:
            return Volume(volume.name, {"emptyDir": {}}, volume.folders) if beside else volume
        if volume.name in self._there:
            annotations = self._there[volume.name].get("annotations") or {}
            return dataclasses.replace(volume, place=str(annotations.get(SELECTED_NODE) or ""))
        if not volume.made and not beside:
            raise PlatformError(f"the claim {volume.name} of homes does not exist; make it, and restore again")
        options = value_at(self.values, _DYNAMIC) or {}
        modes = options.get("storageAccessModes") if volume.made else None
        spec = _spec(modes or list(volume.modes), volume.capacity, options.get("storageClass"))
        labels = {**volume.labels, "app.kubernetes.io/managed-by": volume.labels.get(_MANAGED, OWNER)}
        self._make(volume.name, labels, dict(volume.annotations), spec)
        return volume

    def _make(self, name: str, labels: dict[str, str], annotations: dict[str, str], spec: Json) -> None:
        metadata = {"name": name, "labels": labels, "annotations": {**annotations, RESTORING: self.backup}}
        body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}
        self._there[name] = self.change.api.create(self._path, body)["metadata"]


_MANAGED = "app.kubernetes.io/managed-by"


def existing(change: Change) -> Json | None:
    """Return the metadata of the claim of the database, None where there is none."""
    path = f"/api/v1/namespaces/{change.place.namespace}/persistentvolumeclaims/{CLAIM}"
    found = change.api.find(path)
    return found["metadata"] if found else None


def _spec(modes: Any, capacity: str, storage_class: str | None) -> Json:
    spec: Json = {"accessModes": modes or ["ReadWriteOnce"], "resources": {"requests": {"storage": capacity}}}
    return {**spec, "storageClassName": storage_class} if storage_class is not None else spec
