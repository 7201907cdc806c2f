# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backup program with a real restic, on hubs that do not run."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from backup_machine import CHECKOUT, Machine, damage, nobody, owner, settings

ROOT = os.geteuid() == 0


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A hub of an ordinary user that was backed up once. The tests run as that user."""
    root = Path(tempfile.mkdtemp(prefix="hubfleet-backup-", dir="/var/tmp"))
    shutil.copytree(CHECKOUT / "roles/cluster/files/runtime", root / "code")
    os.chown(root, 65534 if ROOT else -1, 65534 if ROOT else -1)
    try:
        with nobody():
            program = root / "code/hubfleet_runtime/backup/program.py"
            python = "/usr/bin/python3" if ROOT else sys.executable
            made = Machine(root, settings(root / "repository"), program=program, python=python)
            made.make()
            made.succeed("save")
            yield made
    finally:
        shutil.rmtree(root)


def test_what_comes_back_is_what_was_saved(machine: Machine) -> None:
    home = machine.homes / "ada"
    with (home / "holes").open("wb") as file:
        file.truncate(50_000_000)
    os.link(home / "work.txt", home / "same.txt")
    os.symlink("work.txt", home / "link")
    os.setxattr(home / "work.txt", "user.note", b"kept")
    (home / "work.txt").chmod(0o640)
    (machine.homes / "hubfleet-check-1").mkdir()
    (machine.homes / ".shared/course").mkdir(parents=True)
    (machine.homes / ".shared/course/notes.txt").write_text("of all")
    machine.succeed("save")
    other = machine.beside("other")
    assert other.restore()["users"] == 2
    back = other.homes / "ada"
    assert sorted(each.name for each in other.homes.iterdir()) == [".shared", "ada", "ben"]
    assert (other.homes / ".shared/course/notes.txt").read_text() == "of all"
    assert (back / "work.txt").read_text() == "of ada" and (back / "work.txt").stat().st_mode & 0o777 == 0o640
    assert os.path.samefile(back / "work.txt", back / "same.txt") and os.readlink(back / "link") == "work.txt"
    assert os.getxattr(back / "work.txt", "user.note") == b"kept"
    assert (back / "holes").stat().st_size == 50_000_000
    assert (other.hub / "secrets/cookie_secret").read_text() == "of the cookies\n"
    # The configuration is the inventory's; of the history there is what the hub was, and nothing to go back to.
    assert not (other.hub / "config").exists()
    record = json.loads((other.hub / "history/3/record.json").read_text())
    assert record == {**record, "number": 3, "result": "restored", "builds": [], "services": []}
    assert not (other.hub / "history/4").exists()


def test_a_restored_database_knows_of_no_running_server(machine: Machine) -> None:
    other = machine.beside("other")
    assert other.restore()["servers"] == 1
    with sqlite3.connect(other.hub / "jupyterhub.sqlite") as database:
        assert database.execute("SELECT server_id, state FROM spawners").fetchall() == [(None, "{}")]
        assert database.execute("SELECT _server_id FROM services").fetchall() == [(None,)]
        assert database.execute("SELECT count(*) FROM servers").fetchone() == (0,)
    database.close()


def test_the_second_backup_holds_what_changed(machine: Machine) -> None:
    big = machine.homes / "ada/big.bin"
    big.write_bytes(os.urandom(3_000_000))
    assert machine.succeed("save")["new"] > 3_000_000
    (machine.homes / "ada/work.txt").unlink()
    (machine.homes / "ben/more.txt").write_text("more")
    saved = machine.succeed("save")
    assert saved["new"] < 200_000 < 3_000_000 < saved["total"]
    other = machine.beside("other")
    other.restore()
    assert (other.homes / "ada/big.bin").read_bytes() == big.read_bytes()
    assert not (other.homes / "ada/work.txt").exists() and (other.homes / "ben/more.txt").exists()


def test_old_backups_are_removed(machine: Machine) -> None:
    first = machine.succeed("list")["backups"][0]["id"]
    for number in range(3):
        (machine.homes / f"ada/{number}").write_text(str(number))
        machine.succeed("save")
    backups = [each["id"] for each in machine.succeed("list")["backups"]]
    assert first not in backups and len(backups) == 2
    other = machine.beside("other")
    other.restore(**{"from": backups[-2]})
    assert (other.homes / "ada/1").exists() and not (other.homes / "ada/2").exists()
    assert (other.homes / "ada/work.txt").read_text() == "of ada"


def test_a_damaged_repository_is_told_and_nothing_is_placed(machine: Machine) -> None:
    (machine.homes / "ada/big.bin").write_bytes(os.urandom(3_000_000))
    machine.succeed("save")
    damage(machine.root / "repository")
    other = machine.beside("other")
    answer = other.ask("fetch")
    assert "ciphertext verification failed" in answer["error"], answer
    assert not other.hub.exists() and "was fetched" in other.ask("place")["error"]
    other.succeed("discard")
    assert not list(other.homes.iterdir())


def test_a_hub_that_is_there_is_not_overwritten(machine: Machine) -> None:
    for command in ("examine", "fetch"):
        assert machine.ask(command)["error"] == "hub lab exists already; it is not overwritten"
    (machine.homes / "ada/work.txt").write_text("newer")
    answer = machine.restore(replace=True)
    assert (machine.homes / "ada/work.txt").read_text() == "of ada"
    kept = Path(answer["kept"])
    assert (kept / "hub/config/hub.json").exists()
    assert (kept / "homes/ada/work.txt").read_text() == "newer"


def test_homes_of_the_operators_stay_or_are_kept_beside(machine: Machine) -> None:
    elsewhere = machine.root / "elsewhere"
    (elsewhere / "ada").mkdir(parents=True)
    (elsewhere / "ada/work.txt").write_text("newer")
    other = machine.beside("other")
    assert other.restore(homes=str(elsewhere))["left"] == ["ada"]
    assert (elsewhere / "ada/work.txt").read_text() == "newer" and (elsewhere / "ben/work.txt").exists()
    third = machine.beside("third")
    answer = third.restore(homes=str(elsewhere), replace=True)
    assert (elsewhere / "ada/work.txt").read_text() == "of ada"
    assert (elsewhere / f".replaced-before-{answer['id']}/ada/work.txt").read_text() == "newer"


def test_what_is_interrupted_goes_on(machine: Machine) -> None:
    other = machine.beside("other")
    # In the first half: what is there is not whole, so it is fetched anew.
    (other.state / "restoring/lab/hub").mkdir(parents=True)
    (other.homes / ".restoring/homes/ada").mkdir(parents=True)
    assert other.succeed("fetch")["changed"] and not other.succeed("fetch")["changed"]
    # In the second half, a home was moved already.
    (other.homes / ".restoring/homes/ada").rename(other.homes / "ada")
    other.succeed("place")
    assert (other.homes / "ada/work.txt").exists() and (other.homes / "ben/work.txt").exists()
    assert not other.succeed("place")["changed"] and other.succeed("examine")["done"]
    assert not other.succeed("fetch")["changed"]
    # Restored, but never deployed: another backup may still take its place.
    machine.succeed("save")
    assert other.succeed("fetch")["changed"]


def test_the_schedule_saves_every_hub_it_can(machine: Machine) -> None:
    shutil.copytree(machine.hub, machine.state / "hubs/worse")
    (machine.state / "hubs/worse/jupyterhub.sqlite").write_text("no database at all")
    (machine.state / "hubs/none").mkdir()
    (machine.state / "backup/settings.json").write_text(json.dumps(machine.settings))
    done = machine.run("scheduled", str(machine.state))
    assert done.returncode == 1
    assert " lab: backed up: " in done.stdout and " worse: FAILED: the database " in done.stderr
    assert "none" not in done.stdout + done.stderr
    assert json.loads((machine.state / "backup/last/lab.json").read_text())["id"]
    assert not list((machine.state / "backup/hubs").iterdir())


def test_no_secret_is_said_or_left_open(machine: Machine) -> None:
    wrong = machine.beside("wrong")
    wrong.settings = {**machine.settings, "password": "another"}
    answer = wrong.ask("fetch")
    assert "wrong password" in answer["error"] and "another" not in answer["error"], answer
    held = b"of the cookies"
    files = [each for each in (machine.root / "repository").rglob("*") if each.is_file()]
    assert files and not any(held in each.read_bytes() for each in files)
    command = ["grep", "-rqF", machine.settings["password"], str(machine.root)]
    assert subprocess.run(command, check=False).returncode == 1


def test_backups_can_be_read_by_hand(machine: Machine) -> None:
    (machine.homes / "ada/more.txt").write_text("more")
    machine.succeed("save")
    repository, out = machine.root / "repository", machine.root / "out"
    out.mkdir()
    environment = {"PATH": os.environ["PATH"], "RESTIC_REPOSITORY": str(repository), "RESTIC_CACHE_DIR": str(out)}
    environment["RESTIC_PASSWORD"] = machine.settings["password"]
    command = ["restic", "restore", "latest", "--tag", "hub=lab", "--target", "out"]
    subprocess.run(command, cwd=machine.root, env=environment, check=True, capture_output=True)
    found = {path.name: path for path in out.rglob("*") if path.is_file()}
    assert found["more.txt"].read_text() == "more" and found["cookie_secret"].read_text() == "of the cookies\n"
    assert {"jupyterhub.sqlite", "manifest.json", "hub.json", "python-0123.txt", "work.txt"} <= set(found)


@pytest.mark.skipif(not ROOT, reason="needs root: homes belong to accounts")
def test_homes_go_to_the_accounts_of_the_new_place(tmp_path: Path) -> None:
    machine = Machine(tmp_path, settings(tmp_path / "repository"))
    machine.make()
    tmp_path.chmod(0o711)
    # Numbers that are nobody's here, one of which was ada's; a guest of ben's, and a stranger.
    for user, number in (("ada", 60123), ("ben", 60124)):
        for path in (machine.homes / user, machine.homes / user / "work.txt"):
            os.chown(path, number, number)
    listed = ["setfacl", "-m", "u:60123:r,u:60999:rw,g:60123:r", str(machine.homes / "ben/work.txt")]
    subprocess.run(listed, check=True)
    (machine.homes / "ada/strange").write_text("whose?")
    (machine.homes / "ada/strange").chmod(0o4755)
    os.chown(machine.homes / "ada/strange", 60999, 60999)
    machine.succeed("save")
    other = machine.beside("other")
    other.state.mkdir(mode=0o711)
    try:
        other.restore(isolation="system-users", shared_homes=True, runtime_directory="/run/hubfleet")
        accounts = {entry.pw_dir: entry for entry in pwd.getpwall() if entry.pw_dir.startswith(str(other.homes))}
        ada, ben = accounts[str(other.homes / "ada")], accounts[str(other.homes / "ben")]
        assert owner(other.homes / "ada/work.txt") == (ada.pw_uid, ada.pw_gid) != (60123, 60123)
        assert owner(other.homes / "ben") == (ben.pw_uid, ben.pw_gid)
        strange = other.homes / "ada/strange"
        assert owner(strange) == (0, 0) and not strange.stat().st_mode & 0o4000
        command = ["getfacl", "-n", str(other.homes / "ben/work.txt")]
        shown = subprocess.run(command, capture_output=True, text=True, check=True)
        assert f"user:{ada.pw_uid}:r--" in shown.stdout and f"group:{ada.pw_gid}:r--" in shown.stdout
        assert "60999" not in shown.stdout and "60123" not in shown.stdout
    finally:
        for entry in pwd.getpwall():
            if entry.pw_dir.startswith(str(other.homes)):
                shutil.rmtree(f"/run/hubfleet/{entry.pw_uid}", ignore_errors=True)
                subprocess.run(["userdel", entry.pw_name], check=True)


@pytest.mark.skipif(not ROOT, reason="needs root to make what an ordinary user cannot read")
def test_what_cannot_be_read_is_named(machine: Machine) -> None:
    (machine.homes / "ada/closed").write_text("cannot be read")
    (machine.homes / "ada/closed").chmod(0o600)
    os.seteuid(0)
    os.chown(machine.homes / "ada/closed", 0, 0)
    os.seteuid(65534)
    saved = machine.succeed("save")
    assert len(saved["unread"]) == 1 and "closed" in saved["unread"][0]
    other = machine.beside("other")
    other.restore()
    assert (other.homes / "ada/work.txt").exists() and not (other.homes / "ada/closed").exists()


@pytest.mark.parametrize("command", ["examine", "list"])
def test_a_place_without_backups_is_named(machine: Machine, command: str) -> None:
    machine.settings["repository"] = str(machine.root / "empty")
    for prepare in (lambda: None, (machine.root / "empty").mkdir):
        prepare()
        answer = machine.ask(command, replace=True)
        said = answer.get("error") or f"hub lab {answer['summary']}"
        assert said == f"hub lab has no backups in {machine.root}/empty yet"


def test_a_repository_that_cannot_be_is_named(machine: Machine) -> None:
    file = machine.root / "file"
    file.touch()
    machine.settings["repository"] = str(file)
    error = machine.ask("save")["error"]
    assert str(file) in error and "not a directory" in error.lower()


def test_credentials_of_an_address_are_not_told(machine: Machine) -> None:
    machine.settings["repository"] = "rest:http://ada:hunter2@127.0.0.1:9/lab"
    for command in ("list", "save", "examine"):
        error = machine.ask(command, replace=True)["error"]
        assert "127.0.0.1:9/lab" in error and "hunter2" not in error and "ada:" not in error


def test_the_newest_backups_are_told_first(machine: Machine) -> None:
    machine.succeed("save")
    ids = [each["id"] for each in machine.succeed("list")["backups"]]
    told = machine.ask("examine", replace=True, **{"from": "nothing"})["error"].partition("the newest are: ")[2]
    assert [word for word in told.replace("(", " ").split() if word in ids] == ids[::-1]


ASKED = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from hubfleet_runtime import processes
from hubfleet_runtime.backup import program
stat = processes.stat(os.getpid())
running = {
    "machine": program._machine(),
    "boot_id": processes.boot_id(),
    "pid_namespace": os.readlink("/proc/self/ns/pid"),
    "pid": os.getpid(),
    "start_time": stat.start_time,
}
changes = [{}, {"start_time": "1"}, {"boot_id": "another"}, {"machine": "another"}, {"pid_namespace": "pid:[1]"}]
print(json.dumps([program.deploy_may_run({**running, **each}) for each in changes]))
"""


def test_a_deploy_that_is_not_visible_counts_as_running() -> None:
    command = [sys.executable, "-c", ASKED, str(CHECKOUT / "roles/cluster/files/runtime")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [True, False, False, True, True]
