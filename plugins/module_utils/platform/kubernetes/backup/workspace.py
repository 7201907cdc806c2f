# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run pods that save and restore volumes, with what they need; nothing of it stays."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType

from ....common.text import abbreviated
from ...errors import PlatformError, UnreachableError
from ..api.client import Json
from ..api.pod_command import run_in_pod
from ..apply.change import Change
from ..apply.database import CLAIM
from ..apply.evidence import Evidence
from ..apply.failures import pod_finding
from ..apply.findings import uid_of
from ..releases.records import OWNER
from .pods import CONTAINER, Task, pod

#: Labels of everything here: the release, and what it is for, so that a look at the backups disturbs none.
LABEL, PURPOSE_LABEL = "hubfleet.jupyterhub/backup-of", "hubfleet.jupyterhub/purpose"
#: Seconds between two looks at a pod, and after which the lock of the cluster is renewed.
INTERVAL, RENEWAL = 1.0, 300.0
#: Pods at the same time: each reads and writes as fast as it can.
PARALLEL = 4
#: Seconds that removed pods have to go, and that the API server may be silent while a pod runs.
_PATIENCE = 120.0
#: Pods that use the volumes of a hub.
_USERS = "component in (hub, singleuser-server)"
#: Lines of a log that are read for the last one: containerd cuts long ones into pieces of 16 kB.
_TAIL = 50
_KINDS = ("pods", "secrets", "configmaps")


@dataclass
class Workspace:
    """A context manager, in which pods can be run in the namespace of a hub.

    purpose: a word; the workspaces of another one are left alone. images: of the pods, see pods.pod().
    given: name -> content of the files that their program reads, which may be secret. program: path -> text of its
    modules.
    """

    change: Change
    purpose: str
    images: Json
    given: dict[str, str]
    program: dict[str, str]
    _renewed: float = field(default_factory=time.monotonic)

    def __enter__(self) -> Workspace:
        self.clear()
        api, keys = self.change.api, self._keys
        texts = {key: self.program[path] for key, path in keys.items()}
        api.create(self._path("configmaps"), self._object("ConfigMap", data=texts))
        api.create(self._path("secrets"), self._object("Secret", stringData=self.given))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.change.has_ended():
            return  # what is there may be that of the next run
        if kind is None:
            self.clear()
            return
        with contextlib.suppress(PlatformError):  # the first error is worth more
            self.clear()

    def clear(self) -> None:
        """Remove everything that this or an interrupted run made, and wait until its pods are gone."""
        deadline = time.monotonic() + _PATIENCE
        for kind in _KINDS:
            for each in self._found(kind):
                self.change.api.delete(f"{self._path(kind)}/{each}", gracePeriodSeconds=0)
        while self._found("pods"):
            if time.monotonic() > deadline:
                raise PlatformError(f"pods of an earlier backup in {self.change.place.namespace} do not end")
            time.sleep(INTERVAL / 2)

    def give(self, name: str, content: bytes) -> str:
        """Give pods another file; return its SHA-256, since nodes may show a pod what they knew before."""
        encoded = base64.b64encode(content).decode()
        self.change.api.patch(f"{self._path('secrets')}/{self._name}", {"data": {name: encoded}})
        return hashlib.sha256(content).hexdigest()

    def run(self, task: Task) -> Json:
        """Run a pod to its end, remove it, and return what its program answered. Raises PlatformError."""
        with self.started(task) as name:
            return self._answer_at_end(name)

    def run_all(self, tasks: list[Task], done: Callable[[int], None]) -> list[Json]:
        """Run pods, some at the same time, the first one alone: it may have to create the repository.

        done: told how many have ended.
        """
        answers = []
        for task in tasks[:1]:
            answers.append(self.run(task))
            done(1)
        with ThreadPoolExecutor(PARALLEL) as threads:
            for answer in threads.map(self.run, tasks[1:]):
                answers.append(answer)
                done(len(answers))
        return answers

    @contextlib.contextmanager
    def started(self, task: Task) -> Iterator[str]:
        """Run a pod; gives its name as soon as its program runs, and removes it at the end."""
        body = pod(task, f"{self._name}-{task.name}", self._labels, self.images, self._name, self._keys, CLAIM)
        created = self.change.api.create(self._path("pods"), body)["metadata"]
        made = created["name"]
        try:
            self._wait_for_start(made)
            yield made
        finally:
            # Not one of the same name of the next run, where this one outlives its playbook.
            same = {"uid": created.get("uid")}
            with contextlib.suppress(PlatformError):  # the end of the workspace tries again
                self.change.api.delete(f"{self._path('pods')}/{made}", gracePeriodSeconds=0, preconditions=same)

    def early_answer(self, name: str) -> Json:
        """Return what the program of a pod answered before its end."""
        while True:
            found = self._look(name)
            answer = self._answer(name)
            if answer is not None:
                return self._checked(answer)
            if found["status"].get("phase") in ("Succeeded", "Failed"):
                return self._answer_at_end(name)
            time.sleep(INTERVAL)

    def read(self, name: str, path: str) -> str:
        """Return a text in a pod that runs; it is not part of any log."""
        done = run_in_pod(self.change.api, self.change.place.namespace, name, CONTAINER, ["cat", path])
        if done.status != 0:
            raise PlatformError(f"pod {name} does not hold {path}")
        return done.output

    def _answer_at_end(self, name: str) -> Json:
        while True:
            found = self._look(name)
            if found["status"].get("phase") in ("Succeeded", "Failed"):
                answer = self._answer(name)
                if answer is None:
                    raise PlatformError(f"pod {name} ended without an answer: {_end(found)}")
                return self._checked(answer)
            time.sleep(INTERVAL)

    def _look(self, name: str) -> Json:
        """Return a pod; the API server may be restarted meanwhile."""
        if time.monotonic() - self._renewed > RENEWAL:
            self._renewed = time.monotonic()
            self.change.renew()
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                found = self.change.api.find(f"{self._path('pods')}/{name}")
                break
            except UnreachableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(INTERVAL)
        if found is None:
            raise PlatformError(f"pod {name} was removed by somebody else")
        return found

    def _wait_for_start(self, name: str) -> None:
        """Wait until a pod is no longer pending; raises PlatformError as soon as it is certain that it stays so."""
        began = time.monotonic()
        evidence = Evidence(self.change.api, self.change.place.namespace, self.change.mask)
        while True:
            found = self._look(name)
            if found["status"].get("phase", "Pending") != "Pending":
                return
            waited = time.monotonic() - began
            if waited > 2 * INTERVAL:
                claims = [] if found["spec"].get("nodeName") else evidence.claims(found)
                finding = pod_finding(found, evidence.events([found])[uid_of(found)], claims)
                if finding and finding.patience is not None and waited >= finding.patience:
                    raise PlatformError(evidence.explained(found, finding))
                if waited > self.change.timeout:
                    why = evidence.explained(found, finding) if finding else f"pod {name} does not start"
                    raise PlatformError(f"{why} (after {waited:.0f} seconds)")
            time.sleep(INTERVAL)

    def _answer(self, name: str) -> Json | None:
        """Return the last line that the program printed, None where it is no answer."""
        lines = self.change.api.text(
            f"{self._path('pods')}/{name}/log", container=CONTAINER, tailLines=_TAIL
        ).splitlines()
        try:
            answer = json.loads(lines[-1])
        except (IndexError, ValueError):
            return None
        return answer if isinstance(answer, dict) else None

    def _checked(self, answer: Json) -> Json:
        if "error" in answer:
            raise PlatformError(self.change.mask(str(answer["error"])))
        return answer

    def _found(self, kind: str) -> list[str]:
        selector = f"{LABEL}={self.change.place.release},{PURPOSE_LABEL}={self.purpose}"
        return [each["metadata"]["name"] for each in self.change.api.list(self._path(kind), selector, metadata=True)]

    def _path(self, kind: str) -> str:
        return f"/api/v1/namespaces/{self.change.place.namespace}/{kind}"

    @property
    def _name(self) -> str:
        return f"hubfleet-{self.purpose}-{self.change.place.release}"

    @property
    def _labels(self) -> dict[str, str]:
        place = self.change.place
        return {"app.kubernetes.io/managed-by": OWNER, LABEL: place.release, PURPOSE_LABEL: self.purpose}

    @property
    def _keys(self) -> dict[str, str]:
        """Return key in the ConfigMap -> path of a module: keys cannot have slashes."""
        return {path.replace("/", "."): path for path in self.program}

    def _object(self, kind: str, **content: Json) -> Json:
        return {"apiVersion": "v1", "kind": kind, "metadata": {"name": self._name, "labels": self._labels}, **content}


def _end(found: Json) -> str:
    """Return how a pod ended, in the words of the kubelet."""
    status = found["status"]
    ends = [each.get("state", {}).get("terminated") or {} for each in status.get("containerStatuses") or ()]
    words = [str(each.get("message") or f"{each.get('reason')}, exit code {each.get('exitCode')}") for each in ends]
    return abbreviated([text for text in (status.get("message"), *words) if text], 2) or "it was not started"


def wait_for_end(change: Change) -> None:
    """Wait until no pod of a stopped hub uses its volumes any more."""
    deadline = time.monotonic() + max(_PATIENCE, change.timeout)
    path = f"/api/v1/namespaces/{change.place.namespace}/pods"
    while change.api.list(path, _USERS, metadata=True):
        if time.monotonic() > deadline:
            raise PlatformError("the pods of the hub and its sessions do not end")
        time.sleep(INTERVAL)
