# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hubs of another machine's root, deployed by an account that becomes root."""

from __future__ import annotations

import os
import pwd

import pytest
from remote_machine import Machine
from verbs_fleet import Fleet, Result
from verbs_machine import accounts_below, mode


@pytest.fixture(scope="module")
def first(roots: Fleet) -> Result:
    """What the first deploy printed, at the highest verbosity."""
    return roots.succeed("deploy", "-vvvv")


def test_rights_that_cannot_be_had_are_told_in_a_line(roots: Fleet) -> None:
    """Nothing was touched."""
    before = list(roots.state.glob("hubs/*"))
    with roots.changed(ansible_become_password=roots.encrypted("not the password")):
        result = roots.run("deploy")
    assert result.code == 2
    assert result.outcomes()["campus"] == "unreachable 127.0.0.1 cannot be used: Incorrect sudo password"
    with roots.changed(ansible_become_exe="/usr/bin/no-such-sudo"):
        result = roots.run("deploy")
    assert result.outcomes()["campus"].startswith("unreachable 127.0.0.1 cannot be used: ")
    assert "/usr/bin/no-such-sudo" in result.outcomes()["campus"]
    assert list(roots.state.glob("hubs/*")) == before


def test_root_of_the_machine_owns_the_hubs(roots: Fleet, machine: Machine, first: Result) -> None:
    assert first.outcomes() == {"campus": "deployed"}
    assert machine.password not in first.output
    hub = roots.hub("campus")
    assert not [name for name, value in hub.secrets().items() if value in first.output]
    assert hub.config["isolation"] == "system-users" and hub.healthy()
    assert mode(hub.directory) == "0o700" and hub.directory.stat().st_uid == 0
    assert os.stat(f"/proc/{hub.pid('hub')}").st_uid == 0
    assert os.stat(f"/proc/{hub.pid('proxy')}").st_uid == pwd.getpwnam("hubfleet-proxy").pw_uid
    assert "1 hub: nothing to change" in roots.succeed("deploy").output


def test_users_have_accounts_and_keep_their_kernels(roots: Fleet, first: Result) -> None:
    hub = roots.hub("campus")
    hub.start_server("ada")
    kernel = hub.kernel("ada").mark()
    assert accounts_below(roots.directory)
    with roots.changed("campus", hub_announcement="New term"):
        roots.succeed("deploy")
    assert "New term" in hub.login_page() and kernel.survives()
    refused = roots.run("remove", "-e", "remove_hubs=campus", "-e", "remove_data=true")
    assert refused.code == 2 and "this would end the sessions of ada" in refused.output
    hub.stop_server("ada")
