# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hubs on another machine, as an ordinary account there: every verb over ssh."""

from __future__ import annotations

import json
import os
import pwd
import re

import pytest
from remote_machine import Machine
from verbs_fleet import CHECKOUT, Fleet
from verbs_machine import mode, picture, processes_of, read

BROKEN = "c.JupyterHub.port = undefined_name\n"
#: Nobody listens on it.
CLOSED = 9
#: What is said of the hub of a machine that does not answer.
TOLD = "lost: 127.0.0.1 cannot be used: "


@pytest.fixture(scope="module")
def first(own: Fleet) -> str:
    """What the first deploy printed, at the highest verbosity."""
    result = own.run("deploy", "-vvvv")
    assert result.code == 0, result.output[-8000:]
    assert result.outcomes() == {"trial": "deployed"}
    return result.output


@pytest.fixture(autouse=True)
def restored(own: Fleet, first: str) -> None:
    """Before each test the hub is what the inventory says."""
    own.restore()


def test_all_of_it_is_the_accounts(own: Fleet, machine: Machine) -> None:
    hub, uid = own.hub("trial"), pwd.getpwnam(machine.login).pw_uid
    assert mode(own.state_of("away")) == "0o700" and hub.healthy()
    assert hub.config["isolation"] == "bubblewrap"
    running = processes_of(machine.home)
    assert {os.stat(f"/proc/{pid}").st_uid for pid in hub.pids.values()} == {uid}
    assert not [command for command in running.values() if str(CHECKOUT) in command]
    paths = json.dumps(hub.config) + "".join(str(read(f"/proc/{pid}/environ")) for pid in hub.pids.values())
    assert str(CHECKOUT) not in paths and str(own.directory) not in paths


def test_nothing_secret_is_shown(own: Fleet, first: str) -> None:
    secrets = own.hub("trial").secrets()
    assert "check_token" in secrets
    assert not [name for name, value in secrets.items() if value in first]


def test_what_is_there_is_left_alone(own: Fleet) -> None:
    before = picture(own.state_of("away"))
    result = own.succeed("deploy")
    assert "1 hub: nothing to change" in result.output and result.changed() == 0
    assert picture(own.state_of("away")) == before


def test_check_and_status(own: Fleet) -> None:
    checked = own.succeed("check")
    assert re.search(r"^trial +python/small +ok", checked.output, re.MULTILINE)
    line = next(line for line in own.succeed("status").output.splitlines() if line.startswith("trial "))
    assert line.split()[1:6] == ["away", "staging", own.hub("trial").api("GET", "")[1]["version"], "up", "unchanged"]
    assert line.split()[-2:] == ["checked", "-"]  # never backed up


def test_users(own: Fleet) -> None:
    hub = own.hub("trial")
    token = hub.token("ada")
    listed = own.succeed("users")
    assert re.search(r"^trial +ada +- +- +\S+ +- +yes$", listed.output, re.MULTILINE), listed.output
    done = own.succeed("users", "-vvvv", "-e", "users_action=sign-out", "-e", "users_names=ada")
    assert "trial: ada is signed out everywhere" in done.output and not hub.knows(token)
    assert not [name for name, value in hub.secrets().items() if value in done.output]


@pytest.mark.slow
def test_a_machine_that_does_not_answer_fails_for_itself(own: Fleet, machine: Machine) -> None:
    """The others go on, and users' kernels with them."""
    hub = own.hub("trial")
    hub.start_server("ada")
    kernel = hub.kernel("ada").mark()
    own.add_cluster("gone", **{**machine.variables(), "ansible_port": CLOSED})
    own.add("lost", "staging", "gone")
    try:
        with own.changed("trial", hub_announcement="New term"):
            assert own.run("plan").planned()["lost"].startswith("unreachable: 127.0.0.1 cannot be used: ")
            result = own.run("deploy")
            assert result.code == 2
            assert result.outcomes()["trial"] == "deployed"
            assert re.fullmatch("unreachable 127.0.0.1 cannot be used: .*Connection refused", result.outcomes()["lost"])
            assert "New term" in hub.login_page() and kernel.survives()
            status = own.succeed("status").output
        assert re.search(r"^lost +gone .*Connection refused", status, re.MULTILINE)
        assert re.search(r"^trial +away .* up ", status, re.MULTILINE)
        back = own.run("rollback", "-e", "rollback_all=true")
        assert back.code == 2 and "trial was rolled back to deploy" in back.output and TOLD in back.output, back.output
        assert "New term" not in hub.login_page()
        stopped = own.run("stop")
        assert stopped.code == 2 and TOLD in stopped.output and "could not be released" not in stopped.output
        assert not any(hub.pids.values())
        assert own.run("deploy").outcomes()["trial"] == "deployed" and kernel.survives()
    finally:
        hub.stop_server("ada")
        for known in (own.hubs, own.tiers, own.cluster_of):
            del known["lost"]
        del own.clusters["gone"]
        own.write()


def test_what_fails_is_rolled_back(own: Fleet) -> None:
    hub = own.hub("trial")
    before = hub.config
    with own.changed("trial", hub_jupyterhub_config=BROKEN):
        result = own.run("deploy")
    assert result.code == 2
    assert result.outcomes()["trial"].startswith("rolled back") and "undefined_name" in result.outcomes()["trial"]
    assert hub.config == before and hub.healthy()


def test_going_back_stopping_and_removing(own: Fleet, machine: Machine) -> None:
    hub, state = own.hub("trial"), own.state_of("away")
    with own.changed("trial", hub_announcement="To be taken back"):
        own.succeed("deploy")
    assert "was rolled back to deploy" in own.succeed("rollback", "--limit", "trial").output
    own.succeed("stop")
    assert not any(hub.pids.values())
    result = own.succeed("remove", "-e", "remove_hubs=trial", "-e", "remove_data=true")
    copies = re.search(r"a copy of its data is kept in (/[\w./-]+)", result.output)
    assert copies and copies[1].startswith(f"{state}-exports/") and os.path.exists(copies[1])
    assert not state.exists() and not list(machine.home.glob("*.deploy-lock"))
