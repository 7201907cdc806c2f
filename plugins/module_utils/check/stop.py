# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""End checks that run in threads: only the main thread learns of signals."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
INTERRUPTED = "interrupted: removing the servers and users of this check (20 s at most)"


class Stop:
    """A request to end all checks that know of it."""

    def __init__(self) -> None:
        self.asked = False
        self._enders: set[Callable[[], object]] = set()
        # Reentrant, since a second signal may arrive while the first one is handled.
        self._lock = threading.RLock()

    def ask(self) -> None:
        """End the checks."""
        with self._lock:
            self.asked = True
            for end in self._enders:
                end()

    @contextmanager
    def ending(self, end: Callable[[], object]) -> Iterator[None]:
        """Call ``end`` when the end is asked for meanwhile, or was before. It is called in other threads."""
        with self._lock:
            self._enders.add(end)
            if self.asked:
                end()
        try:
            yield
        finally:
            with self._lock:
                self._enders.discard(end)

    @contextmanager
    def on_signals(self, report: Callable[[str], None]) -> Iterator[None]:
        """Let signals (unless ignored) ask for the end while the main thread waits, then raise KeyboardInterrupt."""

        def ask(_number: int, _frame: Any) -> None:
            first = not self.asked
            self.ask()
            if first:
                report(INTERRUPTED)

        previous = handled_signals()
        for number in previous:
            signal.signal(number, ask)
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
        if self.asked:
            raise KeyboardInterrupt()


def handled_signals() -> dict[Any, Any]:
    """Return the signals that may end a check -> their handlers; without those that are ignored."""
    found = {number: signal.getsignal(number) for number in SIGNALS}
    return {number: handler for number, handler in found.items() if handler not in (signal.SIG_IGN, None)}
