# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backup, drill and restore of a real hub."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from backup_hub import READER, Vault, remembered, running, stored
from backup_machine import damage
from verbs_fleet import Result, kill_all, wait_for
from verbs_machine import picture

ROOT = os.geteuid() == 0


def new_bytes(result: Result) -> float:
    """Return how many bytes a backup of the hub added."""
    found = re.search(r"lab backed up: \d+ \w+, (\d+) (B|kB|MB) added to the repository", result.output)
    assert found, result.output
    return int(found[1]) * {"B": 1, "kB": 1e3, "MB": 1e6}[found[2]]


def test_backups_through_the_life_of_a_hub(vault: Vault) -> None:
    """Back up, drill, remove and restore a hub; each part goes on from what the parts before it left."""
    check_mode_saves_nothing(vault)
    where_no_backup_was_made_yet(vault)
    the_second_backup_saves_what_is_new(vault)
    the_machine_makes_the_next_backups(vault)
    a_drill_that_was_killed_is_cleared_by_the_next(vault)
    a_drill_tells_a_damaged_backup(vault)
    a_removed_hub_comes_back(vault)
    a_hub_that_is_there_stays(vault)
    a_hub_that_exists_is_replaced_on_request(vault)
    what_was_replaced_outlives_the_hub(vault)


def check_mode_saves_nothing(vault: Vault) -> None:
    before = picture(vault.fleet.state)
    assert "lab would be backed up" in vault.fleet.succeed("backup", "--check").output
    assert picture(vault.fleet.state) == before and not (vault.fleet.directory / "repository").exists()


def where_no_backup_was_made_yet(vault: Vault) -> None:
    fleet = vault.fleet
    none = f"lab has no backups in {fleet.directory / 'repository'} yet"
    assert none in fleet.succeed("backup", "-e", "backup_list=true").output
    before = picture(fleet.state)  # with the bytecode of the program, which ran for the first time
    nowhere = fleet.directory / "nowhere"
    for verb, where in (("drill", fleet.state), ("restore", fleet.state), ("restore", nowhere)):
        with fleet.changed(cluster_backup_repository=str(fleet.directory / "repository")):
            if where == nowhere:
                fleet.set(cluster_state_directory=str(nowhere))
            result = fleet.run(verb, "--limit", "lab", "-e", "restore_replace=lab")
        assert result.code == 2 and none in result.output, result.output
        assert not nowhere.exists() and picture(fleet.state) == before


def the_second_backup_saves_what_is_new(vault: Vault) -> None:
    first = vault.fleet.succeed("backup", "-vvvv")
    assert new_bytes(first) >= 5_000_000
    for secret in (vault.password, READER, *vault.hub.secrets().values()):
        assert secret not in first.output
    assert new_bytes(vault.fleet.succeed("backup")) < 500_000
    listed = vault.fleet.succeed("backup", "-e", "backup_list=true").output
    assert len(re.findall(r"[0-9a-f]{8}  20\d\d-", listed)) == 2
    assert re.search(r"^lab .* checked +20\d\d-[\w:-]+Z$", vault.fleet.succeed("status").output, re.MULTILINE)
    assert vault.kernel.survives()


def the_machine_makes_the_next_backups(vault: Vault) -> None:
    settings = vault.fleet.state / "backup/settings.json"
    assert settings.stat().st_mode & 0o777 == 0o600
    shown = " ".join(vault.fleet.succeed("backup").output.split())
    told = re.search(r"schedule this command with another program: (.+? scheduled \S+?)'", shown)
    if not told:
        warnings.warn("not tested: systemd or cron makes backups here, when it is time", stacklevel=2)
        return
    command = told[1].split()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.defpath})
    assert done.returncode == 0 and " lab: backed up: " in done.stdout, done


def a_drill_that_was_killed_is_cleared_by_the_next(vault: Vault) -> None:
    pids, before = vault.hub.pids, picture(vault.fleet.state)
    started = vault.fleet.start("drill")
    place = f"{vault.fleet.state.name}-drill-lab/hubs/lab/run"
    wait_for("the drill to start its hub", lambda: list(vault.fleet.directory.glob(f"{place}/*")))
    kill_all(started)
    assert vault.drills()
    told = " ".join(vault.fleet.succeed("drill").output.split())
    assert re.search(r"is good: \d users, \d+ files; restored in \d+ s, check passed in \d+ s", told), told
    assert vault.drills() == []
    # Nothing of the hub itself was touched.
    assert vault.hub.pids == pids and picture(vault.fleet.state) == before and vault.kernel.survives()


def a_drill_tells_a_damaged_backup(vault: Vault) -> None:
    fleet = vault.fleet
    damaged = fleet.directory / "damaged"
    shutil.copytree(fleet.directory / "repository", damaged)
    damage(damaged / "data")
    with fleet.changed(cluster_backup_repository=str(damaged)):
        result = fleet.run("drill")
    assert result.code == 2 and "[lab]: restic restore: ignoring error" in result.output, result.output
    assert vault.drills() == []


def a_removed_hub_comes_back(vault: Vault) -> None:
    fleet, hub = vault.fleet, vault.hub
    sealed, secrets, owner = stored(hub), hub.secrets(), os.lstat(vault.home).st_uid
    sure = ("remove_hubs=lab", "remove_data=true", "remove_export=false", "remove_end_sessions=true")
    fleet.succeed("remove", *(word for each in sure for word in ("-e", each)))
    assert not vault.home.exists()
    with somebody_new(owner):
        fleet.succeed("restore", "--limit", "lab")
    assert hub.secrets() == secrets and stored(hub) == sealed
    assert vault.is_logged_in() and vault.knows_token() and remembered(hub, "ada") == {"upstream": "of ada"}
    assert running(hub) == 0
    hub.start_server("ada")
    vault.kernel = hub.kernel("ada").mark()
    assert vault.kernel.run("print(open('work.txt').read(), os.stat('big').st_size)") == "of ada 5000000\n"
    if ROOT:
        now = os.lstat(vault.home / "work.txt").st_uid
        assert now == int(vault.kernel.run("print(os.getuid())")) and now not in (0, owner)
    assert "nothing to change" in fleet.succeed("deploy").output


def a_hub_that_is_there_stays(vault: Vault) -> None:
    before = picture(vault.fleet.state)
    result = vault.fleet.run("restore", "--limit", "lab")
    assert result.code == 2 and "[lab]: hub lab exists already; it is not overwritten" in result.output
    assert picture(vault.fleet.state) == before and vault.kernel.survives()
    assert "Name the hubs with --limit" in vault.fleet.run("restore").output


def a_hub_that_exists_is_replaced_on_request(vault: Vault) -> None:
    fleet = vault.fleet
    replace = ("restore", "--limit", "lab", "-e", "restore_replace=lab")
    fleet.succeed("backup")
    (vault.home / "work.txt").write_text("newer")
    refused = fleet.run(*replace)
    assert refused.code == 2 and "ada" in refused.output and vault.kernel.survives()
    result = fleet.succeed(*replace, "-e", "restore_end_sessions=true", "-vvvv")
    assert vault.password not in result.output
    assert (vault.home / "work.txt").read_text() == "of ada" and vault.is_logged_in()
    (kept,) = (fleet.state / "replaced").iterdir()
    assert (kept / "hub/config/hub.json").exists()
    assert (kept / "homes/ada/work.txt").read_text() == "newer"


def what_was_replaced_outlives_the_hub(vault: Vault) -> None:
    vault.fleet.succeed("remove", "-e", "remove_hubs=lab", "-e", "remove_data=true", "-e", "remove_export=false")
    # With its marker, so that the next deploy can use the directory.
    assert {path.name for path in vault.fleet.state.iterdir()} == {"replaced", ".hubfleet-state"}
    shutil.rmtree(vault.fleet.state)


@contextmanager
def somebody_new(uid: int) -> Iterator[None]:
    """Give a user id that became free to another account.

    Not unique, because an account of another test, which runs at the same time, may have taken it first.
    """
    name = f"hubfleet-n{os.getpid()}"
    if ROOT:
        subprocess.run(["useradd", "--no-create-home", "--non-unique", "--uid", str(uid), name], check=True)
    try:
        yield
    finally:
        if ROOT:
            subprocess.run(["userdel", name], check=True, capture_output=True)
