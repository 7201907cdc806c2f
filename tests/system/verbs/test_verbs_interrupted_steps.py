# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploys that are killed at every step, services that are killed, and a full disk: the next deploy makes it right.

The fleet has one cluster whose state directory is a small file system, with a staging and a production hub.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from verbs_fleet import Fleet, Result, wait_for
from verbs_hub import Kernel
from verbs_machine import start_time, supervisor_pid

pytestmark = pytest.mark.slow

HUBS = ("west-staging", "west-a")
BROKEN = "import os\nnot_defined_anywhere\n"
CALLBACKS = Path(__file__).parent / "callbacks"


@dataclass(frozen=True)
class Working:
    """The fleet, the kernel of a user who works on each hub through all tests, and the small file system, if any."""

    fleet: Fleet
    kernels: dict[str, Kernel]
    small: Path | None


@pytest.fixture(scope="module")
def working() -> Iterator[Working]:
    """Both hubs deployed, with a user at work on each."""
    fleet = Fleet("west")
    small = mounted(fleet.state)
    try:
        fleet.add(HUBS[0], "staging")
        fleet.add(HUBS[1], "production")
        fleet.write()
        fleet.use_prebuilt().succeed("deploy")
        for hub in HUBS:
            fleet.hub(hub).start_server("ada")
        yield Working(fleet, {hub: fleet.hub(hub).kernel("ada").mark() for hub in HUBS}, small)
    finally:
        try:
            fleet.end()
        finally:
            if small:
                subprocess.run(["umount", "--lazy", str(small)], check=True)
                shutil.rmtree(fleet.directory)


def mounted(place: Path) -> Path | None:
    """A small file system at the place, or None where none may be mounted."""
    if os.geteuid() != 0:
        return None
    place.mkdir(mode=0o711)
    command = ["mount", "-t", "tmpfs", "-o", "size=700m,mode=0711", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        place.rmdir()
        return None
    return place


def deploy(fleet: Fleet, hubs: tuple[str, ...] = HUBS, **settings: str) -> Result:
    """A deploy; settings switch the callback on."""
    callback = {"ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS), "ANSIBLE_CALLBACKS_ENABLED": "interrupting", **settings}
    return fleet.run("deploy", "--limit", ",".join(hubs), environment=callback if settings else None)


def interrupted(fleet: Fleet, hubs: tuple[str, ...], number: int) -> Result:
    """A deploy that is killed at the start of a task."""
    result = deploy(fleet, hubs, INTERRUPTING_AT=str(number))
    assert result.code == -signal.SIGKILL, (number, result.output)
    return result


def steps(fleet: Fleet, hubs: tuple[str, ...], code: int) -> dict[int, str]:
    """Numbers and names of the tasks of a deploy to kill it at: each before which the machine has changed.

    A deploy that is killed at any other task leaves exactly what one leaves that is killed at one of these. A task that
    runs for one hub after the other is in here once.
    """
    log = fleet.directory / "tasks"
    log.unlink(missing_ok=True)
    result = deploy(fleet, hubs, INTERRUPTING_LOG=str(log), INTERRUPTING_STATE=str(fleet.state))
    assert result.code == code, result.output
    found: dict[str, int] = {}
    before = ""
    for number, line in enumerate(log.read_text(encoding="utf-8").splitlines(), 1):
        name, digest = line.split("\t")
        if digest != before:
            found.setdefault(name, number)
        before = digest
    return {number: name for name, number in found.items()}


def converge(working: Working, hubs: tuple[str, ...], what: str) -> None:
    """Deploy again: it comes through, what users do goes on, and no lock is in the way."""
    fleet = working.fleet
    result = deploy(fleet, hubs)
    assert result.code == 0, (what, result.output)
    for hub in hubs:
        assert working.kernels[hub].survives(), (what, hub)
        assert what in fleet.hub(hub).login_page()
    # Where all was done already, the lock of the one that was killed stays until the next deploy finds it stale.
    if result.planned():
        assert not list(fleet.directory.glob("*.deploy-lock")), what


@pytest.fixture(scope="module")
def deploy_steps(working: Working) -> dict[int, str]:
    """The steps of a deploy of both hubs."""
    working.fleet.set("west", hub_announcement="Step 0")
    found = steps(working.fleet, HUBS, 0)
    # At least: before anything, locked, files, services, reverse proxy, check.
    assert len(found) >= 6, found
    return found


def test_killed_at_every_step_of_a_deploy(working: Working, deploy_steps: dict[int, str]) -> None:
    fleet = working.fleet
    for hub in HUBS:
        working.kernels[hub].run("open('kept.txt', 'w').write('kept')")
    for number, task in deploy_steps.items():
        what = f"Step {number}: {task}"
        fleet.set("west", hub_announcement=what)
        result = interrupted(fleet, HUBS, number)
        if number > 1:
            # Nothing but what the inventory says now differs: the deploy after the last kill left nothing to do.
            assert result.planned() == dict.fromkeys(HUBS, "update: configuration, hub to restart"), what
        converge(working, HUBS, what)
    assert "2 hubs: nothing to change" in deploy(fleet).output
    for hub in HUBS:
        assert (fleet.state / "homes" / hub / "ada/kept.txt").read_text() == "kept"


def test_killed_at_every_step_of_going_back(working: Working, deploy_steps: dict[int, str]) -> None:
    """Only at the steps that a deploy without failures does not have."""
    fleet, hubs = working.fleet, HUBS[:1]
    with fleet.changed("west-staging", hub_jupyterhub_config=BROKEN):
        found = {number: task for number, task in steps(fleet, hubs, 2).items() if task not in deploy_steps.values()}
    # At least: services that failed, what was before, its check.
    assert len(found) >= 2, found
    for number, task in found.items():
        what = f"Back {number}: {task}"
        with fleet.changed("west-staging", hub_jupyterhub_config=f"{BROKEN}# {number}\n"):
            interrupted(fleet, hubs, number)
        with fleet.changed("west-staging", hub_announcement=what):
            converge(working, hubs, what)


def test_hub_and_supervisor_are_killed(working: Working) -> None:
    fleet = working.fleet
    keeper = supervisor_pid(fleet.state)
    if not keeper:
        pytest.skip("hubs are supervised by systemd here, which cannot be killed")
    hub = fleet.hub("west-staging")
    fleet.set("west", hub_announcement="Before the crash")
    process = fleet.start("deploy", "--limit", ",".join(HUBS))
    wait_for("the new configuration", lambda: hub.config["template_vars"]["announcement"] == "Before the crash")
    for pid in (keeper, hub.pid("hub")):
        if pid:
            os.kill(pid, signal.SIGKILL)
    wait_for("the supervisor to end", lambda: not start_time(keeper))
    process.communicate(timeout=200)
    converge(working, HUBS, "Before the crash")
    assert "2 hubs: nothing to change" in deploy(fleet).output


def test_a_full_disk(working: Working) -> None:
    if working.small is None:
        pytest.skip("needs to mount a small file system")
    fleet = working.fleet
    before = {hub: (fleet.hub(hub).pids, fleet.hub(hub).config) for hub in HUBS}
    fleet.set("west", hub_announcement="No room")
    # Servers remember for a while which tokens are good; for these they have to ask the hub.
    strangers = [working.kernels[hub].by(fleet.hub(hub).server_token("ada")) for hub in HUBS]
    filler = working.small / "filler"
    fill(filler)
    try:
        result = deploy(fleet)
        assert result.code == 2, result.output
        assert os.strerror(errno.ENOSPC) in result.output and "Traceback" not in result.output, result.output
        assert {hub: (fleet.hub(hub).pids, fleet.hub(hub).config) for hub in HUBS} == before
        # The proxies have more to log than fits into the last pages of their logs.
        for hub in HUBS:
            token = fleet.hub(hub).secret("routes_token")
            assert {fleet.hub(hub).request("POST", "hub/api/proxy", token)[0] for _each in range(80)} == {200}
        assert all(fleet.hub(hub).healthy() for hub in HUBS)
        assert all(kernel.survives() for kernel in [*working.kernels.values(), *strangers])
        # A new environment finds no room either, and its half-built directory takes none.
        extra = {"name": "extra", "title": "Extra", "packages": ["six==1.17.0"]}
        with fleet.changed("west-staging", hub_environments=["python", extra]):
            result = deploy(fleet)
        assert result.code == 2 and "Traceback" not in result.output, result.output
        assert not list((working.small / "environments").glob("extra-*"))
    finally:
        filler.unlink()
    converge(working, HUBS, "No room")


def fill(path: Path) -> None:
    """Write a file until the file system is full."""
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError as error:
                assert error.errno == errno.ENOSPC
