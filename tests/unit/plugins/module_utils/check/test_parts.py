# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the check that need no hub."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check import client, users
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.messages import MessageCleaner
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.report import table
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.results import (
    ChoiceResult,
    HubResult,
    StepResult,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.run import run_checks
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import Choice, HubTarget
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.waiting import (
    gather_limited,
    run_to_end,
    with_grace,
)


def test_the_age_is_part_of_the_name() -> None:
    hub = client.HubClient(HubTarget("demo", "here", "http://127.0.0.1/", "t"))
    hub.clock_offset = -5000
    name = users.new_user_name(hub)
    assert len(name) <= 32
    assert abs((users.creation_time(name) or 0) - (time.time() - 5000)) < 3
    assert users.creation_time("hubfleet-check-someone") is None
    assert users.creation_time("x" + name) is None
    assert users.base36(0) == "0"
    assert int(users.base36(123456789), 36) == 123456789


@pytest.mark.parametrize(
    ("header", "attempts", "seconds"),
    [
        ("7", 1, 7.0),
        ("0", 1, 0.05),
        (None, 1, 1.0),
        (None, 3, 4.0),
        (None, 9, 10.0),
        ("soon", 2, 2),
    ],
)
def test_retry_after(header: str | None, attempts: int, seconds: float) -> None:
    assert client.retry_after(header, attempts) == seconds


def test_retry_after_as_a_date() -> None:
    assert 55 < client.retry_after(formatdate(time.time() + 60, usegmt=True), 1) <= 60


def test_texts_are_one_line_without_secrets() -> None:
    cleaner = MessageCleaner("se\ncret", "abc123")
    assert cleaner.line("a\r\n\x1b[1mb\x1b[0m se\ncret abc123") == "a b *** ***"
    assert cleaner.line("?token=0123456789abcdefgh&x") == "?token=***&x"
    assert cleaner.line("the token is invalid") == "the token is invalid"
    assert len(cleaner.line("x" * 1000)) == 400
    assert cleaner.lines(["", "a", "b", "c"], 2) == ["b", "c"]


def test_work_is_finished_although_cancelled_twice() -> None:
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.1)
        done.append("work")

    async def scenario() -> None:
        task = asyncio.ensure_future(run_to_end(work()))
        for _each in range(2):
            await asyncio.sleep(0.01)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert done == ["work"]


@pytest.mark.parametrize(("grace", "expected"), [(1.0, ["sent"]), (0.01, [])])
def test_a_request_under_way_gets_some_grace(grace: float, expected: list[str]) -> None:
    done: list[str] = []

    async def request() -> None:
        await asyncio.sleep(0.1)
        done.append("sent")

    async def scenario() -> None:
        task = asyncio.ensure_future(with_grace(request(), grace))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert done == expected


def test_no_more_at_once_than_allowed() -> None:
    running: set[int] = set()
    most = 0

    async def work(number: int) -> int:
        nonlocal most
        running.add(number)
        most = max(most, len(running))
        await asyncio.sleep(0.01)
        running.discard(number)
        return number * 2

    assert asyncio.run(gather_limited(work, range(7), 3)) == [0, 2, 4, 6, 8, 10, 12]
    assert most == 3
    assert asyncio.run(gather_limited(work, [], 3)) == []


def test_without_aiohttp_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.run.HAS_AIOHTTP", False)
    with pytest.raises(RuntimeError, match="pip install aiohttp"):
        run_checks([])


def test_the_table() -> None:
    good = ChoiceResult(Choice("python", "small"), ok=True)
    good.steps = [
        StepResult("start", 0.5, True),
        StepResult("progress", 1.5, True),
        StepResult("run", 0.25, True),
    ]
    bad = ChoiceResult(Choice("r", "", label="R"), failed_step="start", error="HTTP 500")
    bad.log_lines = ["one", "two"]
    bad.steps = [StepResult("start", 10.0, False)]
    hubs = [
        HubResult("demo", "here", "http://demo/", choices=[good, bad], seconds=12.0),
        HubResult("empty", "here", "http://empty/", ok=True, seconds=0.04),
        HubResult("lost", "here", "http://lost/", error="no connection", seconds=0.1),
    ]
    assert table(hubs) == [
        "hub    environment/size  result  start s  kernel s  code s  total s",
        "demo   python/small      ok          2.0         -     0.2      2.2",
        "demo   R                 FAILED     10.0         -       -     10.0",
        "empty  -                 ok            -         -       -      0.0",
        "lost   -                 FAILED        -         -       -      0.1",
        "",
        "demo: R failed in step start: HTTP 500",
        "    one",
        "    two",
        "lost: failed in step connect (http://lost/): no connection",
    ]
