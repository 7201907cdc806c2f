# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check against an imitated hub: the paths that a real one takes rarely."""

from __future__ import annotations

import dataclasses
import json
import signal
import threading
import time
from typing import Any, Callable

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check import choice_check, hub_api, users
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.messages import LastingReason
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.report import table
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.results import STEPS, HubResult
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.run import run_checks
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import (
    CheckOptions,
    Choice,
    HubTarget,
)

Check = Callable[..., HubResult]
OPTIONS = {"profile": "python", "size": "small"}
GOOD = Choice("python", "small", OPTIONS, "print(42)", "42", terminal_command="pip --version")
SHORT = CheckOptions(request_timeout=3, start_timeout=3, kernel_timeout=3, stop_timeout=3)


@pytest.fixture
def check(hub: Any, tokens: tuple[str, str]) -> Check:
    """Check the imitated hub; no token is in anything that comes out."""

    def run(choice: Choice = GOOD, options: CheckOptions = SHORT) -> HubResult:
        lines: list[str] = []
        target = HubTarget("demo", "here", hub.url, tokens[0], [choice])
        (result,) = run_checks([target], options, lines.append)
        everything = json.dumps(result.as_dict()) + repr(target) + "\n".join(lines + table([result]))
        for token in tokens:
            assert token not in everything
        assert all("\n" not in line for line in lines)
        return result

    return run


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that the imitated hub never answers are given up sooner."""
    monkeypatch.setattr(hub_api, "GRACE", 0.3)


def failure(result: HubResult) -> tuple[str | None, str]:
    """The failed step and the error of the only choice."""
    (only,) = result.choices
    assert not result.ok
    assert not only.ok
    return only.failed_step, only.error or ""


def test_all_steps(hub: Any, check: Check) -> None:
    result = check(dataclasses.replace(GOOD, interface="/viewer/"))
    assert result.ok
    assert result.version == "5.5.4"
    assert tuple(step.name for step in result.choices[0].steps) == STEPS
    assert hub.options == [{"profile": "python", "size": "small"}]
    assert hub.users == {}
    assert hub.ever[0].startswith(users.PREFIX)


@pytest.mark.parametrize("known", ["the image is not there", ""])
def test_the_platform_says_why_a_server_does_not_start(
    hub: Any, tokens: tuple[str, str], monkeypatch: pytest.MonkeyPatch, known: str
) -> None:
    monkeypatch.setattr(choice_check, "ASK_SECONDS", 0.05)
    hub.events, asked = [{"message": "waiting"}], []

    def explain(name: str, user: str) -> str:
        asked.append((name, user))
        return known if len(asked) == 1 else ""

    options = dataclasses.replace(SHORT, start_timeout=0.6)
    (result,) = run_checks([HubTarget("demo", "here", hub.url, tokens[0], [GOOD])], options, explain=explain)
    said = "; ".join(filter(None, ("the server was not ready within 0.6 s", known)))
    assert failure(result) == ("progress", said)
    assert len(asked) > 1
    assert set(asked) == {("demo", hub.ever[0])}
    assert hub.users == {}


def test_a_reason_that_lasts_ends_the_wait(hub: Any, tokens: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice_check, "ASK_SECONDS", 0.05)
    hub.events = [{"message": "waiting"}]
    options = dataclasses.replace(SHORT, start_timeout=60)
    target = HubTarget("demo", "here", hub.url, tokens[0], [GOOD])
    (result,) = run_checks([target], options, explain=lambda _name, _user: LastingReason("the image is not there"))
    assert failure(result) == ("progress", "the server does not start; the image is not there")
    assert result.seconds < 30
    assert hub.users == {}


def test_a_hub_is_reached_where_it_is_said_to_be(hub: Any, tokens: tuple[str, str]) -> None:
    """As through a forwarded port, whatever its name is, or wherever that leads."""
    port = int(hub.url.split(":")[2].split("/")[0])
    for name in ("hub.invalid", "hub.invalid:81", "localhost:1"):
        url = f"http://{name}/team/"
        target = HubTarget("demo", "here", url, tokens[0], [GOOD], connect_to=("127.0.0.1", port))
        (result,) = run_checks([target], SHORT)
        assert result.ok, result
        assert (result.url, result.warnings) == (url, [])


@pytest.mark.parametrize("kind", ["version", "list", "create", "start", "token", "kernel", "delete"])
@pytest.mark.parametrize("status", [429, 503])
def test_waits_as_long_as_the_hub_says(hub: Any, check: Check, kind: str, status: int) -> None:
    hub.first(kind, status, {"message": "busy"}, Retry_After="0.2")
    started = time.monotonic()
    assert check().ok
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(("kind", "step"), [("version", "connect"), ("start", "start")])
def test_does_not_wait_beyond_the_deadline(hub: Any, check: Check, kind: str, step: str) -> None:
    hub.always(kind, 503, {"message": "too many users"}, Retry_After="60")
    started = time.monotonic()
    failed, error = failure(check())
    assert failed == step
    assert "HTTP 503" in error
    assert "too many users" in error
    assert "60 s" in error
    assert time.monotonic() - started < 2
    assert hub.users == {}


@pytest.mark.parametrize("status", [400, 404, 500, 502])
def test_nothing_else_is_asked_twice(hub: Any, check: Check, status: int) -> None:
    hub.always("token", status, {"message": "out of order"})
    failed, error = failure(check())
    assert (failed, hub.counts["token"]) == ("token", 1)
    assert f"HTTP {status}" in error
    assert "out of order" in error
    assert hub.users == {}


def test_a_server_without_terminals_passes(hub: Any, check: Check) -> None:
    hub.always("terminal", 404, {"message": "Not Found"})
    result = check()
    assert result.ok
    assert "demo: python/small: no terminal was tried, since servers have none" in table([result])
    assert HubResult.from_dict(result.as_dict()).choices[0].skipped == result.choices[0].skipped


@pytest.mark.parametrize(
    ("command", "printed", "error"),
    [
        ("file", "mktemp: No space left on device", "a file could not be written into the home directory: mktemp: No"),
        (
            "pip",
            "\x1b[31msh: 1: pip: not found\x1b[0m",
            "'pip --version' failed in a terminal with exit code 127: sh: 1",
        ),
        ("pip", "", "it printed nothing"),
    ],
)
def test_a_terminal_that_is_of_no_use(hub: Any, check: Check, command: str, printed: str, error: str) -> None:
    hub.printed[command] = (printed, 127)
    failed, text = failure(check())
    assert failed == "terminal"
    assert error in text
    assert hub.users == {}


@pytest.mark.parametrize(("command", "error"), [("test -d", "is not there"), ("test -w", "cannot be written")])
def test_a_shared_directory_that_is_of_no_use(hub: Any, check: Check, command: str, error: str) -> None:
    choice = dataclasses.replace(GOOD, shared_directories={"a course": True, "data": False, "$(odd)": True})
    assert check(choice).ok
    assert [typed.count('~/"') for typed in hub.typed] == [0, 0, 1, 1, 1]
    hub.printed[command] = ("", 1)
    assert failure(check(choice)) == ("terminal", f"the shared directory ~/a course {error}")


@pytest.mark.parametrize(("version", "warned"), [("5.0.0", False), ("", False), ("4.1.6", True), ("6.1.0", True)])
def test_another_major_version_of_jupyterhub_is_told(hub: Any, check: Check, version: str, warned: bool) -> None:
    hub.server_version = version
    result = check()
    assert result.ok
    text = f"python/small has JupyterHub {version}, and the hub 5.5.4; use an image with the hub's major version"
    assert result.warnings == ([text] if warned else [])


VIEWER = dataclasses.replace(GOOD, interface="/viewer/?of={username}")


def test_the_interface_is_opened_as_a_browser_does(hub: Any, check: Check) -> None:
    assert check(VIEWER).ok and hub.counts["page"] == 1
    hub.answers["page"] = [(500, {}, "could not start viewer in time"), (302, {"Location": "maps/"}, "")]
    hub.counts.clear()
    assert check(VIEWER).ok and hub.counts["page"] == 3
    # where a page waits for a cookie
    again = {"Location": "?of=x", "Set-Cookie": "language=en; Path=/"}
    hub.answers["page"] = [(302, again, ""), (599, {}, "Stream closed"), (302, {"Location": "http://127.0.0.1/"}, "")]
    hub.cookies.clear()
    failed, text = failure(check(VIEWER))
    assert failed == "interface" and "it leads to http://127.0.0.1/" in text
    hub.answers["page"] = [(302, again, "")]
    assert check(VIEWER).ok and hub.cookies == ["language=en"]


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (404, {}, "opening /viewer/?of="),
        (
            302,
            {"Location": "https://elsewhere.example.org/"},
            "it leads to https://elsewhere.example.org/, which is not in",
        ),
        (302, {"Location": "/hub/login"}, "which is not in the user's server"),
        (302, {"Location": "../../viewer-of-another/"}, "which is not in the user's server"),
        (302, {"Location": "%2e%2e/%2e%2e/another/"}, "which is not in the user's server"),
        (302, {"Location": "http://[bad/"}, "it leads to 'http://[bad/', which is no address"),
        (302, {}, "it leads to nowhere"),
        (307, {"Location": "again"}, "more than 10 redirects"),
        (502, {}, "HTTP 502"),
    ],
)
def test_an_interface_that_is_of_no_use(
    hub: Any, check: Check, status: int, headers: dict[str, str], error: str
) -> None:
    hub.always("page", status, "no", **headers)
    failed, text = failure(check(VIEWER, options=dataclasses.replace(SHORT, kernel_timeout=2)))
    assert failed == "interface" and error in text, text
    assert hub.users == {}


def test_an_interface_that_never_answers(hub: Any, check: Check) -> None:
    hub.hang = "page"
    failed, text = failure(check(VIEWER, options=dataclasses.replace(SHORT, kernel_timeout=0.5)))
    assert (failed, text) == ("interface", "the interface did not answer within 0.5 s")


def test_a_shell_that_ends(hub: Any, check: Check) -> None:
    hub.shell_ends = True
    assert failure(check()) == ("terminal", "the shell of the terminal ended before its command had finished")


def test_a_terminal_that_does_not_answer(hub: Any, check: Check) -> None:
    hub.hang = "typing"
    failed, text = failure(check(options=dataclasses.replace(SHORT, kernel_timeout=0.5)))
    assert (failed, text) == ("terminal", "the commands did not finish within 0.5 s")


def test_without_a_command_only_a_file_is_written(hub: Any, check: Check) -> None:
    assert check(dataclasses.replace(GOOD, terminal_command="")).ok
    assert len(hub.typed) == 1
    # what is typed is repeated by the terminal, and must not be taken for its result
    assert hub.typed[0].startswith("sh -c '") and hub.typed[0].count("'") == 2


def test_a_failed_start_is_explained_by_the_servers_log(hub: Any, check: Check) -> None:
    hub.events = [{"message": "building"}, {"failed": True, "message": "Spawn failed: no memory"}]
    hub.log = [f"line {number}" for number in range(30)] + ["\x1b[31mred\x1b[0m"]
    result = check()
    assert failure(result) == ("progress", "Spawn failed: no memory")
    assert result.choices[0].log_lines == [*(f"line {n}" for n in range(11, 30)), "red"]
    assert hub.users == {}


def test_without_a_log_the_spawners_messages_are_shown(hub: Any, check: Check) -> None:
    hub.events = [{"message": "building"}, {"failed": True, "message": "Spawn failed"}]
    assert check().choices[0].log_lines == ["building", "Spawn failed"]


def test_a_progress_stream_that_ends_early_is_opened_again(hub: Any, check: Check) -> None:
    hub.events = [{"message": "half"}]
    timer = threading.Timer(0.3, lambda: hub.events.append({"ready": True}))
    timer.start()
    assert check().ok
    timer.join()
    assert hub.counts["progress"] > 1


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        (["status busy", "status dead"], "the kernel died (status dead)"),
        (["status busy", "status restarting"], "the kernel died (status restarting)"),
        (["status busy", "close 1001"], "closed before the code had finished (code 1001)"),
        (["error bad value"], "the code failed: ValueError: bad value"),
        (["reply ok", "status idle"], "printed '', not '42'"),
        (["stdout 42", "stdout  43", "reply ok", "status idle"], "printed '42 43', not '42'"),
        (["stderr oh no", "reply ok", "status idle"], "stderr ends in 'oh no'"),
    ],
)
def test_code_that_goes_wrong(hub: Any, check: Check, messages: list[str], error: str) -> None:
    hub.messages = messages
    failed, text = failure(check())
    assert failed == "run"
    assert error in text
    assert hub.users == {}


@pytest.mark.parametrize(
    ("kind", "step", "error"),
    [
        ("version", "connect", "the hub did not answer within 0.5 s"),
        ("create", "create user", "the hub did not answer within 0.5 s"),
        ("progress", "progress", "the server was not ready within 0.5 s"),
        ("kernel", "kernel", "no kernel was started within 0.5 s"),
        ("run", "run", "the code did not finish within 0.5 s"),
    ],
)
def test_every_step_has_a_limit(hub: Any, check: Check, kind: str, step: str, error: str) -> None:
    hub.hang = kind
    half = CheckOptions(request_timeout=0.5, start_timeout=0.5, kernel_timeout=0.5)
    assert failure(check(options=half)) == (step, error)
    assert hub.users == {}


def test_the_limit_of_the_whole_check(hub: Any, check: Check) -> None:
    hub.hang = "run"
    failed, error = failure(check(options=CheckOptions(deadline=0.5)))
    assert (failed, error) == ("run", "the time limit of the whole check (0.5 s) was reached")
    assert hub.users == {}


def test_a_server_that_cannot_be_stopped_at_once(hub: Any, check: Check) -> None:
    hub.first("stop", 500, {"message": "still starting"})
    result = check()
    failed, error = failure(result)
    assert failed == "stop"
    assert "still starting" in error
    assert result.cleanup_problems == []
    assert hub.users == {}


def test_what_stays_behind_is_named(hub: Any, check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice_check, "RETRY_SECONDS", 0.5)
    hub.always("delete", 500, {"message": "disk full"})
    result = check()
    assert failure(result)[0] == "delete user"
    (problem,) = result.cleanup_problems
    assert hub.ever[0] in problem
    assert "disk full" in problem
    assert any(problem in line for line in table([result]))


STEP_KINDS = ["version", "list", "create", "start", "token", "kernel", "user", "stop", "delete"]
MOMENTS = [(kind, when) for kind in STEP_KINDS for when in ("before", "after")]


@pytest.mark.parametrize("moment", [*MOMENTS, ("progress", "after"), ("run", "after")])
def test_an_interruption_leaves_nothing(hub: Any, hub_token: str, moment: tuple[str, str], interruptible: None) -> None:
    hub.interrupt = moment
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    target = HubTarget("demo", "here", hub.url, hub_token, [GOOD])
    lines: list[str] = []
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_checks([target], SHORT, lines.append)
    assert time.monotonic() - started < 6
    assert hub.interrupted
    assert hub.users == {}
    assert "interrupted" in lines[-1]
    assert before == {number: signal.getsignal(number) for number in before}


def test_only_old_users_of_checks_are_removed(hub: Any, hub_token: str) -> None:
    now = int(time.time())
    old = [f"{users.PREFIX}{users.base36(now - 1900 - each)}-00000{each}" for each in range(3)]
    kept = [
        f"{users.PREFIX}{users.base36(now - 60)}-abcdef",
        f"{users.PREFIX}person",
        "person",
        f"x-{old[0]}",
    ]
    hub.users = {**dict.fromkeys(kept, "ready"), **dict.fromkeys(old, "ready")}
    (result,) = run_checks([HubTarget("demo", "here", hub.url, hub_token)], SHORT)
    assert result.ok
    assert sorted(result.removed_users) == sorted(old)
    assert hub.users == dict.fromkeys(kept, "ready")


def test_tokens_are_hidden_even_if_the_hub_shows_them(hub: Any, check: Check, tokens: tuple[str, str]) -> None:
    hub.always("kernel", 500, {"message": f"bad header: token {tokens[0]}, {tokens[1]}"})
    hub.log = [f"GET /?token={tokens[1]}", f"JUPYTERHUB_API_TOKEN={tokens[0]}"]
    result = check()
    assert failure(result)[0] == "kernel"
    assert len(result.choices[0].log_lines) == 2


def test_one_hub_that_is_down_does_not_hold_up_the_others(hub: Any, hub_token: str) -> None:
    down = HubTarget("down", "here", "http://127.0.0.1:1/", hub_token, [GOOD])
    up = HubTarget("up", "here", hub.url, hub_token, [GOOD, GOOD])
    first, second = run_checks([down, up], CheckOptions(parallel_hubs=1))
    assert failure(first)[0] == "connect"
    assert "no connection to 127.0.0.1:1: nothing listens there" in (first.error or "")
    assert second.ok
    assert len(second.choices) == 2


@pytest.mark.parametrize(
    ("status", "body", "headers", "error"),
    [
        (200, "<html>hello", {}, "not a JupyterHub"),
        (302, "", {"Location": "https://login.example.org/"}, "check the hub's address"),
        (404, "<html>", {}, "HTTP 404"),
    ],
)
def test_something_else_at_the_address(
    hub: Any, check: Check, status: int, body: str, headers: dict[str, str], error: str
) -> None:
    hub.always("version", status, body, **headers)
    failed, text = failure(check())
    assert failed == "connect"
    assert error in text
    assert "<html>" not in text


@pytest.mark.parametrize(
    ("url", "verify", "error"),
    [
        ("http://[::1/", True, "is not a valid address"),
        ("http://[::1]:1/", True, "no connection to [::1]:1: nothing listens there"),
        ("https://127.0.0.1:1/", "/does/not/exist.pem", "from /does/not/exist.pem: there is no such file"),
        ("https://127.0.0.1:1/", __file__, f"from {__file__}: it holds no certificates in PEM format"),
        ("http://no-such-host.invalid/", True, "cannot be resolved"),
        ("ftp://127.0.0.1/", True, ""),
    ],
)
def test_an_address_that_cannot_work(url: str, verify: Any, error: str) -> None:
    pytest.importorskip("aiohttp")
    (result,) = run_checks([HubTarget("demo", "here", url, "x" * 20, [GOOD], verify)])
    failed, text = failure(result)
    assert failed == "connect"
    assert error in text
    assert "Traceback" not in text
