# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendering the manifests of many releases and checking every one of them; the controller's work.

Processes of their own do it, one per core. They are started with their own interpreter and module, and spoken to
through pipes: the callers are Ansible's workers, which are forks with threads in them and whose modules come from
Ansible's own loader, so that neither forking again nor multiprocessing's ``spawn`` works there. Two threads would gain
a quarter only: Helm as a library lets go of Python's lock, but reading what it renders does not.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, TextIO

from ...errors import PlatformError
from .check import minor_version, schema_version
from .engine import engine
from .model import Engine, ManifestProblem, Release, Rendered

__all__ = ["Engine", "ManifestProblem", "Release", "Rendered", "engine", "render_all", "schema_version"]

_WORKER = "module_utils.platform.kubernetes.manifests.worker"
_PLUGINS = Path(__file__).resolve().parents[4]
#: Helm's library collects garbage less often (runtime/debug of Go): a third less time for 20 MB more.
_GARBAGE = {"GOGC": "400"}
_EXIT_TIMEOUT = 5


def render_all(
    releases: Iterable[Release], kube_version: str | None = None, processes: int | None = None
) -> Iterator[Rendered]:
    """Render and check releases; yield each as soon as it is done, in any order.

    kube_version: such as ``1.34``, for which is rendered and checked; without it Helm's own, and the newest schemas.
    processes: how many work side by side; as many as there are cores without it.
    Raises PlatformError where nothing can be rendered or checked here; a release that is wrong is told by its problems.
    """
    pending = list(releases)
    if kube_version:
        minor_version(kube_version)
    count = min(processes or _cores(), len(pending))
    if not count:
        return
    start = {"engine": vars(engine()), "kube_version": kube_version}
    workers: list[_Worker] = []
    idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()

    def render(release: Release) -> Rendered:
        worker = idle.get()
        try:
            return Rendered(**worker.ask(vars(release)))
        finally:
            idle.put(worker)

    with ThreadPoolExecutor(count) as threads:
        try:
            for _number in range(count):
                workers.append(_Worker())
            for worker in workers:
                worker.ask(start)
                idle.put(worker)
            tasks = [threads.submit(render, release) for release in pending]
            for task in as_completed(tasks):
                yield task.result()
        finally:
            # Also when the caller stops early: what waits is dropped, what runs loses its worker.
            threads.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.close()


def _cores() -> int:
    """Return how many cores this process may use, where the system tells (Linux), or else there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _problem(values: dict[str, Any]) -> ManifestProblem:
    return ManifestProblem(**{**values, "path": tuple(values["path"])})


class _Worker:
    """One process of manifests_worker.py."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", _WORKER],
            cwd=_PLUGINS,
            env={**_GARBAGE, **os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )
        self._questions: TextIO = self._process.stdin  # type: ignore[assignment]
        self._answers: TextIO = self._process.stdout  # type: ignore[assignment]

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Send one line, return the answer; raises PlatformError."""
        try:
            self._questions.write(json.dumps(question) + "\n")
            self._questions.flush()
            line = self._answers.readline()
        except OSError:
            line = ""
        if not line:
            status, what = self._process.wait(_EXIT_TIMEOUT), question.get("name", "its start")
            raise PlatformError(f"the process that renders manifests ended at {what}, with status {status}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PlatformError(answer["error"])
        if "problems" in answer:
            answer["problems"] = [_problem(problem) for problem in answer["problems"]]
        return answer

    def close(self) -> None:
        """End the process: it holds nothing that could get lost."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._questions, self._answers):
            try:
                pipe.close()
            except OSError:  # it held the rest of a question
                pass
