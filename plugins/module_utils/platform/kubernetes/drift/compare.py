# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare an object of a cluster with what its manifest makes of it. Nothing here reads a cluster.

What the manifest makes of an object is the result of a server-side apply as a dry run, so that the API server has
added all defaults and written all values as it writes them in the live object
(https://kubernetes.io/docs/reference/using-api/server-side-apply/).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .paths import ABSENT, Item, Steps, path_text

#: What tells items of lists from each other, in the order in which it is tried.
_ITEM_KEYS = (
    ("name",),
    ("mountPath",),
    ("devicePath",),
    ("containerPort", "protocol"),
    ("port", "protocol"),
    ("containerPort",),
    ("port",),
    ("key",),
    ("type",),
    ("uid",),
    ("ip",),
)
#: Metadata that the API server and controllers write.
_SERVER_METADATA = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generation",
        "managedFields",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
#: Annotations that controllers and kubectl write for themselves; restartedAt only tells when pods were restarted.
_CONTROLLER_ANNOTATIONS = (
    "deployment.kubernetes.io/",
    "deprecated.daemonset.template.generation",
    "kubectl.kubernetes.io/last-applied-configuration",
    "kubectl.kubernetes.io/restartedAt",
    "pv.kubernetes.io/",
    "volume.beta.kubernetes.io/",
    "volume.kubernetes.io/",
)
#: By kind, beginnings of paths that controllers write.
_CONTROLLER_PATHS = {
    "PersistentVolumeClaim": ("spec.resources.requests.storage", "spec.volumeMode", "spec.volumeName"),
    "Service": (
        "spec.clusterIP",
        "spec.healthCheckNodePort",
        "spec.ipFamilies",
        "spec.ipFamilyPolicy",
    ),
    "ServiceAccount": ("imagePullSecrets", "secrets"),
}
_WEBHOOKS = frozenset({"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"})


@dataclass(frozen=True)
class Difference:
    """A place at which a live object is not what the manifest makes of it; ABSENT is the value of a missing one."""

    steps: Steps
    live: Any
    wanted: Any

    @property
    def path(self) -> str:
        """The place, as people write it."""
        return path_text(self.steps)


def differences(manifest_object: dict[str, Any], dry_run_result: dict[str, Any], live: Any) -> list[Difference]:
    """Return where a live object differs, without what the API server and controllers write.

    manifest_object: as in the release. dry_run_result: what a dry run of applying or creating it returned.
    """
    kind = str(manifest_object.get("kind") or "")
    found = (Difference(*place) for place in _walk(live, dry_run_result, ()))
    return [difference for difference in found if not is_of_controllers(kind, difference.steps)]


def is_of_controllers(kind: str, steps: Steps) -> bool:
    """Return whether a place in an object of a kind is written by the API server or by controllers."""
    first = steps[:1]
    if first == ("status",):
        return True
    if first == ("metadata",) and len(steps) > 1 and steps[1] in _SERVER_METADATA:
        return True
    if "annotations" in steps[-2:-1] and str(steps[-1]).startswith(_CONTROLLER_ANNOTATIONS):
        return True
    if kind == "Service" and steps[-1] == "nodePort":
        return True
    if kind in _WEBHOOKS and steps[-1] == "caBundle":
        return True
    return path_text(steps).startswith(_CONTROLLER_PATHS.get(kind, ()))


def to_apply(manifest_object: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    """Return the object to apply; claims with the size that they have, since none is ever made smaller."""
    if manifest_object.get("kind") != "PersistentVolumeClaim":
        return manifest_object
    resources = (live.get("spec") or {}).get("resources")
    if not resources:
        return manifest_object
    return {**manifest_object, "spec": {**(manifest_object.get("spec") or {}), "resources": resources}}


def _walk(live: Any, wanted: Any, steps: Steps) -> Iterator[tuple[Steps, Any, Any]]:
    """Yield places with both values, for each value that differs; added and missing dictionaries by their content."""
    if live == wanted:
        return
    inner: list[tuple[Any, Any, Steps]] = []
    if _is_dictionary(live, wanted):
        inner = list(_keys(live, wanted, steps))
    elif isinstance(live, list) and isinstance(wanted, list) and not _is_one_value(live, wanted):
        inner = [
            (_at(live, item.live), _at(wanted, item.wanted), (*steps, item)) for item in paired_items(live, wanted)
        ]
    if not inner:
        yield steps, live, wanted
    for left, right, place in inner:
        if isinstance(place[-1], Item) and (left is ABSENT or right is ABSENT):
            yield place, left, right
        else:
            yield from _walk(left, right, place)


def _is_one_value(live: list[Any], wanted: list[Any]) -> bool:
    """Return whether people see two lists as one value each, such as verbs of a role: plain values, other in number."""
    return len(live) != len(wanted) and not any(isinstance(item, (dict, list)) for item in (*live, *wanted))


def _is_dictionary(live: Any, wanted: Any) -> bool:
    """Return whether one side is a dictionary, and the other one too, or missing."""
    sides = [side for side in (live, wanted) if side is not ABSENT]
    return all(isinstance(side, dict) for side in sides)


def _keys(live: Any, wanted: Any, steps: Steps) -> Iterator[tuple[Any, Any, Steps]]:
    left, right = ({} if side is ABSENT else side for side in (live, wanted))
    for key in (*right, *(key for key in left if key not in right)):
        yield left.get(key, ABSENT), right.get(key, ABSENT), (*steps, key)


def _at(items: list[Any], index: int | None) -> Any:
    return ABSENT if index is None else items[index]


def paired_items(live: list[Any], wanted: list[Any]) -> list[Item]:
    """Return the items of two versions of a list, paired by what identifies them, else by their order."""
    keys = _item_keys(live, wanted)
    if keys:
        places = {_label(item, keys): index for index, item in enumerate(live)}
        labels = [_label(item, keys) for item in wanted]
        items = [Item(label, places.get(label), index) for index, label in enumerate(labels)]
        return items + [Item(label, index, None) for label, index in places.items() if label not in labels]
    if len(live) == len(wanted):
        return [Item(str(index), index, index) for index in range(len(live))]
    return _by_content(live, wanted)


def item_label(items: list[Any], index: int) -> str:
    """Return what people know an item of a list by."""
    keys = _item_keys(items)
    return _label(items[index], keys) if keys else str(index)


def _item_keys(*lists: list[Any]) -> tuple[str, ...]:
    """Return the keys that tell the items of each list from each other; () where there are none."""
    items = [item for each in lists for item in each]
    if not items or not all(isinstance(item, dict) for item in items):
        return ()
    for keys in _ITEM_KEYS:
        are_there = all(isinstance(item.get(key), (str, int)) for item in items for key in keys)
        if are_there and all(len({_label(item, keys) for item in each}) == len(each) for each in lists):
            return keys
    return ()


def _label(item: dict[str, Any], keys: tuple[str, ...]) -> str:
    return "/".join(str(item[key]) for key in keys)


def _by_content(live: list[Any], wanted: list[Any]) -> list[Item]:
    """Return the items that only one of two lists of different lengths has."""
    rest = [json.dumps(item, sort_keys=True) for item in live]
    found = []
    for index, item in enumerate(wanted):
        text = json.dumps(item, sort_keys=True)
        if text in rest:
            rest[rest.index(text)] = ""
        else:
            found.append(Item(str(index), None, index))
    return found + [Item(str(index), index, None) for index, text in enumerate(rest) if text]
