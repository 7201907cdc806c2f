# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes and crashes under users who work: their servers and kernels live on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest
from conftest import Deployed
from verbs_fleet import Fleet, wait_for
from verbs_hub import Hub, Kernel
from verbs_machine import parent, processes_of, read, start_time, supervisor_pid, watching


@pytest.fixture(scope="module")
def kernel(deployed: Deployed) -> Iterator[Kernel]:
    """A kernel of a user of the trial hub, with a variable set."""
    hub = deployed.fleet.hub("trial")
    hub.start_server("ada")
    yield hub.kernel("ada").mark()
    hub.stop_server("ada")


def services_of(hub: Hub) -> set[int]:
    """Every process that belongs to the hub itself, known to its supervisor or not."""
    mark = f"HUBFLEET_DIRECTORY={hub.directory}\0".encode()
    return {pid for pid in processes_of(hub.directory) if mark in read(f"/proc/{pid}/environ")}


def settled(fleet: Fleet, hub: Hub) -> bool:
    """Whether each service runs once, under the supervisor, and nothing else does."""
    pids = hub.pids
    keeper = supervisor_pid(fleet.state)
    return (
        all(pids.values())
        and hub.healthy()
        and services_of(hub) == set(pids.values())
        and (not keeper or {parent(pid) for pid in pids.values()} == {keeper})
    )


def test_a_new_configuration_reaches_users_only(fleet: Fleet, kernel: Kernel) -> None:
    hub = fleet.hub("trial")
    before, other = hub.pids, fleet.hub("campus").pids
    assert "Exams this week" not in hub.login_page()
    fleet.set("trial", hub_announcement="Exams this week", hub_idle_timeout="3h")
    result = fleet.succeed("deploy")
    after = hub.pids
    assert after["hub"] != before["hub"] and after["culler"] != before["culler"]
    assert after["proxy"] == before["proxy"]
    assert "--timeout=10800" in processes_of(hub.directory)[after["culler"]]
    assert "Exams this week" in hub.login_page()
    assert kernel.survives()
    assert fleet.hub("campus").pids == other and not result.recap("campus").get("changed")


def test_the_supervisor_restarts_what_dies(fleet: Fleet, kernel: Kernel) -> None:
    hub = fleet.hub("trial")
    before = hub.pids
    with watching(hub.directory / "jupyterhub.sqlite") as seen:
        for service in ("culler", "proxy", "hub"):
            os.kill(before[service], signal.SIGKILL)
        wait_for("the services to be back", lambda: settled(fleet, hub))
    assert not set(before.values()) & set(hub.pids.values())
    assert max(map(len, seen)) <= 1
    # The proxy forgot its routes with its memory, and the hub gave them back.
    wait_for("the route to the user's server", lambda: hub.request("GET", "user/ada/api", kernel.token)[0] == 200, 15)
    assert kernel.survives()


@pytest.mark.parametrize("service", ["hub", "proxy"])
def test_deploy_right_after_a_crash(fleet: Fleet, kernel: Kernel, service: str) -> None:
    hub = fleet.hub("trial")
    with watching(hub.directory / "jupyterhub.sqlite") as seen:
        os.kill(hub.pid(service), signal.SIGKILL)
        fleet.succeed("deploy")
        wait_for("order", lambda: settled(fleet, hub))
    assert max(map(len, seen)) <= 1
    assert kernel.survives()


@pytest.mark.slow
def test_deploy_after_the_supervisor_was_killed(fleet: Fleet, kernel: Kernel) -> None:
    keeper = supervisor_pid(fleet.state)
    if not keeper:
        pytest.skip("hubs are supervised by systemd here, which cannot be killed")
    hub = fleet.hub("trial")
    before = hub.pids
    with watching(hub.directory / "jupyterhub.sqlite") as seen:
        os.kill(keeper, signal.SIGKILL)
        wait_for("the supervisor to end", lambda: not start_time(keeper))
        assert hub.pids == before and hub.healthy()
        result = fleet.succeed("deploy")
        assert result.planned()["trial"] == "update: supervisor not running"
        wait_for("order", lambda: all(settled(fleet, fleet.hub(name)) for name in fleet.hubs))
    assert not set(before.values()) & set(hub.pids.values())
    assert max(map(len, seen)) <= 1
    assert kernel.survives()
    assert "nothing to change" in fleet.succeed("deploy").output


@pytest.mark.slow
def test_deploy_restarts_a_hub_that_does_not_answer(fleet: Fleet, kernel: Kernel) -> None:
    hub = fleet.hub("trial")
    stuck = hub.pid("hub")
    os.kill(stuck, signal.SIGSTOP)
    try:
        assert "does not answer" in fleet.succeed("deploy").output
        assert settled(fleet, hub) and hub.pid("hub") != stuck
    finally:
        if start_time(stuck):
            os.kill(stuck, signal.SIGCONT)
    assert kernel.survives()


def test_stop_leaves_users_alone(fleet: Fleet, kernel: Kernel) -> None:
    hub = fleet.hub("trial")
    working = int(kernel.run("print(pid)" if os.geteuid() == 0 else "print(0)"))
    result = fleet.succeed("stop", "--limit", "trial")
    assert result.recap("trial")["changed"] == 1
    assert not any(hub.pids.values()) and not hub.healthy()
    time.sleep(2)  # a supervisor that still meant to restart them would have by now
    assert not services_of(hub)
    assert not working or start_time(working)
    assert fleet.succeed("stop", "--limit", "trial").recap("trial")["changed"] == 0
    assert all(fleet.hub("campus").pids.values())
    result = fleet.succeed("deploy")
    assert result.planned() == {"trial": "drifted: proxy not running, hub not running, culler not running"}
    assert settled(fleet, hub) and kernel.survives()


def test_ordinary_work_leaves_no_traceback(fleet: Fleet, kernel: Kernel) -> None:
    hub = fleet.hub("trial")
    log = hub.directory / "logs" / "hub.log"
    # What crashed in the tests before may have left some, and rightly so.
    before = log.stat().st_size
    fleet.set("trial", hub_announcement="Ordinary work")
    fleet.succeed("deploy")
    hub.start_server("ben")
    hub.kernel("ben").mark()
    hub.stop_server("ben")
    text = log.read_bytes()[before:].decode()
    assert "User ben server took" in text
    assert [line for line in text.splitlines() if "Traceback" in line or line.startswith("[E ")] == []
