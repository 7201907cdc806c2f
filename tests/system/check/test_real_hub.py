# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check against a real JupyterHub with real servers and kernels."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

import pytest

pytest.importorskip("aiohttp")

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check import report, targets, users
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.results import STEPS, HubResult
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.run import run_checks
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import (
    CheckOptions,
    Choice,
    HubTarget,
)

COLLECTIONS = Path(targets.__file__).parents[6]
CODE = "import sys; print(6 * 7); print('done')"
GOOD = Choice("python", "small", {}, CODE, "42\ndone", terminal_command="pip --version", interface="/lab")
LIMITS = CheckOptions(start_timeout=60, kernel_timeout=30, stop_timeout=30)
PROGRAM = f"""
import json, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from {run_checks.__module__} import run_checks
from {targets.__name__} import Choice, HubTarget
url, token, code = sys.argv[1], os.environ["CHECK_TEST_TOKEN"], sys.argv[2]
target = HubTarget("demo", "here", url, token, [Choice("python", "small", {{}}, code, "")])
try:
    run_checks([target], progress=lambda line: print(line, flush=True))
except KeyboardInterrupt:
    print("KeyboardInterrupt", flush=True)
    sys.exit(130)
"""


def check(hub: Any, *choices: Choice, options: CheckOptions = LIMITS) -> HubResult:
    """Check the hub; whatever happens, no secret is in the results and nothing is left."""
    target = HubTarget("demo", "here", hub.url, hub.token, list(choices))
    lines: list[str] = []
    (result,) = run_checks([target], options, lines.append)
    print("\n".join(lines + report.table([result])))
    assert hub.token not in json.dumps(result.as_dict()) + "".join(lines)
    assert_clean(hub)
    assert result.cleanup_problems == []
    return result


def assert_clean(hub: Any) -> None:
    """No user and no process of a check is there (processes may take a moment to end)."""
    assert [user["name"] for user in hub.users()] == []
    end = time.monotonic() + 10
    while hub.processes() and time.monotonic() < end:
        time.sleep(0.1)
    assert hub.processes() == []


def test_a_healthy_hub(hub: Any) -> None:
    result = check(hub, GOOD)
    assert result.ok, result.as_dict()
    assert result.version == "5.5.4"
    steps = result.choices[0].steps
    assert [step.name for step in steps] == list(STEPS)
    assert all(step.ok for step in steps)
    print({step.name: round(step.seconds, 2) for step in steps})


def test_choices_side_by_side(hub: Any) -> None:
    options = CheckOptions(parallel_servers_per_hub=3)
    result = check(hub, GOOD, GOOD, GOOD, options=options)
    assert [choice.ok for choice in result.choices] == [True] * 3


@pytest.mark.parametrize(
    ("choice", "step", "error"),
    [
        (Choice("broken", "", {"profile": "broken"}), "progress", "no environment broken"),
        (Choice("python", "", {}, "print(1)", "2"), "run", "printed '1', not '2'"),
        (Choice("python", "", {}, "import nothere", ""), "run", "No module named 'nothere'"),
        (Choice("python", "", {}, "import os; os._exit(1)", ""), "run", "the kernel died"),
        (Choice("python", "", {}, "1", "", kernel="nothere"), "kernel", "HTTP 500"),
        (Choice("python", "", terminal_command="no-such-program"), "terminal", "exit code 127: sh: 1: no-such-program"),
    ],
)
def test_failures_name_step_and_reason(hub: Any, choice: Choice, step: str, error: str) -> None:
    result = check(hub, choice)
    assert not result.ok
    assert result.choices[0].failed_step == step
    assert error in (result.choices[0].error or "")


def test_a_server_without_terminals(hub: Any) -> None:
    result = check(hub, Choice("python", "", {"profile": "without-terminals"}, terminal_command="pip --version"))
    assert result.ok and result.choices[0].skipped


def test_a_home_that_cannot_be_written(hub: Any) -> None:
    """As one whose disk is full; the kernel runs all the same."""
    result = check(hub, Choice("python", "", {"profile": "full"}))
    assert result.choices[0].failed_step == "terminal"
    assert "a file could not be written into the home directory: mktemp: " in (result.choices[0].error or "")


def test_a_start_that_takes_too_long(hub: Any) -> None:
    result = check(hub, GOOD, options=CheckOptions(start_timeout=0.5))
    assert result.choices[0].failed_step == "progress"
    assert "not ready within" in (result.choices[0].error or "")


def test_a_wrong_token(hub: Any) -> None:
    target = HubTarget("demo", "here", hub.url, "no-such-token", [GOOD])
    (result,) = run_checks([target])
    assert result.choices[0].failed_step == "connect"
    assert "HTTP 403" in (result.error or "")
    assert "no-such-token" not in json.dumps(result.as_dict())


def test_users_left_by_a_killed_check_are_removed_later(hub: Any) -> None:
    now = int(time.time())
    old, young = (f"{users.PREFIX}{users.base36(now - age)}-abcdef" for age in (7200, 60))
    other = f"{users.PREFIX}person"
    for name in (old, young, other):
        assert hub.api("POST", f"users/{name}")[0] == 201
    assert hub.api("POST", f"users/{old}/server")[0] in (201, 202)
    target = HubTarget("demo", "here", hub.url, hub.token, [])
    (result,) = run_checks([target])
    assert result.ok, result.as_dict()
    assert result.removed_users == [old]
    assert {user["name"] for user in hub.users()} == {young, other}
    for name in (young, other):
        hub.api("DELETE", f"users/{name}")
    assert_clean(hub)


def starting(hub: Any) -> bool:
    """A server is starting."""
    return any(user.get("pending") == "spawn" for user in hub.users())


def running(hub: Any) -> bool:
    """A kernel runs."""
    return any(b"hubfleet_environment.kernel" in command for command in map(command_line, hub.processes()))


def command_line(pid: int) -> bytes:
    """The command line of a process, empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def user_there(hub: Any) -> bool:
    """The user exists."""
    return bool(hub.users())


@pytest.mark.parametrize("moment", [user_there, starting, running])
@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM, signal.SIGINT]])
def test_an_interrupted_check_leaves_nothing(
    hub: Any, moment: Callable[[Any], bool], signals: list[signal.Signals]
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, hub.url, "import time; time.sleep(60)"],
        env={**os.environ, "PYTHONPATH": str(COLLECTIONS), "CHECK_TEST_TOKEN": hub.token},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + 30
    while not moment(hub):
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.02)
    interrupted = time.monotonic()
    for number in signals:
        process.send_signal(number)
        time.sleep(0.1)
    output, _none = process.communicate(timeout=25)
    print(f"{output}\ncleaned up in {time.monotonic() - interrupted:.1f} s")
    assert process.returncode == 130
    assert output.splitlines()[-1] == "KeyboardInterrupt"
    assert "Traceback" not in output
    assert "left behind" not in output
    assert hub.token not in output
    assert_clean(hub)
