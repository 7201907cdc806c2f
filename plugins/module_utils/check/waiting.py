# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deadlines, and work that must be finished although the task around it is cancelled.

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
    except ImportError:  # told to the user by client.AIOHTTP_IMPORT_ERROR
        timeout = None


class Deadline:
    """A moment on the monotonic clock, some seconds from now; None means never."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = float("inf") if seconds is None else max(0.0, seconds)
        self._end = time.monotonic() + self.seconds

    @property
    def remaining(self) -> float:
        """Seconds left, at least 0, possibly infinite."""
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.remaining <= 0

    def within(self, seconds: float) -> Deadline:
        """A deadline in so many seconds, but not after this one."""
        return Deadline(min(seconds, self.remaining))


def within(deadline: Deadline) -> Any:
    """Asynchronous context: TimeoutError in its body once the deadline has passed."""
    return timeout(None if deadline.remaining == float("inf") else deadline.remaining)


async def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Await work to its end however often the current task is cancelled meanwhile.

    The result is returned, or the error raised; a cancellation that came meanwhile is raised
    afterwards. The work has to limit its own time.
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


async def settle(work: Coroutine[Any, Any, T], grace: float) -> T:
    """Await work; when cancelled, let it go on for up to grace seconds before giving up.

    For requests that change something: after the answer it is known that what follows cannot be
    overtaken by them.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await run_to_end(_finish({task}, grace))
        raise


async def _finish(tasks: set[asyncio.Future[Any]], grace: float | None) -> None:
    """Wait up to grace seconds for the tasks, cancel the others, and wait for those too."""
    _done, pending = await asyncio.wait(tasks, timeout=grace)
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.wait(pending)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # taken notice of


async def gather_limited(work: Callable[[T], Awaitable[Any]], items: Iterable[T], at_once: int) -> list[Any]:
    """Do work for each item, at_once at a time; results are in the order of the items.

    When cancelled, all are cancelled, and all have ended before the cancellation is raised.
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


async def poll(look: Callable[[], Awaitable[bool]], deadline: Deadline, first: float = 0.05, most: float = 0.5) -> bool:
    """Call look until it returns true (then True) or the deadline has passed (then False)."""
    pause = first
    while not await look():
        if deadline.passed:
            return False
        await asyncio.sleep(min(pause, deadline.remaining))
        pause = min(most, pause * 1.5)
    return True
