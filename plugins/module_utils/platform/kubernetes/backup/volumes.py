# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The volumes of a hub that are saved: the claim of its database, claims of homes, and a volume that homes share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ....common.nested import value_at
from ..api.client import Json, KubernetesApi
from ..labels import USER
from ..values.check_service import CHECK_SERVICE
from ..values.layers import Values
from ..values.storage import HOME

#: How KubeSpawner labels the claims that it makes.
HOMES = "component=singleuser-storage"
#: Where the scheduler wanted a volume that was made for a pod.
SELECTED_NODE = "volume.kubernetes.io/selected-node"
_STORAGE = ("singleuser", "storage")
_SQLITE = "sqlite-pvc"
#: Homes that one pod mounts: nodes of clouds take 16 disks and more.
MOST = 12


@dataclass(frozen=True)
class Volume:
    """A volume with homes.

    name: of its claim, "shared" for another volume. source: as a pod has it. folders: where homes are in it, "" for
    all of it. user: whose it is, or "". capacity, modes: of its claim. made: KubeSpawner makes such claims. labels,
    annotations: of such a claim. place: volumes with another one may be elsewhere. node: where a pod has it.
    """

    name: str
    source: Json
    folders: tuple[str, ...] = ("",)
    user: str = ""
    capacity: str = ""
    modes: tuple[str, ...] = ()
    made: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    place: str = ""
    node: str = ""

    @property
    def paths(self) -> list[str]:
        """Return its folders below the mounts of a pod."""
        return [f"{self.name}/{folder}".rstrip("/") for folder in self.folders]

    def as_dict(self) -> dict[str, Any]:
        """Return what a backup says of it."""
        known = ("name", "source", "folders", "user", "capacity", "modes", "made", "labels", "annotations")
        return {key: getattr(self, key) for key in known}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Volume:
        """Return the volume that a backup describes; other keys are of another release, and ignored."""
        known = {key: saved[key] for key in cls.__dataclass_fields__ if key in saved}
        return cls(**{**known, "folders": tuple(saved["folders"]), "modes": tuple(saved["modes"])})


def volumes_of(api: KubernetesApi, namespace: str, values: Values) -> list[Volume]:
    """Return the volumes with homes of a hub. values: over the defaults of its chart."""
    nodes = _nodes(api, namespace)
    claims = {each["metadata"]["name"]: each for each in api.list(_claims(namespace))}
    found = [_claim(each, ("",), nodes, made=True) for each in claims.values() if _is_home(each)]
    name = str(value_at(values, (*_STORAGE, "static", "pvcName")) or "")
    if value_at(values, (*_STORAGE, "type")) == "static" and name in claims:
        found.append(_claim(claims[name], _folders(values), nodes, made=False))
    for volume in _entries(value_at(values, (*_STORAGE, "extraVolumes"))):
        if volume.get("name") == HOME:
            source = {key: value for key, value in volume.items() if key != "name"}
            found.append(Volume("shared", source, tuple(_folders(values))))
    return sorted(found, key=lambda volume: volume.name)


def batches(volumes: Iterable[Volume]) -> list[list[Volume]]:
    """Return volumes as pods can mount them: those that are in use by a pod on its node, and not too many."""
    groups: dict[tuple[str, str], list[Volume]] = {}
    for volume in volumes:
        groups.setdefault((volume.node, volume.node or volume.place), []).append(volume)
    return [some[start : start + MOST] for _key, some in sorted(groups.items()) for start in range(0, len(some), MOST)]


def database_mount(values: Values) -> Json | None:
    """Return where the claim of the database has it, as a mount of a container; None where it is elsewhere."""
    if value_at(values, ("hub", "db", "type"), _SQLITE) != _SQLITE:
        return None
    path = value_at(values, ("hub", "db", "pvc", "subPath"))
    return {"subPath": path} if path else {}


def database_node(api: KubernetesApi, namespace: str, claim: str) -> str:
    """Return the node where a pod has the claim of the database; "" where none has."""
    return _nodes(api, namespace).get(claim, "")


def _is_home(claim: Json) -> bool:
    """Tell whether KubeSpawner made a claim for a person, and a volume was ever made for it."""
    labels, annotations = (claim["metadata"].get(key) or {} for key in ("labels", "annotations"))
    if str(annotations.get(USER) or "").startswith(CHECK_SERVICE):
        return False
    key, _equals, value = HOMES.partition("=")
    return labels.get(key) == value and claim["status"].get("phase") == "Bound"


def _claim(claim: Json, folders: Sequence[str], nodes: dict[str, str], made: bool) -> Volume:
    metadata, spec = claim["metadata"], claim["spec"]
    annotations, modes = metadata.get("annotations") or {}, tuple(spec["accessModes"])
    return Volume(
        name=metadata["name"],
        source={"persistentVolumeClaim": {"claimName": metadata["name"]}},
        folders=tuple(folders),
        user=str(annotations.get(USER) or ""),
        capacity=str(value_at(spec, ("resources", "requests", "storage")) or ""),
        modes=modes,
        made=made,
        labels=dict(metadata.get("labels") or {}) if made else {},
        annotations={key: text for key, text in annotations.items() if key.startswith("hub.jupyter.org/")},
        place=str(annotations.get(SELECTED_NODE) or ""),
        node="" if "ReadWriteMany" in modes else nodes.get(metadata["name"], ""),
    )


def _folders(values: Values) -> list[str]:
    """Return where homes and shared directories are in the volume that has them: as far as it is the same for all."""
    paths = [str(value_at(values, (*_STORAGE, "static", "subPath")) or "")]
    if value_at(values, (*_STORAGE, "type")) != "static":
        paths = []
    for mount in _entries(value_at(values, (*_STORAGE, "extraVolumeMounts"))):
        if mount.get("name") == HOME:
            paths.append(str(mount.get("subPath") or ""))
    fixed = sorted({_fixed(path) for path in paths})
    return [""] if "" in fixed or not fixed else fixed


def _fixed(path: str) -> str:
    """Return the folders of a path before the first that depends on the user."""
    parts = []
    for part in path.strip("/").split("/"):
        if re.search(r"[{}]", part):
            break
        parts.append(part)
    return "/".join(parts)


def _entries(value: Any) -> Iterator[Json]:
    """Yield the entries of a list, or of a mapping whose values they are; the chart takes both."""
    for each in value.values() if isinstance(value, dict) else value or ():
        if isinstance(each, dict):
            yield each


def _nodes(api: KubernetesApi, namespace: str) -> dict[str, str]:
    """Return claim -> node of the pods that have claims mounted."""
    found = {}
    for pod in api.list(f"/api/v1/namespaces/{namespace}/pods"):
        if pod["status"].get("phase") in ("Succeeded", "Failed") or not pod["spec"].get("nodeName"):
            continue
        for volume in pod["spec"].get("volumes") or ():
            claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if claim:
                found[claim] = pod["spec"]["nodeName"]
    return found


def _claims(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
