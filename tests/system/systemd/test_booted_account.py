# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub of somebody without rights on a machine that systemd boots: units of the account's own systemd."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from booted_machine import Machine
from verbs_fleet import Fleet, wait_for

NAME = "carla"
SERVICES = ("proxy", "hub", "culler")


@pytest.fixture(scope="module")
def fleet(machine: Machine) -> Iterator[Fleet]:
    """A hub of an account that may have services while nobody is logged in."""
    machine.run("useradd", "--create-home", "--shell", "/bin/bash", NAME)
    machine.run("loginctl", "enable-linger", NAME)
    account = machine.account(NAME)
    assert account.owner
    wait_for("the account's systemd", lambda: machine.run("ls", f"/run/user/{account.owner[0]}/systemd/private"))
    made = Fleet("own", account, **machine.settings(NAME))
    made.add("desk", "staging")
    made.write()
    made.succeed("deploy")
    yield made


def pids(machine: Machine, fleet: Fleet) -> dict[str, str]:
    """Role -> pid of the hub's services, as the account's systemd says."""
    listed = machine.systemctl("list-units", "--plain", "--no-legend", "hubfleet-*.service", user=NAME)
    names = [line.split()[0] for line in listed.splitlines()]
    return {name.rpartition("-")[2].removesuffix(".service"): machine.show(name, "MainPID", NAME) for name in names}


def test_services_are_units_of_the_account(machine: Machine, fleet: Fleet) -> None:
    found = pids(machine, fleet)
    assert set(found) == set(SERVICES)
    assert {machine.run("stat", "--format=%U", f"/proc/{pid}").strip() for pid in found.values()} == {NAME}
    planned = " ".join(fleet.succeed("plan").output.split())
    assert "own: isolation bubblewrap" in planned and "supervisor systemd" in planned
    assert "1 hub: nothing to change" in fleet.succeed("deploy").output


def test_dynamic_users_need_root(machine: Machine, fleet: Fleet) -> None:
    with fleet.changed(cluster_isolation="systemd"):
        result = fleet.run("deploy")
    said = " ".join(result.output.split())
    assert result.code and "cluster_isolation: systemd needs root; run as root, or use bubblewrap" in said
    assert "nothing was changed" in said


@pytest.mark.slow
def test_hub_of_an_account_through_its_life(machine: Machine, fleet: Fleet) -> None:
    """Change, reboot and remove a hub; each part goes on from what the parts before it left."""
    kernels_outlive_a_new_configuration(machine, fleet)
    the_hub_is_back_after_a_reboot(machine, fleet)
    remove_leaves_nothing(machine, fleet)


def kernels_outlive_a_new_configuration(machine: Machine, fleet: Fleet) -> None:
    hub, before = fleet.hub("desk"), pids(machine, fleet)
    hub.start_server("ada")
    kernel = hub.kernel("ada").mark()
    kernel.run("open('mine.txt', 'w').write('mine')")
    with fleet.changed("desk", hub_announcement="New term"):
        fleet.succeed("deploy", "--skip-tags", "check")
        after = pids(machine, fleet)
        assert after["hub"] != before["hub"] and after["proxy"] == before["proxy"]
        assert kernel.survives() and "New term" in hub.login_page()


def the_hub_is_back_after_a_reboot(machine: Machine, fleet: Fleet) -> None:
    hub = fleet.hub("desk")
    machine.reboot()
    wait_for("the hub", hub.healthy)
    wait_for("the server to be forgotten", lambda: not hub.api("GET", "users/ada")[1]["servers"])
    fleet.succeed("check")
    assert (fleet.state / "homes/desk/ada/mine.txt").read_text() == "mine"


def remove_leaves_nothing(machine: Machine, fleet: Fleet) -> None:
    hub = fleet.hub("desk")
    hub.start_server("ada")
    assert fleet.remove().code == 0
    assert not pids(machine, fleet) and not fleet.state.exists()
    assert not machine.run("find", f"/home/{NAME}/.config/systemd", "-name", "hubfleet*")
    assert str(fleet.state) not in machine.run("ps", "-A", "-o", "args")
