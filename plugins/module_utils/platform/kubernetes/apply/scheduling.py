# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why pods get no node, and claims no volume: from pods, claims, storage classes and events, to findings.

Nothing is read here. What is certain how soon follows from who could still change it: a cluster autoscaler adds nodes,
pods that end make room, and provisioners try again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .findings import Event, Finding, Json, condition, latest, name_of, without

#: Seconds in which a cluster autoscaler would have announced a node: it looks every 10 seconds.
AUTOSCALER = 45.0
#: Seconds after which a claim that does not exist will not be made by anybody.
MISSING_CLAIM = 15.0
#: Seconds in which the controller of volumes has looked at a claim again; it does every 15 seconds.
CLAIM_LOOK = 20.0
#: Seconds in which provisioners have tried several times.
PROVISIONING = 60.0

_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
#: Nodes have these taints for as long as they start, or cannot be reached.
_PASSING_TAINTS = re.compile(
    r"node\.(cloudprovider\.)?kubernetes\.io/(not-ready|unreachable|network-\w+|uninitialized)"
)


@dataclass(frozen=True)
class Claim:
    """A claim (PersistentVolumeClaim) that a pod needs.

    item: the object of the API, None where it does not exist. classes: the storage classes of the cluster, None where
    they cannot be read.
    """

    name: str
    item: Json | None
    events: Sequence[Event] = field(default_factory=list)
    classes: Sequence[Json] | None = None


def claims_of(pod: Json) -> list[str]:
    """Return the names of the claims that a pod needs."""
    names = []
    for volume in pod["spec"].get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            names.append(str(volume["persistentVolumeClaim"]["claimName"]))
        elif "ephemeral" in volume:
            names.append(f"{name_of(pod)}-{volume['name']}")
    return names


def without_node(pod: Json, events: Iterable[Event], claims: Iterable[Claim]) -> Finding | None:
    """Return why a pod has no node, None where nothing is known."""
    for claim in claims:
        found = without_volume(claim)
        if found:
            return found
    nominated = pod.get("status", {}).get("nominatedNodeName")
    if nominated:
        return Finding(f"waits until pods of less priority have left the node {nominated}")
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") != "False" or scheduled.get("reason") != "Unschedulable":
        return None
    return _unschedulable(pod, _scheduler_words(scheduled.get("message") or ""), events)


def _unschedulable(pod: Json, words: str, events: Iterable[Event]) -> Finding:
    """Return a finding for a pod that the scheduler finds no node for; ``words`` are those of the scheduler."""
    text = f"cannot be scheduled: {words}{_requested(pod, words)}"
    # Karpenter says Nominated.
    scaling = ("TriggeredScaleUp", "NotTriggerScaleUp", "Nominated")
    scaled = latest(events, lambda event: event.reason in scaling and event.fresh)
    if scaled is None:
        return Finding(text, None if _PASSING_TAINTS.search(words) else AUTOSCALER, shortage=True)
    if scaled.reason != "NotTriggerScaleUp":
        return Finding(f"waits for a new node, which the cluster autoscaler adds: {words}")
    why = without(scaled.message, r"^pod didn't trigger scale-up:?")
    # After a node that did not come, the autoscaler waits for some minutes before it tries again.
    patience = AUTOSCALER if "backoff" in why else 0
    return Finding(f"{text}; the cluster autoscaler adds no node: {why}", patience, shortage=True)


def _scheduler_words(message: str) -> str:
    """Return what the scheduler says without what it says on preemption, which helps nobody."""
    words = re.split(r"[,.]? *(?:no new claims to deallocate|preemption:)", message, maxsplit=1)[0].strip(" .,")
    return words or "the scheduler does not say why"


def _requested(pod: Json, words: str) -> str:
    """Return what the pod asks for of what nodes lack: " (it asks for memory 900Gi)"."""
    parts = []
    for resource in dict.fromkeys(re.findall(r"Insufficient ([^\s,.]+(?:\.[^\s,.]+)*)", words)):
        amounts = [
            str(container["resources"]["requests"][resource])
            for container in pod["spec"]["containers"]
            if resource in ((container.get("resources") or {}).get("requests") or {})
        ]
        if amounts:
            parts.append(f"{resource} {' + '.join(amounts)}")
    if "node affinity/selector" in words:
        selector = pod["spec"].get("nodeSelector") or {}
        parts.extend(f"a node with the label {key}={value}" for key, value in sorted(selector.items()))
    return f" (it asks for {', '.join(parts)})" if parts else ""


def without_volume(claim: Claim) -> Finding | None:
    """Return why a claim has no volume, None where it has one, or nothing is known."""
    if claim.item is None:
        return Finding(f"waits for the claim {claim.name}, which does not exist", MISSING_CLAIM)
    phase = claim.item.get("status", {}).get("phase")
    if phase == "Lost":
        return Finding(f"cannot use the claim {claim.name}: its volume is gone", 0)
    if phase == "Bound":
        return None
    class_name = claim.item["spec"].get("storageClassName")
    last = latest(claim.events, lambda event: event.reason in ("ProvisioningFailed", "FailedBinding"))
    if class_name is None:
        return _without_class(claim, last)
    if class_name:
        return _with_class(claim, class_name, last)
    text = f"waits for the claim {claim.name}, which wants a volume that exists already, and none fits"
    return Finding(text, PROVISIONING) if last else None


def _without_class(claim: Claim, last: Event | None) -> Finding | None:
    """Return why a claim has no volume that names no class, so that it has that which is the default."""
    text = f"waits for the claim {claim.name}, which names no storage class, and the cluster has no default one"
    if claim.classes is None:
        # An event may be of before a class became the default.
        return Finding(text, CLAIM_LOOK) if last and "no storage class is set" in last.message else None
    annotations = (each["metadata"].get("annotations") or {} for each in claim.classes)
    if any(each.get(_DEFAULT_CLASS) == "true" for each in annotations):
        return None
    return Finding(text, 0)


def _with_class(claim: Claim, class_name: str, last: Event | None) -> Finding | None:
    text = f"waits for the claim {claim.name}: there is no storage class {class_name}"
    said = bool(last and re.search(r"storageclass\S* \"[^\"]+\" not found", last.message))
    if claim.classes is None:
        if said:
            return Finding(text, CLAIM_LOOK)
    elif all(name_of(each) != class_name for each in claim.classes):
        # Volumes that are made by hand may name a class that does not exist.
        return Finding(text, 0 if said else CLAIM_LOOK)
    elif said:
        return None
    if last is None or last.reason != "ProvisioningFailed":
        return None
    why = without(
        last.message, r"^failed to provision volume with StorageClass \"[^\"]+\":", r"rpc error: code = \w+ desc ="
    )
    return Finding(f"waits for the claim {claim.name}: {why}", PROVISIONING)
