# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who changed a field of an object, by its managedFields. Nothing here reads a cluster.

An entry of managedFields names a manager and, in the form FieldsV1, its fields: ``f:`` and a key, ``k:`` and the keys
of an item in a list, ``v:`` and a value in a set, ``i:`` and an index; ``.`` is the place itself, and ``{}`` everything
below (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..api.client import FIELD_MANAGER
from .compare import item_label
from .paths import Item, Steps, live_value

#: The name under which Helm applies objects.
HELM = "helm"
#: What deploys releases by Helm as a library, and what an API server calls fields of unknown managers.
_LIKE_HELM = ("before-first-apply", "helm", "terraform-provider-helm")
_CONTROLLERS = frozenset({"cainjector", "cert-manager-cainjector", "glbc", "kube-scheduler", "kubelet"})
_CONTROLLER_SUFFIXES = ("cloud-controller-manager", "kube-controller-manager")
#: A map or list that has no fields of its own here; unlike {}, it does not stand for everything below.
_NOTHING: dict[str, Any] = {".": {}}


@dataclass(frozen=True)
class Owner:
    """An entry of managedFields: who changed fields, and when in RFC 3339."""

    manager: str
    operation: str
    time: str
    subresource: str

    @property
    def is_helm(self) -> bool:
        """Whether it deploys releases."""
        return self.manager.startswith(_LIKE_HELM)

    @property
    def is_controller(self) -> bool:
        """Whether it is a part of Kubernetes that changes objects on its own, or this collection."""
        if self.manager == FIELD_MANAGER or self.subresource == "status":
            return True
        return self.manager in _CONTROLLERS or self.manager.endswith(_CONTROLLER_SUFFIXES)


def owners_of(live: dict[str, Any], steps: Steps) -> list[Owner]:
    """Return whose a place in a live object is, the newest first; nobody's where it was removed."""
    found = [owner for owner, fields in _entries(live) if _owns(fields, live, steps)]
    return sorted(found, key=lambda owner: owner.time, reverse=True)


def changed_by(live: dict[str, Any], steps: Steps) -> Owner | None:
    """Return who changed a place in a live object last, None where nobody knows."""
    found = owners_of(live, steps)
    return next((owner for owner in found if not owner.is_helm), found[0] if found else None)


def additions(live: dict[str, Any], result: dict[str, Any]) -> dict[Steps, Owner]:
    """Return what others than Helm and controllers added to an object: place -> who did, the last one of several.

    result: of a dry run of Helm's server-side apply, which tells the fields that the manifest names. Items that were
    added to a list are one place; of dictionaries, each content is one.
    """
    named: dict[str, Any] = next(
        (fields for owner, fields in _entries(result) if (owner.manager, owner.operation) == (HELM, "Apply")), _NOTHING
    )
    found: dict[Steps, Owner] = {}
    for owner, fields in sorted(_entries(live), key=lambda entry: entry[0].time):
        if not (owner.is_helm or owner.is_controller or owner.subresource):
            found.update(dict.fromkeys(_added(fields, named, live, ()), owner))
    return found


def _entries(instance: dict[str, Any]) -> Iterator[tuple[Owner, dict[str, Any]]]:
    for entry in (instance.get("metadata") or {}).get("managedFields") or ():
        texts = (str(entry.get(key) or "") for key in ("manager", "operation", "time", "subresource"))
        yield Owner(*texts), entry.get("fieldsV1") or _NOTHING


def _owns(fields: dict[str, Any], value: Any, steps: Steps) -> bool:
    """Return whether fields include a place of a value."""
    for step in steps:
        if not fields:  # everything below
            return True
        inside = next((inner for key, inner in fields.items() if _leads_to(key, value, step)), None)
        if inside is None:
            return False
        fields, value = inside, live_value(value, (step,))
    return True


def _leads_to(key: str, value: Any, step: str | Item) -> bool:
    """Return whether a key of FieldsV1 stands for a step into a value."""
    if isinstance(step, str):
        return key == f"f:{step}"
    return step.live is not None and key != "." and _index(key, value) == step.live


def _index(key: str, value: Any) -> int | None:
    """Return the index of the item that a key of FieldsV1 stands for in a list, None where there is none."""
    kind, _colon, text = key.partition(":")
    if not isinstance(value, list) or kind not in ("k", "v", "i"):
        return None
    sought = json.loads(text)
    if kind == "i":
        return int(sought) if int(sought) < len(value) else None
    for index, item in enumerate(value):
        if kind == "v" and item == sought:
            return index
        if kind == "k" and isinstance(item, dict) and all(item.get(name) == each for name, each in sought.items()):
            return index
    return None


def _step(key: str, value: Any) -> str | Item | None:
    """Return the step into a value that a key of FieldsV1 stands for, None where it leads nowhere."""
    if key.startswith("f:"):
        name = key[2:]
        return name if isinstance(value, dict) and name in value else None
    index = _index(key, value)
    return None if index is None else Item(item_label(value, index), index, None)


def _added(fields: dict[str, Any], named: dict[str, Any], value: Any, steps: Steps) -> Iterator[Steps]:
    """Yield the places in a value that fields include and the named ones do not."""
    for key, inside in fields.items():
        step = None if key == "." else _step(key, value)
        if step is None:
            continue
        place = (*steps, step)
        is_new_item = isinstance(step, Item) and key not in named and "." in inside
        if is_new_item or (not inside and key not in named):
            yield place
        elif inside:
            # Where the manifest has an empty dictionary, named is {}; others may have added to it all the same.
            yield from _added(inside, named.get(key) or _NOTHING, live_value(value, (step,)), place)
