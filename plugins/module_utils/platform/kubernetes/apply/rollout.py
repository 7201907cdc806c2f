# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until the workloads of a release are rolled out, and say as soon as it is certain why they will not be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.messages import LastingReason

from ....common.text import abbreviated
from ...errors import PlatformError, UnreachableError
from ..api.client import ApiError, KubernetesApi
from .evidence import Evidence, Mask, age_of, is_old, readable
from .failures import made_finding, pod_finding, pod_progress
from .findings import Event, Finding, Json, condition, name_of, uid_of
from .workloads import DEPLOYMENT, KINDS, Workload, is_ending, is_waited_for

#: Seconds between two looks.
INTERVAL = 1.5
#: Sessions come and go, and there may be thousands.
NOT_SESSIONS = "component!=singleuser-server"
#: Workloads that are named when the time is over.
_NAMED = 3


class RolloutError(PlatformError):
    """A release will not come up, or did not in time; the message is one line, and says why."""


def wait_for_rollout(
    api: KubernetesApi,
    namespace: str,
    release: str,
    timeout: float,
    report: Callable[[str], None],
    *,
    mask: Mask = lambda text: text,
) -> None:
    """Wait until the Deployments, StatefulSets and DaemonSets of a release of Helm are rolled out.

    timeout: in seconds. report: gets a line for each change of what is waited for. mask: hides secrets in a text.
    Raises RolloutError; UnreachableError where the API server does not answer at the end of the time, so that nothing
    is known of the release; ApiError where not even Deployments may be read.
    """
    rollout = _Rollout(Evidence(api, namespace, mask), release, report)
    deadline = time.monotonic() + timeout
    while True:
        silent: PlatformError | None = None
        try:
            if rollout.is_finished():
                return
        except UnreachableError as error:
            silent = error
        except ApiError as error:
            # For some seconds after a restart, an API server does not know roles.
            if not rollout.has_begun:
                raise
            silent = error
        rollout.answered(silent)
        left = deadline - time.monotonic()
        if left <= 0:
            raise silent or RolloutError(rollout.too_late(timeout))
        time.sleep(min(INTERVAL, left))


def session_failure(api: KubernetesApi, namespace: str, pod: Json, mask: Mask = lambda text: text) -> str:
    """Return in one line why the pod of a user's session does not start, "" where nothing is known.

    pod: the object of the API, read a moment ago. What may not be read, or is not answered, counts as not known. It is
    a LastingReason where the pod never will.
    """
    evidence = Evidence(api, namespace, mask)
    status = pod.get("status", {})
    try:
        if status.get("phase") == "Failed" and status.get("message"):  # evicted, or refused by the kubelet
            return evidence.line(f"pod {name_of(pod)} has failed: {status['message']}")
        events = evidence.events([pod])[uid_of(pod)]
        claims = [] if pod["spec"].get("nodeName") else evidence.claims(pod)
        finding = pod_finding(pod, events, claims)
        if finding:
            text = evidence.explained(pod, finding)
            lasts = finding.patience is not None and age_of(pod) >= finding.patience
            return LastingReason(text) if lasts else text
        doing = "" if condition(pod, "Ready").get("status") == "True" else pod_progress(pod, events)
        return evidence.line(f"pod {name_of(pod)} {doing}") if doing else ""
    except PlatformError:
        return ""


@dataclass(frozen=True)
class _Seen:
    """What one look found in the namespace. replica_sets: None where they cannot be read. events: by UID of objects."""

    pods: Sequence[Json]
    replica_sets: Sequence[Json] | None
    events: dict[str, list[Event]]

    def newest(self, workload: Workload) -> list[Json]:
        """Return the pods of the newest revision of a workload."""
        return workload.newest(self.pods, self.replica_sets)

    def unready(self, workload: Workload) -> list[Json]:
        """Return those of its newest pods that are not ready."""
        return [pod for pod in self.newest(workload) if condition(pod, "Ready").get("status") != "True"]

    def has_all(self, workload: Workload) -> bool:
        """Return whether a workload has the pods that it wants, and no others."""
        return len(self.newest(workload)) >= workload.wanted and not self.leaving(workload)

    def leaving(self, workload: Workload) -> list[Json]:
        """Return the pods of a workload that have to go, and have not gone."""
        newest = self.newest(workload)
        own = workload.all_pods(self.pods, self.replica_sets)
        return [pod for pod in own if pod not in newest and (_is_deleted(pod) or not is_ending(pod))]


@dataclass(frozen=True)
class _Problem:
    """A finding on a workload. pod: the one that it is about, None for the workload itself."""

    workload: Workload
    finding: Finding
    pod: Json | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What stays the same for as long as the problem does: words of a registry or the scheduler may change."""
        return uid_of(self.pod or self.workload.item), self.finding.text.partition(":")[0]


class _Rollout:
    """A release that is waited for. has_begun: the API server has answered once, or was silent from the beginning."""

    def __init__(self, evidence: Evidence, release: str, report: Callable[[str], None]) -> None:
        self.evidence, self.release, self.report = evidence, release, report
        self.has_begun = False
        self._silent = False
        self._restarts: dict[tuple[str, str], int] | None = None
        self._since: dict[tuple[str, str], float] = {}
        self._lines: dict[str, str] = {}
        self._last_line = ""
        self._reasons: list[str | _Problem] = []

    def is_finished(self) -> bool:
        """Look once; return whether everything is rolled out. Raises RolloutError, ApiError, UnreachableError."""
        workloads = self._workloads()
        self.has_begun = True
        unfinished = [workload for workload in workloads if workload.lacks()]
        for workload in workloads:
            if workload not in unfinished and workload.name in self._lines:
                self._show(workload.name, "ready")
        if not unfinished:
            return True
        seen = self._look(unfinished)
        problems = [problem for workload in unfinished for problem in self._problems(workload, seen)]
        self._raise_if_certain(problems, any(map(_is_deleted, seen.pods)))
        self._reasons = []
        for workload in unfinished:
            self._tell(workload, [problem for problem in problems if problem.workload is workload], seen)
        return False

    def answered(self, error: PlatformError | None) -> None:
        """Tell once that the API server does not answer. error: what it did instead, None if it answers."""
        self.has_begun = True
        if error is not None and not self._silent:
            self._show("API server", str(error))
        self._silent = error is not None

    def too_late(self, timeout: float) -> str:
        """Return what was waited for when the time was over, with the best reasons that are known."""
        reasons = [each if isinstance(each, str) else self._explained(each) for each in self._reasons]
        return f"{self.release} is not ready after {timeout:.0f} seconds: {abbreviated(reasons, _NAMED)}"

    def _workloads(self) -> list[Workload]:
        found: list[Workload] = []
        for plural, kind in KINDS.items():
            try:
                items = self.evidence.api.list(self._apps(plural))
            except ApiError:
                if kind == DEPLOYMENT:
                    raise
                continue  # a role may allow to read Deployments only
            found += [Workload(kind, item) for item in items]
        return [each for each in found if is_waited_for(each, self.evidence.namespace, self.release)]

    def _look(self, unfinished: Sequence[Workload]) -> _Seen:
        api = self.evidence.api
        replica_sets = readable(api.list, self._apps("replicasets"), metadata=True)
        pods = readable(api.list, self.evidence.path("pods"), NOT_SESSIONS) or []
        if self._restarts is None:
            self._restarts = dict(_restarts(pods))
        seen = _Seen(pods, replica_sets, {})
        asked = [pod for workload in unfinished for pod in seen.unready(workload)]
        # Conditions of a Deployment say why it gets no pods, for the others only events do.
        asked += [workload.item for workload in unfinished if workload.kind != DEPLOYMENT]
        return _Seen(pods, replica_sets, self.evidence.events(asked))

    def _apps(self, plural: str) -> str:
        return f"/apis/apps/v1/namespaces/{self.evidence.namespace}/{plural}"

    def _problems(self, workload: Workload, seen: _Seen) -> Iterator[_Problem]:
        """Yield what keeps a workload from being rolled out."""
        if not workload.observed:  # what is there is of an older specification
            return
        if len(seen.newest(workload)) < workload.wanted:
            replica_set = workload.newest_replica_set(seen.replica_sets)
            finding = made_finding(workload, seen.events.get(uid_of(workload.item), ()), replica_set)
            if finding:
                yield _Problem(workload, finding)
        for pod in seen.unready(workload):
            claims = [] if pod["spec"].get("nodeName") else self.evidence.claims(pod)
            finding = pod_finding(pod, seen.events[uid_of(pod)], claims, self._restarts)
            if finding:
                yield _Problem(workload, finding, pod)

    def _raise_if_certain(self, problems: Sequence[_Problem], pods_leave: bool) -> None:
        """Raise RolloutError for a problem that will not end by itself. pods_leave: which may make room for others."""
        now = time.monotonic()
        self._since = {
            problem.key: self._since.get(problem.key, now)
            for problem in problems
            if not (problem.finding.shortage and pods_leave)
        }
        for problem in problems:
            since, patience = self._since.get(problem.key), problem.finding.patience
            if since is not None and patience is not None and now - since >= patience:
                raise RolloutError(self._explained(problem))

    def _explained(self, problem: _Problem) -> str:
        """Return a problem in one line, with the last words of the log where there is one."""
        if problem.pod is None:
            return f"{problem.workload.name}: {self.evidence.line(problem.finding.text)}"
        return f"{problem.workload.name}: {self.evidence.explained(problem.pod, problem.finding)}"

    def _tell(self, workload: Workload, problems: Sequence[_Problem], seen: _Seen) -> None:
        """Report what a workload waits for, and keep it as the reason for the end of the time."""
        shown = [problem for problem in problems if problem.finding.progress]
        if shown:
            line = _subject(shown[0]) + shown[0].finding.text
        elif workload.observed and seen.unready(workload):
            pod = seen.unready(workload)[0]
            line = f"pod {name_of(pod)} {pod_progress(pod, seen.events[uid_of(pod)])}"
        elif workload.observed and seen.leaving(workload):
            line = f"waits for the old pod {name_of(seen.leaving(workload)[0])} to end"
        else:
            line = workload.lacks()
        line = self.evidence.line(line)
        self._reasons.append(problems[0] if problems else f"{workload.name}: {line}")
        # That controllers notice a change, and that pods are ready, takes a moment only.
        if workload.observed and (shown or seen.unready(workload) or not seen.has_all(workload)):
            self._show(workload.name, line)

    def _show(self, name: str, line: str) -> None:
        """Report a line on a workload unless it is that of before."""
        if self._lines.get(name) == line:
            return
        self._lines[name] = line
        text = f"{name}: {line}"
        if text != self._last_line:
            self.report(text)
        self._last_line = text


def _subject(problem: _Problem) -> str:
    return f"pod {name_of(problem.pod)} " if problem.pod else ""


def _is_deleted(pod: Json) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _restarts(pods: Sequence[Json]) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield how often containers of pods that are old have been restarted."""
    for pod in filter(is_old, pods):
        for kind in ("initContainerStatuses", "containerStatuses"):
            for status in pod.get("status", {}).get(kind) or ():
                yield (uid_of(pod), status["name"]), int(status.get("restartCount") or 0)
