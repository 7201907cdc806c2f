# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server says of pods that do not start: events, claims, logs; as far as rights allow to read them."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ....common.text import one_line
from ...errors import PlatformError
from ..api.client import ApiError, KubernetesApi
from .findings import Event, Finding, Json, event_count, event_of, name_of, uid_of
from .log_lines import has_reason, last_words
from .scheduling import Claim, claims_of

#: Lines of messages and logs are cut to so many characters.
LONGEST = 300
#: Seconds; what is older than this when a wait begins was there before the change that is waited for. Clocks of this
#: machine and of the cluster may differ by less.
OLD = 120.0
#: So many objects are asked for their events one by one; for more, the events of the namespace are one request.
ONE_BY_ONE = 4
_LOG_LINES = 40
#: A log without a reason is read so many times more, after so many seconds each.
_MORE_READS, _READ_PAUSE = 2, 0.5
#: Instead of a log, with status 200, where the container is gone (pkg/kubelet/kuberuntime/kuberuntime_logs.go).
_NO_LOG = ("unable to retrieve container logs", "failed to try resolving symlinks", "rpc error:")

Answer = TypeVar("Answer")
Mask = Callable[[str], str]


class Evidence:
    """Reads what explains why pods of one namespace do not start. mask: hides secrets in a text.

    What may not be read counts as not there. Methods raise UnreachableError.
    """

    def __init__(self, api: KubernetesApi, namespace: str, mask: Mask) -> None:
        self.api, self.namespace, self.mask = api, namespace, mask
        self._known: set[str] = set()
        self._before: dict[str, int] = {}

    def path(self, collection: str) -> str:
        """Return the path of a collection of core objects of the namespace."""
        return f"/api/v1/namespaces/{self.namespace}/{collection}"

    def events(self, objects: Sequence[Json]) -> dict[str, list[Event]]:
        """Return the events of objects, by their UID.

        When an object that is old is asked about first, its events are of before the wait: not fresh unless they
        happen again.
        """
        uids = [uid_of(item) for item in objects]
        items: list[Json] = []
        for selector in [f"involvedObject.uid={uid}" for uid in uids] if len(uids) <= ONE_BY_ONE else [""]:
            items += readable(self.api.list, self.path("events"), fieldSelector=selector) or []
        found: dict[str, list[Event]] = {uid: [] for uid in uids}
        old = {uid_of(item) for item in objects if uid_of(item) not in self._known and is_old(item)}
        for item in items:
            of = (item.get("involvedObject") or {}).get("uid")
            if of in old:
                self._before[uid_of(item)] = event_count(item)
            if of in found:
                found[of].append(event_of(item, event_count(item) > self._before.get(uid_of(item), 0)))
        self._known.update(uids)
        return found

    def claims(self, pod: Json) -> list[Claim]:
        """Return the claims of a pod that have no volume."""
        found = []
        for name in claims_of(pod):
            try:
                item = self.api.find(f"{self.path('persistentvolumeclaims')}/{name}")
            except ApiError:
                continue
            if item is None:
                found.append(Claim(name, None))
            elif item.get("status", {}).get("phase") != "Bound":
                classes = readable(self.api.list, "/apis/storage.k8s.io/v1/storageclasses", metadata=True)
                found.append(Claim(name, item, self.events([item])[uid_of(item)], classes))
        return found

    def explained(self, pod: Json, finding: Finding) -> str:
        """Return a finding on a pod in words, with what the log of its container says."""
        text = self.line(f"pod {name_of(pod)} {finding.text}")
        words = self._log(pod, finding) if finding.container else ""
        return f"{text}; its log says: {words}" if words else text

    def line(self, text: str) -> str:
        """Return a text of the cluster as one line that is not too long, and shows no secret."""
        return one_line(self.mask(text), LONGEST)

    def _log(self, pod: Json, finding: Finding) -> str:
        """Return the last words of a container's log, "" where there are none to be had."""
        log = self._read_log(pod, finding)
        for _attempt in range(_MORE_READS if log and finding.ended else 0):
            if has_reason(log):
                break
            # The node writes the last lines after it told of the end, or this is the next run, which has just begun.
            time.sleep(_READ_PAUSE)
            log = self._read_log(pod, finding) or log
        return self.line(last_words(log))

    def _read_log(self, pod: Json, finding: Finding) -> str:
        path = f"{self.path('pods')}/{name_of(pod)}/log"
        query = {"container": finding.container, "tailLines": _LOG_LINES}
        # Where the run that ended is no longer there, the next one has probably ended like it.
        for previous in ["true", "false"] if finding.previous else ["false"]:
            try:
                log = self.api.text(path, previous=previous, **query)
            except PlatformError:  # the reason that is known without it is worth more than another error
                continue
            words = last_words(log)
            if words and not words.startswith(_NO_LOG):
                return log
        return ""


def readable(read: Callable[..., Answer], *arguments: Any, **query: Any) -> Answer | None:
    """Return what is read, None where the API server refuses it."""
    try:
        return read(*arguments, **query)
    except ApiError:
        return None


def is_old(item: Json) -> bool:
    """Tell whether an object of the API was made long before now."""
    return age_of(item) > OLD


def age_of(item: Json) -> float:
    """Return how long ago an object of the API was made, in seconds; 0 where it does not say."""
    made = str(item["metadata"].get("creationTimestamp") or "")
    if not made:
        return 0.0
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(made.replace("Z", "+00:00"))
    return age.total_seconds()
