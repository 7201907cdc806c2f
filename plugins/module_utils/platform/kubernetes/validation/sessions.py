# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the chart's values make of a session: traits of KubeSpawner, its volumes and its mounts.

Source: the chart's ``files/hub/jupyterhub_config.py``, and KubeSpawner's ``_apply_overrides``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ....common.nested import depth_of, value_at
from ...config_classes import Trait, Traits
from ..values.layers import ChartPath, Values, merge
from ..values.session_traits import SECTIONS
from .pod_rules import items_of

SPAWNER = "KubeSpawner"
#: Trait -> its place below ``singleuser``; volumes and mounts are put together from several places.
TRAITS = {
    "pod_name_template": "podNameTemplate",
    "start_timeout": "startTimeout",
    "image_pull_policy": "image.pullPolicy",
    "events_enabled": "events",
    "extra_labels": "extraLabels",
    "extra_annotations": "extraAnnotations",
    "allow_privilege_escalation": "allowPrivilegeEscalation",
    "uid": "uid",
    "fs_gid": "fsGid",
    "service_account": "serviceAccountName",
    "storage_extra_labels": "storage.extraLabels",
    "storage_capacity": "storage.capacity",
    "storage_class": "storage.dynamic.storageClass",
    "storage_access_modes": "storage.dynamic.storageAccessModes",
    "pvc_name_template": "storage.dynamic.pvcNameTemplate",
    "tolerations": "extraTolerations",
    "node_selector": "nodeSelector",
    "node_affinity_required": "extraNodeAffinity.required",
    "node_affinity_preferred": "extraNodeAffinity.preferred",
    "pod_affinity_required": "extraPodAffinity.required",
    "pod_affinity_preferred": "extraPodAffinity.preferred",
    "pod_anti_affinity_required": "extraPodAntiAffinity.required",
    "pod_anti_affinity_preferred": "extraPodAntiAffinity.preferred",
    "lifecycle_hooks": "lifecycleHooks",
    "init_containers": "initContainers",
    "extra_containers": "extraContainers",
    "mem_limit": "memory.limit",
    "mem_guarantee": "memory.guarantee",
    "cpu_limit": "cpu.limit",
    "cpu_guarantee": "cpu.guarantee",
    "extra_resource_limits": "extraResource.limits",
    "extra_resource_guarantees": "extraResource.guarantees",
    "environment": "extraEnv",
    "extra_pod_config": "extraPodConfig",
    "cmd": "cmd",
    "default_url": "defaultUrl",
    "profile_list": "profileList",
}
_PATHS = {trait: ("singleuser", *place.split(".")) for trait, place in TRAITS.items()}
_STORAGE = ("singleuser", "storage")
VOLUMES, MOUNTS = (*_STORAGE, "extraVolumes"), (*_STORAGE, "extraVolumeMounts")
#: The container with which the chart blocks the cloud's metadata server.
_METADATA_BLOCK = {
    "name": "block-cloud-metadata",
    "image": "quay.io/jupyterhub/k8s-network-tools",
    "securityContext": {"privileged": True, "runAsUser": 0, "capabilities": {"add": ["NET_ADMIN"]}},
}


@dataclass(frozen=True)
class Given:
    """A trait that values set, and where; ``by_default`` if the chart's defaults do."""

    trait: str
    path: ChartPath
    value: Any
    by_default: bool = False


@dataclass(frozen=True)
class Session:
    """What KubeSpawner starts, where nothing or one choice overrides it.

    traits: those that are set, by name. volumes, mounts: each with its place.
    more_volumes: something may add volumes that are not known here.
    """

    traits: dict[str, Given]
    volumes: list[tuple[ChartPath, Any]]
    mounts: list[tuple[ChartPath, Any]]
    more_volumes: bool = False

    def value(self, trait: str) -> Any:
        """Return the value of a trait, or None."""
        given = self.traits.get(trait)
        return given.value if given else None

    def overridden(self, path: ChartPath, overrides: Values) -> Session:
        """Return the session that a choice's overrides at ``path`` make: mappings merge, the rest replaces."""
        traits = dict(self.traits)
        for trait, value in overrides.items():
            below = self.value(trait)
            value = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
            traits[trait] = Given(trait, (*path, trait), value)
        volumes = _overridden(self.volumes, (*path, "volumes"), overrides.get("volumes"))
        mounts = _overridden(self.mounts, (*path, "volume_mounts"), overrides.get("volume_mounts"))
        return Session(traits, volumes, mounts, self.more_volumes)


def _overridden(below: list[tuple[ChartPath, Any]], path: ChartPath, value: Any) -> list[tuple[ChartPath, Any]]:
    items = [((*path, key), item) for key, item in items_of(value)]
    # The chart makes mappings of both.
    return [*below, *items] if isinstance(value, dict) else items or below


def spawner_traits(traits: Traits) -> dict[str, Trait]:
    """Return the recorded traits of KubeSpawner, by name; none where its class is not recorded."""
    return traits.of(SPAWNER) if SPAWNER in traits.classes else {}


def given_traits(full: Values, merged: Values, known: dict[str, Trait]) -> Iterator[Given]:
    """Yield every trait of KubeSpawner that values set, by its current name; the last one of a name wins."""
    for trait, path in _PATHS.items():
        value = value_at(full, path)
        if value is not None:
            yield Given(trait, path, value, depth_of(merged, path) < len(path))
    yield from _image(full)
    for section in SECTIONS:
        settings = value_at(full, ("hub", "config", section))
        for name, value in settings.items() if isinstance(settings, dict) else ():
            current = known[name].alias_of if name in known else ""
            yield Given(current or name, ("hub", "config", section, name), value)


def _image(full: Values) -> Iterator[Given]:
    path = ("singleuser", "image")
    name, tag = value_at(full, (*path, "name")), value_at(full, (*path, "tag"))
    if isinstance(name, str) and name:
        yield Given("image", (*path, "name"), f"{name}:{tag}" if tag else name)


def session_of(full: Values, given: list[Given]) -> Session:
    """Return the session that values make, by what :func:`given_traits` yields of them."""
    traits = {each.trait: each for each in given}
    volumes, mounts = list(_volumes(full)), list(_mounts(full))
    for each in given:
        if each.path[0] == "hub" and each.trait in ("volumes", "volume_mounts"):
            items = [((*each.path, key), item) for key, item in items_of(each.value)]
            volumes, mounts = (items, mounts) if each.trait == "volumes" else (volumes, items)
    more = value_at(full, ("singleuser", "extraPodConfig", "volumes"))
    code = value_at(full, ("hub", "extraConfig"))
    in_code = any("volumes" in str(text) for _key, text in items_of(code))
    return Session(traits, volumes, mounts, bool(more) or in_code)


def kubespawner_traits(full: Values, session: Session) -> dict[str, Any]:
    """Return the traits that KubeSpawner gets from values over the chart's defaults; null is left out."""
    traits = {name: given.value for name, given in session.traits.items() if given.value is not None}
    traits["volumes"] = {_key(path, volume): volume for path, volume in session.volumes}
    traits["volume_mounts"] = {
        str(path[-1]) if path[: len(MOUNTS)] == MOUNTS else f"{index}-{mount['name']}": mount
        for index, (path, mount) in enumerate(session.mounts)
    }
    traits["storage_pvc_ensure"] = value_at(full, (*_STORAGE, "type")) == "dynamic"
    metadata = value_at(full, ("singleuser", "cloudMetadata"), {})
    if isinstance(metadata, dict) and metadata.get("blockWithIptables") is True:
        containers = [item for _key_, item in items_of(traits.get("init_containers"))]
        traits["init_containers"] = [*containers, _METADATA_BLOCK]
    return traits


def _key(path: ChartPath, volume: Any) -> str:
    """Return the key of a volume, by which overrides of profiles replace it."""
    is_own = path[: len(VOLUMES)] == VOLUMES and isinstance(path[-1], str)
    return str(path[-1] if is_own else volume["name"])


def home_volume(full: Values) -> tuple[str, ChartPath] | None:
    """Return the name of the volume of home directories, and the place that decides it; None without one."""
    storage = value_at(full, _STORAGE, {})
    kind = storage.get("type") if isinstance(storage, dict) else None
    if kind == "static":
        return "home", (*_STORAGE, "type")
    name = value_at(full, (*_STORAGE, "dynamic", "volumeNameTemplate"))
    if kind == "dynamic" and isinstance(name, str):
        return name, (*_STORAGE, "dynamic", "volumeNameTemplate")
    return None


def _volumes(full: Values) -> Iterator[tuple[ChartPath, Any]]:
    home = home_volume(full)
    if home:
        is_static = value_at(full, (*_STORAGE, "type")) == "static"
        claim = value_at(full, (*_STORAGE, "static", "pvcName")) if is_static else "{pvc_name}"
        yield home[1], {"name": home[0], "persistentVolumeClaim": {"claimName": claim}}
    if value_at(full, ("singleuser", "extraFiles")):
        yield ("singleuser", "extraFiles"), {"name": "files", "secret": {"secretName": "singleuser"}}
    for key, volume in items_of(value_at(full, VOLUMES)):
        yield (*VOLUMES, key), volume


def _mounts(full: Values) -> Iterator[tuple[ChartPath, Any]]:
    home = home_volume(full)
    if home:
        kind = "static" if value_at(full, (*_STORAGE, "type")) == "static" else "dynamic"
        below = value_at(full, (*_STORAGE, kind, "subPath"))
        path = (*_STORAGE, "homeMountPath")
        yield path, {"name": home[0], "mountPath": value_at(full, path), "subPath": below}
    for key, file in items_of(value_at(full, ("singleuser", "extraFiles"))):
        if isinstance(file, dict):
            place = ("singleuser", "extraFiles", key, "mountPath")
            yield place, {"name": "files", "mountPath": file.get("mountPath"), "subPath": str(key)}
    for key, mount in items_of(value_at(full, MOUNTS)):
        yield (*MOUNTS, key), mount


def formatted_places(full: Values) -> Iterator[tuple[ChartPath, Any]]:
    """Yield the values of the chart, beside traits, that become part of what KubeSpawner formats."""
    kind = value_at(full, (*_STORAGE, "type"))
    places: list[ChartPath] = [VOLUMES, MOUNTS]
    if kind in ("static", "dynamic"):
        places += [(*_STORAGE, "homeMountPath"), (*_STORAGE, kind, "subPath")]
    if kind == "static":
        places.append((*_STORAGE, "static", "pvcName"))
    if kind == "dynamic":
        places.append((*_STORAGE, "dynamic", "volumeNameTemplate"))
    for key, _file in items_of(value_at(full, ("singleuser", "extraFiles"))):
        places.append(("singleuser", "extraFiles", key, "mountPath"))
    for path in places:
        if depth_of(full, path) == len(path):
            yield path, value_at(full, path)
