# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the pods of the chart besides sessions, such as hub and proxy: what Kubernetes refuses in a deploy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ....common.nested import value_at
from ....schema.kubernetes_options import LABEL_PATTERN
from ....schema.problems import nearest
from ..values.layers import ChartPath, Values
from . import pod_rules

Report = Callable[[ChartPath, str], None]

#: Parts of the chart with pods of their own.
_PARTS = (
    *("hub", "proxy", "proxy.chp", "proxy.traefik", "proxy.secretSync", "prePuller", "prePuller.hook"),
    *("scheduling.userScheduler", "scheduling.userPlaceholder", "scheduling.corePods", "scheduling.userPods"),
    "singleuser.networkTools",
)


def _image(value: Any) -> pod_rules.Found:
    """The name of an image beside its tag."""
    for _inside, message in pod_rules.image(value.get("name") if isinstance(value, dict) else None):
        yield ("name",), message


#: Key of a part -> what Kubernetes accepts there. Nothing formats these, unlike those of sessions.
_RULES: dict[str, pod_rules.Rule] = {
    "image": _image,
    "resources": pod_rules.resource_requirements,
    "nodeSelector": pod_rules.node_labels,
    "labels": pod_rules.node_labels,
    "annotations": pod_rules.annotation_texts,
    **dict.fromkeys(("tolerations", "extraTolerations"), pod_rules.tolerations),
    **dict.fromkeys(("initContainers", "extraInitContainers", "extraContainers"), pod_rules.containers),
}
#: The volume of a database in a file.
_CLAIM_RULES: dict[str, pod_rules.Rule] = {
    "storage": pod_rules.quantity,
    "accessModes": pod_rules.access_modes,
    "storageClassName": pod_rules.object_name,
}
_CLAIM = ("hub", "db", "pvc")
#: Volumes that the chart itself gives to a pod: always, and with some values.
_OWN_VOLUMES = {
    ("hub",): (("config", "secret"), ("files", "pvc", "existing-secret")),
    ("proxy", "traefik"): (("traefik-config", "certificates"), ()),
}


def check_pods(full: Values, report: Report) -> None:
    """Report what is wrong with pods of the chart; ``report`` takes places in the values with defaults, ``full``."""
    for part in _PARTS:
        path = tuple(part.split("."))
        for key, rule in _RULES.items():
            _report_found(rule(value_at(full, (*path, key))), (*path, key), report)
    for key, rule in _CLAIM_RULES.items():
        _report_found(rule(value_at(full, (*_CLAIM, key))), (*_CLAIM, key), report)
    for path, (always, sometimes) in _OWN_VOLUMES.items():
        for place, message in _volumes(full, path, always, sometimes):
            report(place, message)
    for place, message in _image_pullers(full):
        report(place, message)


def _volumes(
    full: Values, path: ChartPath, always: tuple[str, ...], sometimes: tuple[str, ...]
) -> Iterator[tuple[ChartPath, str]]:
    """Yield what is wrong with the volumes that values add to a pod, and with their mounts."""
    names = {*always}
    for index, volume in pod_rules.items_of(value_at(full, (*path, "extraVolumes"))):
        place = (*path, "extraVolumes", index)
        yield from (((*place, *inside), message) for inside, message in pod_rules.volume(volume))
        name = volume.get("name") if isinstance(volume, dict) else None
        if isinstance(name, str) and name in names:
            yield (*place, "name"), f"{name!r} is used by two volumes of the pod"
        names.add(str(name))
    for index, mount in pod_rules.items_of(value_at(full, (*path, "extraVolumeMounts"))):
        place = (*path, "extraVolumeMounts", index)
        yield from (((*place, *inside), message) for inside, message in pod_rules.mount(mount))
        name = mount.get("name") if isinstance(mount, dict) else None
        if isinstance(name, str) and name and name not in (*names, *sometimes):
            yield (*place, "name"), f"there is no volume {name!r}{nearest(name, names)}"


def _image_pullers(full: Values) -> Iterator[tuple[ChartPath, str]]:
    """Yield choices with an image whose names image pullers cannot have containers of."""
    puller = value_at(full, ("prePuller",), {})
    running = [kind for kind in ("hook", "continuous") if value_at(puller, (kind, "enabled"))]
    if not running or not value_at(puller, ("pullProfileListImages",)):
        return
    profiles: ChartPath = ("singleuser", "profileList")
    for index, profile in pod_rules.items_of(value_at(full, profiles)):
        for option, described in pod_rules.items_of(value_at(profile, ("profile_options",))):
            for choice, chosen in pod_rules.items_of(value_at(described, ("choices",))):
                container = f"image-pull-profile-{index}-option-{option}-{choice}"
                if value_at(chosen, ("kubespawner_override", "image")) and not re.fullmatch(LABEL_PATTERN, container):
                    yield (
                        (*profiles, index, "profile_options", option, "choices", choice),
                        f"image pullers would have a container {container!r}, but names of containers are at most"
                        " 63 lower-case letters, digits and '-'; change the identifiers, or set hub_prepull_on_deploy"
                        " and hub_prepull_on_new_nodes to false",
                    )


def _report_found(found: pod_rules.Found, path: ChartPath, report: Report) -> None:
    for inside, message in found:
        report((*path, *inside), message)
