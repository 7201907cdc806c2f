# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of checks in threads, as of several clusters at once."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.run import run_checks
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.stop import INTERRUPTED, Stop
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import CheckOptions, Choice, HubTarget

SHORT = CheckOptions(request_timeout=3, start_timeout=3, kernel_timeout=3, stop_timeout=3)
CHOICES = [Choice("python", "small", {"profile": "python"}, "print(42)", "42")]


def test_a_signal_ends_the_checks_of_all_threads(hub: Any, hub_token: str, interruptible: None) -> None:
    hub.interrupt = ("run", "after")  # of one user; the server of the other one answers to the end
    targets = [HubTarget(name, name, hub.url, hub_token, CHOICES) for name in ("here", "there")]
    stop, lines, ended = Stop(), [], []
    before = signal.getsignal(signal.SIGINT)

    def check(target: HubTarget) -> None:
        try:
            run_checks([target], SHORT, lines.append, stop=stop)
        except KeyboardInterrupt:
            ended.append(target.name)
            raise

    with pytest.raises(KeyboardInterrupt), stop.on_signals(lines.append), ThreadPoolExecutor() as threads:
        list(threads.map(check, targets))
    assert ended and hub.interrupted
    assert hub.users == {}
    assert lines.count(INTERRUPTED) == 1
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_after_the_last_check_is_not_lost(interruptible: None) -> None:
    stop = Stop()
    with pytest.raises(KeyboardInterrupt), stop.on_signals(lambda _line: None):
        os.kill(os.getpid(), signal.SIGINT)


def test_ignored_signals_stay_ignored() -> None:
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Stop().on_signals(lambda _line: None):
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, previous)


def test_checks_that_start_too_late_end_at_once(hub: Any, hub_token: str) -> None:
    stop = Stop()
    stop.ask()
    result: list[Any] = []

    def check() -> None:
        with pytest.raises(KeyboardInterrupt):
            run_checks([HubTarget("here", "here", hub.url, hub_token, CHOICES)], SHORT, stop=stop)
        result.append("ended")

    thread = threading.Thread(target=check)
    thread.start()
    thread.join(10)
    assert result == ["ended"] and hub.ever == []
