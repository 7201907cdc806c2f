# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Render and validate the manifests of many releases in processes, one per core.

The processes are started as ``python -m`` and communicate through pipes: action plugins run in forks with threads,
and Ansible's loader imports their modules, so neither another fork nor multiprocessing's ``spawn`` works. Two threads
gain only a quarter: the library releases the global interpreter lock, but parsing its output does not.
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
#: Less frequent garbage collection in Helm's library (runtime/debug of Go): a third less time for 20 MB more.
_GARBAGE = {"GOGC": "400"}
_EXIT_TIMEOUT = 5


def render_all(
    releases: Iterable[Release], kube_version: str | None = None, processes: int | None = None
) -> Iterator[Rendered]:
    """Render and validate releases; yield each as soon as it is done, in any order.

    kube_version: such as ``1.34``; without it, Helm's default and the newest schemas are used.
    processes: number of processes; the number of cores by default.
    Raises PlatformError where nothing can be rendered or validated; problems of a release are in its result.
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
            return Rendered(**worker.request(vars(release)))
        finally:
            idle.put(worker)

    with ThreadPoolExecutor(count) as threads:
        try:
            for _number in range(count):
                workers.append(_Worker())
            for worker in workers:
                worker.request(start)
                idle.put(worker)
            tasks = [threads.submit(render, release) for release in pending]
            for task in as_completed(tasks):
                yield task.result()
        finally:
            # Also when the caller stops early: waiting tasks are cancelled, running ones lose their process.
            threads.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.close()


def _cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _problem(values: dict[str, Any]) -> ManifestProblem:
    return ManifestProblem(**{**values, "path": tuple(values["path"])})


class _Worker:
    """One process of worker.py."""

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
        self._requests: TextIO = self._process.stdin  # type: ignore[assignment]
        self._answers: TextIO = self._process.stdout  # type: ignore[assignment]

    def request(self, content: dict[str, Any]) -> dict[str, Any]:
        """Send one line and return the answer; raises PlatformError."""
        try:
            self._requests.write(json.dumps(content) + "\n")
            self._requests.flush()
            line = self._answers.readline()
        except OSError:
            line = ""
        if not line:
            status, what = self._process.wait(_EXIT_TIMEOUT), content.get("name", "its start")
            raise PlatformError(f"the process that renders manifests ended at {what}, with status {status}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PlatformError(answer["error"])
        if "problems" in answer:
            answer["problems"] = [_problem(problem) for problem in answer["problems"]]
        return answer

    def close(self) -> None:
        """End the process, which has no state to lose."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            try:
                pipe.close()
            except OSError:  # with the rest of a request
                pass
