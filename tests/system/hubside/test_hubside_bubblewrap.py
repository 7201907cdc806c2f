# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real hub of an ordinary user: each server in a sandbox."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hubside_client import wait_for
from hubside_rig import Hub
from hubside_tools import needs_bwrap

pytestmark = needs_bwrap

CHECK = "hubfleet-check-one"

LOOK = """
import glob, json, os
tokens, mine = [], os.environ["JUPYTERHUB_API_TOKEN"]
for name in glob.glob("/proc/[0-9]*/environ"):
    try:
        text = open(name, errors="replace").read()
    except OSError:
        continue
    tokens += [part for part in text.split("\\0") if "TOKEN" in part and mine not in part]
print(json.dumps({"there": [path for path in PATHS if os.path.exists(path)], "tokens": len(tokens),
    "run": os.listdir("/run"), "processes": len(glob.glob("/proc/[0-9]*")),
    "environments": os.listdir(os.path.dirname(os.environ["VIRTUAL_ENV"])),
    "writable": os.access(os.environ["VIRTUAL_ENV"], os.W_OK)}))
"""


@pytest.fixture(scope="module")
def hub(make_user_hub: Callable[..., Hub]) -> Iterator[Hub]:
    """A hub without any rights."""
    hub = make_user_hub("small")
    hub.start("proxy", "hub")
    assert hub.start_server(CHECK, {"profile": "python", "size": "large"}).get("ready")
    assert hub.start_server("bob", {}).get("ready")
    yield hub


def test_users_are_kept_apart(hub: Hub) -> None:
    hub.kernel("bob").run("open('mine.txt', 'w').write('mine')")
    assert (hub.homes / "bob" / "mine.txt").read_text() == "mine"
    paths = [
        str(hub.homes / "bob"),
        str(hub.directory),
        str(hub.directory / "jupyterhub.sqlite"),
        str(hub.directory / "secrets"),
        str(hub.tools.hub),
        str(hub.tools.broken),
        "/root",
        "/home",
        str(hub.homes / CHECK),
    ]
    found = json.loads(hub.kernel(CHECK).run(f"PATHS = {paths!r}{LOOK}"))
    assert found["there"] == [str(hub.homes / CHECK)]
    assert found["tokens"] == 0
    assert found["environments"] == [hub.tools.user.name] and not found["writable"]
    assert found["processes"] < 10
    assert found["run"] == ["jupyter"]


def test_a_killed_hub_leaves_kernels_alone(hub: Hub) -> None:
    kernel = hub.kernel("bob")
    kernel.run("x = 12345")
    hub.kill("hub")
    hub.start("hub")
    assert kernel.run("print(x)").strip() == "12345"


def test_stop_is_graceful_and_leaves_no_process(hub: Hub) -> None:
    hub.kernel("bob").run("import subprocess; subprocess.Popen(['setsid', 'nohup', 'sleep', '611'])")
    shim = hub.server_pid("bob")
    assert hub.api("DELETE", "users/bob/server")[0] in (202, 204)
    wait_for("bob's sandbox to end", lambda: not alive(shim), 30)
    sleeping = [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"611" in read(path).split(b"\0")]
    assert not sleeping
    status, answer = hub.api("GET", "hubfleet/servers/bob/log?lines=30")
    assert status == 200 and "Interrupted" in "\n".join(answer["lines"]), answer


def test_nothing_is_left_of_a_check_user(hub: Hub) -> None:
    shim = hub.server_pid(CHECK)
    assert hub.api("DELETE", f"users/{CHECK}")[0] in (202, 204)
    wait_for("the user to be gone", lambda: hub.api("GET", f"users/{CHECK}")[0] == 404)
    assert not (hub.homes / CHECK).exists() and not alive(shim)
    assert not list((hub.directory / "logs" / "servers").glob(f"{CHECK}*"))
    assert (hub.homes / "bob").exists()


def test_a_failing_server_says_why(hub: Hub) -> None:
    event = hub.start_server("bob", {"profile": "broken"})
    assert event["failed"] and "no_such_module" in event["message"]


def test_without_isolation(make_user_hub: Callable[..., Hub]) -> None:
    hub = make_user_hub("alone", isolation="none")
    hub.start("proxy", "hub")
    assert hub.start_server(CHECK).get("ready")
    assert hub.kernel(CHECK).run("print(6 * 7)").strip() == "42"
    assert hub.api("DELETE", f"users/{CHECK}")[0] in (202, 204)
    wait_for("the user to be gone", lambda: hub.api("GET", f"users/{CHECK}")[0] == 404)
    assert not (hub.homes / CHECK).exists() and not os.listdir(hub.settings["runtime"])


def alive(pid: int) -> bool:
    """Whether the process lives; a zombie does not."""
    from hubfleet_hub import processes

    return bool(processes.identity(pid))


def read(path: Path) -> bytes:
    """A file of /proc, empty when its process is gone."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
