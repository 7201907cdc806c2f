# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check several hubs at once; nothing is left behind, even when interrupted."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Coroutine, Iterable, Sequence
from functools import partial
from typing import Any, Callable

from . import hub_api
from .choice_check import ChoiceCheck
from .client import HAS_AIOHTTP, HubClient
from .messages import CheckFailure
from .results import (
    ChoiceResult,
    HubResult,
    StepResult,
)
from .steps import step
from .stop import INTERRUPTED, Stop, handled_signals
from .targets import (
    CheckOptions,
    Choice,
    HubTarget,
)
from .users import remove_stale_users
from .waiting import (
    Deadline,
    gather_limited,
)

Progress = Callable[[str], None]
#: (hub, user) -> why the user's server does not start, as far as the platform knows, else "". Called in threads while
#: servers start; it has to limit its own time.
Explain = Callable[[str, str], str]
Results = list[HubResult]


def _ignore(line: str) -> None:
    pass


async def check_fleet(
    targets: Sequence[HubTarget],
    options: CheckOptions | None = None,
    progress: Progress | None = None,
    explain: Explain | None = None,
) -> list[HubResult]:
    """Check all hubs; return the results, failures included, in the order of the targets.

    progress: called with lines of progress. explain: asked for the reason while a server starts.
    When cancelled, remove servers and users first, within 20 s.
    """
    limits = options or CheckOptions()
    overall = Deadline(limits.deadline)

    async def check(target: HubTarget) -> HubResult:
        return await _HubCheck(target, limits, overall, progress or _ignore, explain).run()

    return await gather_limited(check, targets, limits.parallel_hubs)


class _HubCheck:
    """The check of one hub."""

    def __init__(
        self,
        target: HubTarget,
        options: CheckOptions,
        overall: Deadline,
        progress: Progress,
        explain: Explain | None = None,
    ) -> None:
        self.target = target
        self.options = options
        self.overall = overall
        self.progress = progress
        self.explain = partial(explain, target.name) if explain else None
        self.client = HubClient(target, connections=4 + 2 * options.parallel_servers_per_hub)
        self.result = HubResult(target.name, target.cluster, target.base_url)
        self.connecting: list[StepResult] = []

    def report(self, line: str) -> None:
        """Report a line of progress of this hub."""
        self.progress(self.client.cleaner.line(f"{self.target.name}: {line}"))

    async def run(self) -> HubResult:
        """Connect, remove users of earlier checks, and check each choice."""
        started, result = time.monotonic(), self.result
        try:
            async with self.client:
                await self._connect()
                result.choices = await gather_limited(
                    self._choice, self.target.choices, self.options.parallel_servers_per_hub
                )
        except CheckFailure as failure:
            self._unreachable(failure, time.monotonic() - started)
        result.seconds = time.monotonic() - started
        result.ok = result.error is None and all(choice.ok for choice in result.choices)
        return result

    async def _connect(self) -> None:
        """Run the step connect: the hub must answer and accept the token; then remove users of earlier checks."""
        limit = Deadline(self.options.request_timeout)
        async with step(self.connecting, "connect", limit, "the hub did not answer", self.overall) as deadline:
            self.result.version = await hub_api.connect(self.client, deadline)
            self.result.warnings += [*self.target.warnings, *await self.client.warnings()]
        limit = Deadline(self.options.stop_timeout)
        try:
            async with step([], "remove stale users", limit, "not done", self.overall) as deadline:
                await remove_stale_users(self.client, 2 * self.options.longest_choice, deadline, self.result)
        except CheckFailure as failure:
            if failure.status in (401, 403):
                raise
            line = f"removing users of earlier checks: {failure}"
            self.result.cleanup_problems.append(self.client.cleaner.line(line))
        if self.result.removed_users:
            self.report(f"removed {len(self.result.removed_users)} users of earlier checks")

    async def _choice(self, choice: Choice) -> ChoiceResult:
        """Check one choice."""
        choice_check = ChoiceCheck(
            self.client, choice, self.options, self.overall, self.report, self.explain, self.result.version or ""
        )
        choice_check.result.steps += self.connecting
        try:
            return await choice_check.run()
        finally:
            self.result.cleanup_problems += choice_check.cleanup_problems
            self.result.warnings += choice_check.warnings

    def _unreachable(self, failure: CheckFailure, seconds: float) -> None:
        """Record that all choices failed in the step connect."""
        error = self.client.cleaner.line(str(failure))
        self.result.error = error
        self.result.choices = [
            ChoiceResult(
                choice,
                steps=[StepResult("connect", seconds, False)],
                failed_step="connect",
                error=error,
            )
            for choice in self.target.choices
        ]
        self.report("failed in step connect")  # why is told below the table


def run_checks(
    targets: Sequence[HubTarget],
    options: CheckOptions | None = None,
    progress: Progress | None = None,
    explain: Explain | None = None,
    stop: Stop | None = None,
) -> list[HubResult]:
    """Run check_fleet() for callers without an event loop.

    In the main thread, SIGINT, SIGTERM and SIGHUP (unless ignored) end the check: servers and users are removed within
    20 s, then KeyboardInterrupt is raised. Further signals are ignored meanwhile. stop: does the same for a check in
    another thread. Raises RuntimeError without aiohttp.
    """
    if not HAS_AIOHTTP:
        raise RuntimeError("the check needs the Python package aiohttp: pip install aiohttp")
    report = progress or _ignore
    previous = handled_signals() if threading.current_thread() is threading.main_thread() else {}
    work = check_fleet(targets, options, report, explain)
    try:
        results = asyncio.run(_until_signal(work, previous, report, stop or Stop()))
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    if results is None:
        raise KeyboardInterrupt()
    return results


async def _until_signal(
    work: Coroutine[Any, Any, Results], caught: Iterable[Any], report: Progress, stop: Stop
) -> Results | None:
    """Return the result of ``work``, None where one of the signals, or the stop, ended it."""
    task = asyncio.ensure_future(work)
    ended = False

    def end() -> None:
        nonlocal ended
        if not ended:
            task.cancel()
        ended = True

    def end_by_signal() -> None:
        first = not ended
        end()
        if first:
            report(INTERRUPTED)

    loop = asyncio.get_running_loop()
    for number in caught:
        loop.add_signal_handler(number, end_by_signal)
    with stop.ending(lambda: loop.call_soon_threadsafe(end)):
        try:
            results = await task
        except asyncio.CancelledError:
            if not ended:
                raise
    return None if ended else results
