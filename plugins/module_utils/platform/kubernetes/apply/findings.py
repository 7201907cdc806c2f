# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why something does not start, as far as it is known, and the events of the API that tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """What keeps a pod, or the pods of a workload, from being ready.

    text: goes on from a name, such as "cannot pull image …".
    patience: seconds after which this is certain to last; 0: it is certain, None: it may always end by itself.
    shortage: pods that are about to end may make room.
    container: whose log may say more; "" where no log does. previous: the log of the run that ended. ended: it did,
        perhaps just now, so that the last lines of its log may come late.
    progress: worth telling while it is waited for.
    """

    text: str
    patience: float | None = None
    shortage: bool = False
    container: str = ""
    previous: bool = False
    ended: bool = False
    progress: bool = True


@dataclass(frozen=True)
class Event:
    """An event of one object.

    last: when it happened last, in ISO format. fresh: it may have happened after the wait began.
    """

    reason: str
    message: str
    count: int = 1
    last: str = ""
    fresh: bool = True


def event_count(item: Json) -> int:
    """Return how often an event of the API happened.

    Kubernetes counts in ``count``, or in ``series`` where a component reports by events.k8s.io
    (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/).
    """
    series = item.get("series") or {}
    return int(series.get("count") or item.get("count") or 1)


def event_of(item: Json, fresh: bool = True) -> Event:
    """Return an event from the object of the API."""
    series = item.get("series") or {}
    last = series.get("lastObservedTime") or item.get("lastTimestamp") or item.get("eventTime")
    last = last or item["metadata"].get("creationTimestamp") or ""
    return Event(item.get("reason") or "", item.get("message") or "", event_count(item), last, fresh)


def latest(events: Iterable[Event], wanted: Callable[[Event], bool]) -> Event | None:
    """Return the last of the events that are wanted."""
    found = sorted(filter(wanted, events), key=lambda event: event.last)
    return found[-1] if found else None


def name_of(item: Json) -> str:
    """Return the name of an object of the API."""
    return str(item["metadata"]["name"])


def uid_of(item: Json) -> str:
    """Return the UID of an object of the API."""
    return str(item["metadata"].get("uid") or "")


def labels_of(item: Json) -> Json:
    """Return the labels of an object of the API."""
    labels: Json = item["metadata"].get("labels") or {}
    return labels


def condition(item: Json, kind: str) -> Json:
    """Return a condition in the status of an object, an empty one where it has none of this kind."""
    for each in item.get("status", {}).get("conditions") or ():
        if each["type"] == kind:
            found: Json = each
            return found
    return {}


def without(text: str, *patterns: str) -> str:
    """Return a text without what components put in front of the words that matter."""
    for pattern in patterns:
        text = re.sub(pattern, "", text).lstrip()
    return text.strip(" .,:;")
