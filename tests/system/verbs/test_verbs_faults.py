# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that are killed while users start and stop servers, and machines that fail; docs/reliability.md has more.

After each fault: the next deploy comes through with its check, and databases and homes are whole.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from conftest import Deployed
from verbs_fleet import Fleet, wait_for
from verbs_hub import Hub, Kernel
from verbs_index import BrokenIndex
from verbs_machine import end_all, parent, processes_of, read, start_time, supervisor_pid

pytestmark = pytest.mark.slow

FOREIGN_BOOT = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def homes(deployed: Deployed) -> Iterator[dict[Path, str]]:
    """Files of users, which no fault may change: path -> digest."""
    hub = deployed.fleet.hub("trial")
    hub.start_server("ada")
    hub.kernel("ada").run("open('thesis.txt', 'w').write('chapter one\\n' * 100000)")
    path = deployed.fleet.state / "homes/trial/ada/thesis.txt"
    yield {path: digest(path)}
    hub.stop_server("ada")


@pytest.fixture
def kernel(deployed: Deployed, homes: dict[Path, str]) -> Kernel:
    """A kernel of ada on the trial hub, with a variable set; her server is there, whatever the test before did."""
    hub = deployed.fleet.hub("trial")
    if not (hub.api("GET", "users/ada")[1].get("servers") or {}).get("", {}).get("ready"):
        hub.start_server("ada")
    return hub.kernel("ada").mark()


@pytest.fixture
def fleet(deployed: Deployed, homes: dict[Path, str]) -> Iterator[Fleet]:
    """The fleet; after the fault the next deploy comes through, the check passes, and nothing is lost."""
    fleet = deployed.fleet
    yield fleet
    last = fleet.deployed[0] if fleet.deployed and fleet.is_as_deployed() else fleet.succeed("deploy")
    passed = "^trial +python/small +ok"
    if not re.search(passed, last.output, re.MULTILINE):  # a deploy checks what it changed
        assert re.search(passed, fleet.succeed("check", "--limit", "trial").output, re.MULTILINE)
    for name in fleet.hubs:
        assert integrity(fleet.hub(name)) == "ok"
    assert {path: digest(path) for path in homes} == homes


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def integrity(hub: Hub) -> str:
    """What SQLite says of the hub's database."""
    with closing(sqlite3.connect(f"file:{hub.directory}/jupyterhub.sqlite?mode=ro", uri=True)) as database:
        return str(database.execute("PRAGMA integrity_check").fetchone()[0])


def servers_of(hub: Hub, user: str) -> set[int]:
    """The servers of a user that run, without what they have started themselves."""
    mark = f"JUPYTERHUB_USER={user}\0".encode()
    found = {pid for pid in processes_of(hub.directory) if mark in read(f"/proc/{pid}/environ")}
    return {pid for pid in found if parent(pid) not in found}


def kill(fleet: Fleet, hub: Hub, victims: tuple[str, ...]) -> None:
    """SIGKILL for services of a hub, or for the supervisor."""
    for victim in victims:
        pid = supervisor_pid(fleet.state) if victim == "supervisor" else hub.pid(victim)
        if not pid:
            pytest.skip(f"there is no {victim} to kill: hubs are supervised by systemd here")
        os.kill(pid, signal.SIGKILL)
        wait_for(f"{victim} to end", lambda pid=pid: not start_time(pid))


def settle(fleet: Fleet, hub: Hub, victims: tuple[str, ...]) -> None:
    """The supervisor restarts what was killed; who kills the supervisor, deploys."""
    if "supervisor" in victims:
        fleet.succeed("deploy")
    wait_for("the services to be back", lambda: all(hub.pids.values()) and hub.healthy())


# --- Processes


VICTIMS = (("hub",), ("proxy",), ("culler", "supervisor"))


def test_killed_while_a_server_starts(fleet: Fleet, kernel: Kernel) -> None:
    hub = fleet.hub("trial")
    for victims in VICTIMS:
        hub.api("POST", "users/ben")
        assert hub.api("POST", "users/ben/server", {})[0] in (201, 202)
        wait_for("ben's server to start", lambda: servers_of(hub, "ben"))
        kill(fleet, hub, victims)
        settle(fleet, hub, victims)
        # Without its proxy, or once restarted, the hub gives the server up, and ben starts it again.
        if not wait_for("the start to end", lambda: outcome(hub, "ben"))["ready"]:
            hub.start_server("ben")
        assert hub.kernel("ben").run("print(6 * 7)").strip() == "42", victims
        assert len(servers_of(hub, "ben")) == 1, victims
        assert kernel.survives(), victims
        hub.stop_server("ben")


def outcome(hub: Hub, user: str) -> dict[str, object]:
    """What became of a user's server, {} while it starts or stops."""
    server = dict(hub.api("GET", f"users/{user}")[1]["servers"].get("") or {"ready": False, "pending": None})
    return {} if server["pending"] else server


def test_killed_while_a_server_stops(fleet: Fleet, kernel: Kernel) -> None:
    hub = fleet.hub("trial")
    for victims in VICTIMS:
        hub.start_server("ben")
        assert hub.api("DELETE", "users/ben/server")[0] in (202, 204)
        kill(fleet, hub, victims)
        settle(fleet, hub, victims)
        if hub.api("GET", "users/ben")[1]["servers"]:
            hub.stop_server("ben")
        wait_for("ben's server to end", lambda: not servers_of(hub, "ben"))
        assert kernel.survives(), victims
    hub.start_server("ben")
    assert hub.kernel("ben").run("print(6 * 7)").strip() == "42"
    hub.stop_server("ben")


def test_a_server_and_a_kernel_are_killed(fleet: Fleet, kernel: Kernel) -> None:
    hub = fleet.hub("trial")
    hub.start_server("ben")
    other = hub.kernel("ben").mark()
    server = servers_of(hub, "ben")
    (child,) = [pid for pid in processes_of(hub.directory) if parent(pid) in server]
    os.kill(child, signal.SIGKILL)
    # Its server starts another one, which knows nothing of what was in memory.
    wait_for("another kernel", lambda: [pid for pid in processes_of(hub.directory) if parent(pid) in server])
    assert other.run("print('mark' in globals())").strip() == "False"
    for pid in server:
        os.kill(pid, signal.SIGKILL)
    wait_for("the server to end", lambda: not servers_of(hub, "ben"))
    hub.start_server("ben")
    assert hub.kernel("ben").run("print(6 * 7)").strip() == "42" and kernel.survives()
    hub.stop_server("ben")


def test_killed_during_a_deploy(fleet: Fleet, kernel: Kernel) -> None:
    hub = fleet.hub("trial")
    with fleet.changed("trial", hub_announcement="In between"):
        process = fleet.start("deploy", "--limit", "trial")
        wait_for("the new configuration", lambda: hub.config["template_vars"]["announcement"] == "In between")
        for victim in ("proxy", "culler"):
            if hub.pid(victim):
                os.kill(hub.pid(victim), signal.SIGKILL)
        process.communicate(timeout=200)
        fleet.succeed("deploy")
        assert "In between" in hub.login_page() and kernel.survives()


# --- The machine


@contextmanager
def stranger() -> Iterator[int]:
    """A process that has nothing to do with hubs."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process.pid
        process.kill()


def test_power_cut(fleet: Fleet, kernel: Kernel) -> None:
    """Everything dies at once, and after the boot the numbers of its processes are those of strangers."""
    hub = fleet.hub("trial")
    end_all(lambda: processes_of(fleet.state))
    with stranger() as pid:
        for name in fleet.hubs:
            for record in (fleet.hub(name).directory / "run").glob("*.json"):
                record.write_text(json.dumps({**json.loads(record.read_text()), "pid": pid, "boot_id": FOREIGN_BOOT}))
        if (fleet.state / "supervisor/supervisord.pid").exists():
            (fleet.state / "supervisor/supervisord.pid").write_text(f"{pid}\n")
        machine = fleet.identities().get(fleet.name) or socket.gethostname()
        # Only processes in the machine's own namespace are known to have been on the same machine before its boot.
        namespace = os.readlink("/proc/self/ns/pid")
        process = {"pid": pid, "boot_id": FOREIGN_BOOT, "start_time": start_time(pid), "pid_namespace": namespace}
        lock = {**process, "machine": machine, "who": "ada@desk", "when": "then"}
        Path(f"{fleet.state}.deploy-lock").write_text(json.dumps(lock))
        with closing(sqlite3.connect(hub.directory / "jupyterhub.sqlite", isolation_level=None)) as database:
            found = database.execute("SELECT id, state FROM spawners WHERE state LIKE '%\"pid\"%'").fetchall()
            assert found
            for number, state in found:
                changed = json.dumps({**json.loads(state), "pid": pid})
                database.execute("UPDATE spawners SET state = ? WHERE id = ?", (changed, number))
        inside = namespace != "pid:[4026531836]"
        fleet.succeed("deploy", *(["-e", f"deploy_break_lock={fleet.name}"] if inside else []))
        wait_for("ada's server to be forgotten", lambda: not hub.api("GET", "users/ada")[1]["servers"])
        hub.start_server("ada")
        hub.stop_server("ada")
        assert start_time(pid)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: mounts")
def test_a_state_directory_that_cannot_be_written(fleet: Fleet, kernel: Kernel) -> None:
    hub, state = fleet.hub("trial"), str(fleet.state)
    before = hub.pids, hub.config
    fleet.set(hub_announcement="Read only")
    if subprocess.run(["mount", "--bind", state, state], capture_output=True, check=False).returncode:
        pytest.skip("nothing may be mounted here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", state], check=True)
        result = fleet.run("deploy")
        assert result.code == 2 and "Traceback" not in result.output, result.output
        assert os.strerror(errno.EROFS) in result.output
        assert (hub.pids, hub.config) == before and hub.healthy() and kernel.survives()
    finally:
        subprocess.run(["umount", "--lazy", state], check=True)
    fleet.succeed("deploy")
    assert "Read only" in hub.login_page() and kernel.survives()


@contextmanager
def taking(port: int) -> Iterator[None]:
    """A program of somebody else listens on the port."""

    def listen() -> socket.socket | None:
        taken = socket.socket()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", port))
            taken.listen()
        except OSError:
            taken.close()
            return None
        return taken

    with wait_for(f"port {port} to be free", listen):
        yield


def test_a_port_that_is_taken_when_services_restart(fleet: Fleet, kernel: Kernel) -> None:
    hub = fleet.hub("trial")
    port = hub.config["ports"]["public"]
    fleet.succeed("stop", "--limit", "trial")
    with taking(port):
        result = fleet.run("deploy")
        assert result.code and f"port {port} is in use by another program of the machine" in result.output
        assert not any(hub.pids.values()) and fleet.hub("campus").healthy()
        assert f"port {port} is in use" in fleet.succeed("status").output
    fleet.succeed("deploy")
    assert kernel.survives()


def test_a_port_that_is_taken_after_a_crash(fleet: Fleet, kernel: Kernel) -> None:
    hub = fleet.hub("trial")
    pid, port = hub.pid("proxy"), hub.config["ports"]["public"]
    # Stopped, the supervisor restarts nothing before somebody else has the port.
    keeper = supervisor_pid(fleet.state)
    if not keeper:
        pytest.skip("hubs are supervised by systemd here, which cannot be held up")
    os.kill(keeper, signal.SIGSTOP)
    try:
        os.kill(pid, signal.SIGKILL)
        wait_for("the proxy to end", lambda: not start_time(pid))
        with taking(port):
            os.kill(keeper, signal.SIGCONT)
            wait_for("the proxy to try", lambda: "EADDRINUSE" in log_of(hub, "proxy"))
            assert not hub.healthy()
    finally:
        os.kill(keeper, signal.SIGCONT)
    fleet.succeed("deploy")
    assert hub.healthy() and kernel.survives()


def log_of(hub: Hub, service: str) -> str:
    return (hub.directory / "logs" / f"{service}.log").read_text(errors="replace")


def test_an_index_that_breaks_during_a_download(fleet: Fleet, kernel: Kernel) -> None:
    hub = fleet.hub("trial")
    before = hub.pids
    extra = {"name": "fetched", "title": "Fetched", "packages": ["six==1.17.0"]}
    with fleet.changed("trial", hub_environments=["python", extra]):
        with BrokenIndex() as index, fleet.changed(cluster_package_index=index.url):
            result = fleet.run("deploy")
            assert result.code and "building fetched: the step 'install' failed" in result.output, result.output
            assert index.cut_off and "Traceback" not in result.output
            assert not list((fleet.state / "environments").glob("fetched-*"))
            assert hub.pids == before and kernel.survives()
        fleet.succeed("deploy")
        assert list((fleet.state / "environments").glob("fetched-*/.complete")) and kernel.survives()


def test_a_clock_that_is_wrong(fleet: Fleet, kernel: Kernel) -> None:
    """Of the controller and of the modules that it runs: what runs is told by ticks since the boot, not by the time."""
    if shutil.which("faketime") is None:
        pytest.skip("needs faketime")
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    hub = fleet.hub("trial")
    for days in (400, -400):
        wrong = {"LD_PRELOAD": str(library), "FAKETIME": f"{days:+d}d"}
        proxy = hub.pid("proxy")
        fleet.set("trial", hub_announcement=f"{days} days off")
        result = fleet.run("deploy", environment=wrong)
        assert result.code == 0 and result.planned()["trial"] == "update: configuration, hub to restart", result.output
        assert hub.pid("proxy") == proxy and f"{days} days off" in hub.login_page() and kernel.survives()
        assert "nothing to change" in fleet.succeed("deploy").output
