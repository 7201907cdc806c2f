# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real hub with system accounts: choices, servers, crashes, removal of users."""

from __future__ import annotations

import json
import os
import pwd
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hub_client import wait_for
from runtime_rig import Hub
from runtime_tools import needs_root

pytestmark = needs_root

CHECK = "hubfleet-check-one"


@pytest.fixture(scope="module")
def hub(make_root_hub: Callable[..., Hub]) -> Iterator[Hub]:
    """A hub with its proxy and culler."""
    hub = make_root_hub("demo", base_url="/inst-a/")
    # from a shell without job control, which leaves SIGINT ignored: the launcher must undo that
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        hub.start("proxy", "hub", "culler")
    finally:
        signal.signal(signal.SIGINT, before)
    yield hub


def accounts(state: Path) -> list[pwd.struct_passwd]:
    """Return the system accounts of hubs of this test."""
    return [entry for entry in pwd.getpwall() if entry.pw_dir.startswith(f"{state}/")]


def test_run_record_and_lock(hub: Hub) -> None:
    from hubfleet_runtime import processes

    for service, process in hub.running.items():
        path = hub.directory / "run" / f"{service}.json"
        wait_for(f"the record of {service}", path.exists, 20)
        record = json.loads(path.read_text())
        assert record["pid"] == process.pid
        assert record["digest"] == f"digest-of-{service}"
        assert f"{record['boot_id']}:{record['start_time']}" == processes.identity(process.pid)
        assert processes.lock_holder(hub.directory / "run" / f"{service}.lock") == process.pid
        ignored = Path(f"/proc/{process.pid}/status").read_text().split("SigIgn:")[1].split()[0]
        assert not int(ignored, 16) & (1 << (signal.SIGINT - 1)), service
    for private in [*hub.directory.rglob("*.log"), hub.directory / "jupyterhub.sqlite"]:
        assert private.stat().st_mode & 0o077 == 0, private


def test_a_second_hub_is_refused(hub: Hub) -> None:
    second = subprocess.run(hub.command("hub"), capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 75
    assert f"already runs as process {hub.running['hub'].pid}" in second.stderr
    # nor without the launcher
    arguments = hub.command("hub")
    bare = subprocess.run(
        arguments[arguments.index("--") + 1 :],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=hub.directory,
        env={**os.environ, "HUBFLEET_DIRECTORY": str(hub.directory)},
    )
    assert bare.returncode == 78
    assert f"refusing to run: process {hub.running['hub'].pid} runs this hub" in bare.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile": "perl"}, "unknown profile 'perl'; possible: python, broken"),
        ({"profile": "python", "size": "huge"}, "size: unknown choice 'huge'; possible: small, large"),
        ({"profile": "python", "gpu": "1"}, "unknown option 'gpu'; possible: profile, size"),
    ],
)
def test_a_wrong_choice_is_refused_with_the_choices(hub: Hub, options: dict[str, str], message: str) -> None:
    hub.api("POST", "users/wrong")
    status, answer = hub.api("POST", "users/wrong/server", options)
    assert (status, answer["message"]) == (400, message)


def test_a_failing_server_says_why(hub: Hub) -> None:
    event = hub.start_server(CHECK, {"profile": "broken"})
    assert event["failed"]
    assert "no_such_module" in event["message"]
    assert "exit code 1" in event["message"]
    status, answer = hub.api("GET", f"hubfleet/servers/{CHECK}/log?lines=1")
    assert status == 200 and "no_such_module" in answer["lines"][0]


def test_the_log_needs_the_right(hub: Hub) -> None:
    url = f"{hub.direct}hub/api/hubfleet/servers/{CHECK}/log"
    assert hub.request("GET", url)[0] == 403
    assert hub.request("GET", url, hub.secrets["culler_token"])[0] == 403
    assert hub.request("GET", url.replace(CHECK, "nobody-here"), hub.secrets["check_token"])[0] == 404


def test_start_and_compute_over_ipc(hub: Hub) -> None:
    event = hub.start_server(CHECK, {"profile": "python", "size": "large"})
    assert event.get("ready"), event
    kernel = hub.kernel(CHECK)
    code = """
import json, os, resource, sys, ipykernel
import ipykernel.kernelapp
app = ipykernel.kernelapp.IPKernelApp.instance()
print(json.dumps({"transport": app.transport, "environ": dict(os.environ), "umask": os.umask(0o077),
  "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
  "cwd": os.getcwd(), "groups": os.getgroups(), "prefix": sys.prefix}))
"""
    found = json.loads(kernel.run(code))
    environ = found["environ"]
    assert found["transport"] == "ipc"
    assert found["core"] == 0
    assert environ["COURSE"] == "1" and environ["JUPYTER_IMAGE"] == "python"
    assert environ["MEM_LIMIT"] == str(2 << 30)
    packages = f"{environ['HOME']}/.local/share/hubfleet/user-packages/{hub.tools.user.name}"
    assert environ["PATH"].startswith(f"{packages}/bin:{hub.tools.user}/bin:")
    assert str(hub.tools.hub) not in environ["PATH"]
    assert environ["VIRTUAL_ENV"] == found["prefix"] == packages
    assert environ["HOME"] == found["cwd"] == str(hub.homes / CHECK)
    assert len(found["groups"]) == 1 or not found["groups"]
    text = json.dumps(environ)
    assert not [name for name, value in hub.secrets.items() if value in text]
    assert "HUBFLEET_DIRECTORY" not in environ


def test_a_killed_hub_leaves_kernels_alone(hub: Hub) -> None:
    kernel = hub.kernel(CHECK)
    before = kernel.run("import os; x = 12345; print(os.getpid())")
    hub.kill("hub")
    hub.start("hub")
    assert kernel.run("print(os.getpid())") == before
    assert kernel.run("print(x)").strip() == "12345"
    status, answer = hub.api("GET", f"users/{CHECK}")
    assert status == 200 and answer["servers"][""]["ready"]


def test_a_restarted_proxy_has_its_routes_back_at_once(hub: Hub) -> None:
    url, token = f"{hub.url}user/{CHECK}/api/status", hub.token(CHECK)
    assert hub.request("GET", url, token)[0] == 200
    hub.kill("proxy")
    hub.start("proxy")
    wait_for("the proxy", lambda: hub.request("GET", f"http://127.0.0.1:{hub.ports['public']}/x")[0], 20)
    listening = time.monotonic()
    wait_for("the route", lambda: hub.request("GET", url, token)[0] == 200, 20)
    assert time.monotonic() - listening < 2


def test_users_have_accounts(hub: Hub, state: Path) -> None:
    other = "Zoë.Müller@example.org"
    assert hub.start_server("alice").get("ready")
    assert hub.start_server(other).get("ready")
    hub.kernel("alice").run("open('mine.txt', 'w').write('mine')")
    assert len(list(hub.homes.iterdir())) == 3
    names = {entry.pw_name for entry in accounts(state)}
    assert len(names) == 3 and all(len(name) <= 32 for name in names)


def test_a_stale_pid_kills_no_stranger(hub: Hub) -> None:
    server = hub.server_pid("alice")
    hub.kill("hub")
    os.kill(server, signal.SIGKILL)
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        with sqlite3.connect(hub.directory / "jupyterhub.sqlite") as database:
            (text,) = database.execute(
                "select state from spawners where state like ?", (f'%"pid": {server}%',)
            ).fetchone()
            state = {**json.loads(text), "pid": stranger.pid}
            database.execute("update spawners set state = ? where state = ?", (json.dumps(state), text))
        hub.start("hub")
        wait_for(
            "alice's server to be forgotten",
            lambda: not hub.api("GET", "users/alice")[1]["servers"],
            15,
        )
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_nothing_is_left_of_a_check_user(hub: Hub, state: Path) -> None:
    from hubfleet_runtime import processes

    uid = (hub.homes / CHECK).stat().st_uid
    hub.kernel(CHECK).run("import os; os.mkdir('/tmp/left-by-check'); open('/dev/shm/left', 'w')")
    assert hub.api("DELETE", f"users/{CHECK}")[0] in (202, 204)
    wait_for("the user to be gone", lambda: hub.api("GET", f"users/{CHECK}")[0] == 404)
    assert not (hub.homes / CHECK).exists()
    assert not processes.living_processes_of(uid)
    assert uid not in {entry.pw_uid for entry in pwd.getpwall()}
    assert not list((hub.directory / "logs" / "servers").glob(f"{CHECK}*"))
    assert not Path("/tmp/left-by-check").exists() and not Path("/dev/shm/left").exists()
    assert not (Path(hub.settings["runtime_directory"]) / str(uid)).exists()


def test_a_person_is_never_removed(hub: Hub, state: Path) -> None:
    assert hub.api("DELETE", "users/alice")[0] in (202, 204)
    assert (hub.homes / "alice" / "mine.txt").exists()
    assert [entry for entry in accounts(state) if entry.pw_dir.endswith("/alice")]


def test_the_hub_stops_quickly(hub: Hub) -> None:
    process = hub.running.pop("hub")
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert time.monotonic() - begin < 5
    hub.start("hub")
