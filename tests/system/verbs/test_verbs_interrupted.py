# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verbs that are interrupted at a bad moment."""

from __future__ import annotations

import os
import signal

import pytest
from verbs_fleet import Fleet, kill_all, wait_for
from verbs_machine import accounts_below, processes_of

EXTRA = {"name": "extra", "title": "Extra", "packages": ["six==1.17.0"]}


def test_killed_after_files_were_written(fleet: Fleet) -> None:
    hub = fleet.hub("trial")
    before = hub.pid("hub")
    fleet.set("trial", hub_announcement="Written")
    process = fleet.start("deploy")
    wait_for("the new configuration", lambda: hub.config["template_vars"]["announcement"] == "Written")
    kill_all(process)
    result = fleet.succeed("deploy")
    # Nothing pretends that the old hub runs the new configuration.
    assert result.planned()["trial"].startswith("update: hub to restart") or hub.pid("hub") != before
    assert "Written" in hub.login_page()
    assert "nothing to change" in fleet.succeed("deploy").output


def test_killed_between_services(fleet: Fleet) -> None:
    hub = fleet.hub("trial")
    before = hub.pid("hub")
    fleet.set("trial", hub_announcement="Between")
    process = fleet.start("deploy")
    wait_for("the old hub to end", lambda: hub.pid("hub") != before)
    kill_all(process)
    fleet.succeed("deploy")
    assert all(hub.pids.values())
    assert "Between" in hub.login_page()


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["started", "installed"])
def test_killed_while_building(fleet: Fleet, moment: str) -> None:
    built = fleet.state / "environments"
    pattern = {"started": "extra-*/pyvenv.cfg", "installed": "extra-*/lib/python3*/site-packages/jupyterhub"}[moment]
    # Preselected, so that the deploy checks it.
    with fleet.changed("trial", hub_environments=[{**EXTRA, "description": moment}, "python"]):
        for path in built.glob("extra-*/.complete"):
            path.unlink()  # as if it had never been built
        process = fleet.start("deploy")
        wait_for("the build to be half done", lambda: list(built.glob(pattern)))
        kill_all(process)
        assert not list(built.glob("extra-*/.complete"))
        result = fleet.succeed("deploy")
        assert "extra to build" in result.output and "extra/small" in result.output


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupted_check_leaves_nothing(fleet: Fleet, name: str) -> None:
    hub, homes = fleet.hub("trial"), fleet.state / "homes/trial"
    accounts = set(accounts_below(fleet.state))

    def left() -> list[object]:
        """Users, homes, logs and processes of the check."""
        found: list[object] = [user for user in hub.users() if "check" in user]
        found += [*homes.glob("*check*"), *(hub.directory / "logs/servers").glob("*check*")]
        return found + [command for command in processes_of(homes).values() if "hubfleet-check" in command]

    process = fleet.start("check", "--limit", "trial")
    wait_for("the check's server", lambda: list(homes.glob("*check*")))
    # As a terminal does it: to everything in the foreground.
    os.killpg(process.pid, getattr(signal, name))
    output, _nothing = process.communicate(timeout=60)
    assert process.returncode, output
    # Ansible waits for what was interrupted by Ctrl-C. By SIGTERM it dies at once, and what it was
    # doing cleans up on its own.
    wait_for("the check to clean up", lambda: not left(), 0.0 if name == "SIGINT" else 25.0)
    assert set(accounts_below(fleet.state)) == accounts
