# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deadlines, and coroutines that must finish although their task is cancelled.

Needs Python 3.11, or the package async_timeout (which aiohttp brings along on older ones).
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Coroutine, Iterable
from typing import Any, Callable, TypeVar

T = TypeVar("T")

if sys.version_info >= (3, 11):
    from asyncio import timeout
else:
    try:
        from async_timeout import timeout
    except ImportError:  # reported by client.AIOHTTP_IMPORT_ERROR
        timeout = None


class Deadline:
    """A time on the monotonic clock, in seconds from now; None means never."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = float("inf") if seconds is None else max(0.0, seconds)
        self._end = time.monotonic() + self.seconds

    @property
    def remaining(self) -> float:
        """The seconds left: 0 or more, possibly infinite."""
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether the time is over."""
        return self.remaining <= 0

    def within(self, seconds: float) -> Deadline:
        """Return a deadline in that many seconds, or this one where it is earlier."""
        return Deadline(min(seconds, self.remaining))


def within(deadline: Deadline) -> Any:
    """Return an asynchronous context manager that raises TimeoutError once the deadline has passed."""
    return timeout(None if deadline.remaining == float("inf") else deadline.remaining)


async def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Await ``work`` to its end, even if the current task is cancelled meanwhile.

    Return its result or raise its error; a cancellation is raised afterwards. The work must limit its own time.
    """
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        if not task.cancelled():
            task.exception()
        raise asyncio.CancelledError()
    return task.result()


async def with_grace(work: Coroutine[Any, Any, T], grace: float) -> T:
    """Await ``work``; when cancelled, wait up to ``grace`` seconds for it to finish.

    For requests that change something: once answered, they cannot overtake the requests that clean up.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await run_to_end(_finish({task}, grace))
        raise


async def _finish(tasks: set[asyncio.Future[Any]], grace: float | None) -> None:
    """Wait up to ``grace`` seconds for the tasks, cancel those that are not done, and wait for them."""
    _done, pending = await asyncio.wait(tasks, timeout=grace)
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.wait(pending)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # marks it as retrieved


async def gather_limited(work: Callable[[T], Awaitable[Any]], items: Iterable[T], at_once: int) -> list[Any]:
    """Run ``work`` for each item, ``at_once`` at a time; return the results in the order of the items.

    When cancelled, cancel all and wait until they have ended.
    """
    semaphore = asyncio.Semaphore(max(1, at_once))

    async def limited(item: T) -> Any:
        async with semaphore:
            return await work(item)

    tasks = [asyncio.ensure_future(limited(item)) for item in items]
    if not tasks:
        return []
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await run_to_end(_finish(set(tasks), None))
        raise
    return [task.result() for task in tasks]


async def poll(
    condition: Callable[[], Awaitable[bool]], deadline: Deadline, first: float = 0.05, most: float = 0.5
) -> bool:
    """Wait until ``condition`` is true; return whether it was before the deadline."""
    pause = first
    while not await condition():
        if deadline.passed:
            return False
        await asyncio.sleep(min(pause, deadline.remaining))
        pause = min(most, pause * 1.5)
    return True
