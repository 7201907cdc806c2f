# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploys that are killed at every step, services that are killed, and a full disk: the next deploy makes it right."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Tiers
from verbs_fleet import Fleet, Result, wait_for
from verbs_hub import Kernel
from verbs_machine import start_time, supervisor_pid

pytestmark = pytest.mark.slow

HUBS = ("west-staging", "west-a")
BROKEN = "import os\nnot_defined_anywhere\n"
CALLBACKS = Path(__file__).parent / "callbacks"


@pytest.fixture(scope="module")
def working(tiers: Tiers) -> Iterator[dict[str, Kernel]]:
    """Hub -> the kernel of a user who works there through all of these tests."""
    fleet = tiers.fleet
    deploy(fleet)
    for hub in HUBS:
        fleet.hub(hub).start_server("ada")
    yield {hub: fleet.hub(hub).kernel("ada").mark() for hub in HUBS}
    for hub in HUBS:
        fleet.hub(hub).stop_server("ada")


def deploy(fleet: Fleet, hubs: tuple[str, ...] = HUBS, **settings: str) -> Result:
    """A deploy; settings switch the callback on."""
    callback = {"ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS), "ANSIBLE_CALLBACKS_ENABLED": "interrupting", **settings}
    return fleet.run("deploy", "--limit", ",".join(hubs), environment=callback if settings else {})


def interrupted(fleet: Fleet, hubs: tuple[str, ...], number: int) -> Result:
    """A deploy that is killed at the start of a task."""
    result = deploy(fleet, hubs, INTERRUPTING_AT=str(number))
    assert result.code == -signal.SIGKILL, (number, result.output)
    return result


def steps(fleet: Fleet, hubs: tuple[str, ...], code: int) -> dict[int, str]:
    """Numbers and names of the tasks of a deploy before which the machine was not as before the task in front.

    A deploy that is killed at any other task leaves exactly what one leaves that is killed at one of these.
    """
    log = fleet.directory / "tasks"
    log.unlink(missing_ok=True)
    result = deploy(fleet, hubs, INTERRUPTING_LOG=str(log), INTERRUPTING_STATE=str(fleet.state_of("west")))
    assert result.code == code, result.output
    lines = [line.split("\t") for line in log.read_text(encoding="utf-8").splitlines()]
    digests = ["", *(digest for _name, digest in lines)]
    return {number: name for number, (name, digest) in enumerate(lines, 1) if digest != digests[number - 1]}


def converge(fleet: Fleet, hubs: tuple[str, ...], working: dict[str, Kernel], what: str) -> None:
    """Deploy again: it comes through, what users do goes on, and no lock is in the way."""
    result = deploy(fleet, hubs)
    assert result.code == 0, (what, result.output)
    for hub in hubs:
        assert working[hub].survives(), (what, hub)
        assert what in fleet.hub(hub).login_page()
    # Where all was done already, the lock of the one that was killed stays until the next deploy finds it stale.
    if result.planned():
        assert not list(fleet.directory.glob("*.deploy-lock")), what


def test_killed_at_every_step_of_a_deploy(tiers: Tiers, working: dict[str, Kernel]) -> None:
    fleet = tiers.fleet
    for hub in HUBS:
        working[hub].run("open('kept.txt', 'w').write('kept')")
    fleet.set("west", hub_announcement="Step 0")
    found = steps(fleet, HUBS, 0)
    # At least: before anything, locked, and files, services, check of each hub.
    assert len(found) >= 8, found
    for number, task in found.items():
        what = f"Step {number}: {task}"
        fleet.set("west", hub_announcement=what)
        result = interrupted(fleet, HUBS, number)
        if number > 1:
            # Nothing but what the inventory says now differs: the deploy after the last kill left nothing to do.
            assert result.planned() == dict.fromkeys(HUBS, "update: configuration, hub to restart"), what
        converge(fleet, HUBS, working, what)
    assert "2 hubs: nothing to change" in deploy(fleet).output
    for hub in HUBS:
        assert (fleet.state_of("west") / "homes" / hub / "ada/kept.txt").read_text() == "kept"


def test_killed_at_every_step_of_going_back(tiers: Tiers, working: dict[str, Kernel]) -> None:
    fleet, hubs = tiers.fleet, HUBS[:1]
    with fleet.changed("west-staging", hub_jupyterhub_config=BROKEN):
        found = steps(fleet, hubs, 2)
    # At least: before anything, locked, files, services that fail, what was before, its check.
    assert len(found) >= 6, found
    for number, task in found.items():
        what = f"Back {number}: {task}"
        with fleet.changed("west-staging", hub_jupyterhub_config=f"{BROKEN}# {number}\n"):
            interrupted(fleet, hubs, number)
        with fleet.changed("west-staging", hub_announcement=what):
            converge(fleet, hubs, working, what)


def test_hub_and_supervisor_are_killed(tiers: Tiers, working: dict[str, Kernel]) -> None:
    fleet = tiers.fleet
    keeper = supervisor_pid(fleet.state_of("west"))
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
    converge(fleet, HUBS, working, "Before the crash")
    assert "2 hubs: nothing to change" in deploy(fleet).output


def test_a_full_disk(tiers: Tiers, working: dict[str, Kernel]) -> None:
    if tiers.small is None:
        pytest.skip("needs to mount a small file system")
    fleet = tiers.fleet
    before = {hub: (fleet.hub(hub).pids, fleet.hub(hub).config) for hub in HUBS}
    fleet.set("west", hub_announcement="No room")
    filler = tiers.small / "filler"
    fill(filler)
    try:
        result = deploy(fleet)
        assert result.code == 2, result.output
        assert os.strerror(errno.ENOSPC) in result.output and "Traceback" not in result.output, result.output
        assert {hub: (fleet.hub(hub).pids, fleet.hub(hub).config) for hub in HUBS} == before
        assert all(fleet.hub(hub).healthy() and working[hub].survives() for hub in HUBS)
        # A new environment finds no room either, and its half-built directory takes none.
        extra = {"name": "extra", "title": "Extra", "packages": ["six==1.17.0"]}
        with fleet.changed("west-staging", hub_environments=["python", extra]):
            result = deploy(fleet)
        assert result.code == 2 and "Traceback" not in result.output, result.output
        assert not list((tiers.small / "environments").glob("extra-*"))
    finally:
        filler.unlink()
    converge(fleet, HUBS, working, "No room")


def fill(path: Path) -> None:
    """Write a file until the file system is full."""
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError as error:
                assert error.errno == errno.ENOSPC
