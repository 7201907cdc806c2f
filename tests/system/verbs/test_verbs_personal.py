# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs in the hands of somebody without rights."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from environment_repository import Repository
from test_verbs_apart import look
from verbs_fleet import IDENTITIES, Fleet
from verbs_machine import accounts_below, mode, processes_of, service_pids


@pytest.fixture(autouse=True)
def restored(personal: Fleet) -> None:
    """Before each test the hub is what the inventory says."""
    personal.restore()


def test_everything_runs_without_rights(personal: Fleet) -> None:
    hub = personal.hub("trial")
    uid = personal.account.owner[0] if personal.account.owner else os.geteuid()
    assert mode(personal.state) == "0o700" and personal.state.stat().st_uid == uid
    assert all(service_pids(hub.directory).values()) and hub.healthy()
    assert {os.stat(f"/proc/{pid}").st_uid for pid in processes_of(personal.state)} == {uid}
    assert "1 hub: nothing to change" in personal.succeed("deploy").output


def test_users_are_kept_apart_by_bubblewrap(personal: Fleet) -> None:
    hub = personal.hub("trial")
    assert hub.config["isolation"] == "bubblewrap"
    hub.start_server("ada")
    hub.start_server("ben")
    hub.kernel("ben").run("open('mine.txt', 'w').write('mine')")
    found = look(hub.kernel("ada"), personal)
    own = str(personal.state / "homes/trial/ada")
    # Directories on the way to the own home are there, and empty but for it.
    empty = [str(personal.state), str(personal.state / "homes"), str(personal.state / "homes/trial")]
    assert [path for path in found["paths"] if path not in empty] == [own]  # type: ignore[attr-defined]
    assert found["tokens"] == 0 and found["pids"] == found["sockets"] == [] and not found["writable"]
    hub.stop_server("ada")
    hub.stop_server("ben")


def test_a_repository_is_built_in_a_sandbox(personal: Fleet) -> None:
    repository = Repository(personal.directory / "maps")
    look = f'#!/bin/sh\nls {personal.state}/hubs {personal.state}/homes > "$NB_PYTHON_PREFIX/seen" 2>&1\n'
    look += 'mkdir -m 000 "$NB_PYTHON_PREFIX/closed"\n'
    repository.commit({"requirements.txt": "cowsay==6.1\n", "postBuild": look})
    if personal.account.owner:
        subprocess.run(["chown", "-R", ":".join(map(str, personal.account.owner)), repository.directory], check=True)
    with personal.changed("trial", hub_environments=["python", {"name": "maps", "repository": "../maps"}]):
        personal.succeed("environments")
        assert personal.succeed("deploy").outcomes() == {"trial": "deployed"}
        seen = (personal.state / "environments/maps/seen").read_text()
        assert seen.count("No such file or directory") == 2 and "trial" not in seen.replace(str(personal.state), "")
        assert "cowsay==6.1" in (personal.state / "environments/maps/lock.txt").read_text()


def test_kernels_outlive_a_new_configuration(personal: Fleet) -> None:
    hub = personal.hub("trial")
    hub.start_server("ben")
    kernel, before = hub.kernel("ben").mark(), hub.pids
    with personal.changed("trial", hub_announcement="New term"):
        personal.succeed("deploy")
    assert hub.pid("hub") != before["hub"] and hub.pid("proxy") == before["proxy"]
    assert kernel.survives() and "New term" in hub.login_page()
    hub.stop_server("ben")


def test_an_inventory_that_cannot_be_written_is_deployed(personal: Fleet) -> None:
    hub = personal.hub("trial")
    with personal.changed("trial", hub_announcement="Read only"):
        (personal.inventory / IDENTITIES).unlink()
        personal.inventory.chmod(0o500)
        try:
            personal.succeed("deploy")
        finally:
            personal.inventory.chmod(0o700)
        assert "Read only" in hub.login_page() and not personal.identities()
    result = personal.succeed("deploy")
    assert "own: identity recorded in the inventory; commit it" in result.output
    assert list(personal.identities()) == ["own"]


def test_without_isolation_there_is_a_warning(personal: Fleet) -> None:
    hub = personal.hub("trial")
    with personal.changed(cluster_isolation="none"):
        result = personal.succeed("deploy")
        assert "cluster own: cluster_isolation is none: every user of its hubs can read" in " ".join(
            result.output.split()
        )
        assert hub.config["isolation"] == "none" and hub.healthy()


def test_remove_leaves_nothing(personal: Fleet) -> None:
    hub = personal.hub("trial")
    hub.start_server("ada")
    runtime = Path(hub.config["runtime_directory"])
    assert personal.remove().code == 0
    assert not runtime.exists()
    assert not personal.state.exists() and not accounts_below(personal.directory)
    assert not processes_of(personal.state)
