# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploys that can be left again, whatever they are interrupted by."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.deploy import (
    RollbackError,
    rollback_plan,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.machine import ACCOUNTS
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions import (
    database,
    history,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions.database import (
    DatabaseError,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions.history import (
    APPLIED,
    APPLYING,
    CHECKED,
    FAILED,
    REPLACED,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.supervisor.base import (
    SupervisorError,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.fake_machine import (
    FakeMachine,
    Version,
    add_user,
    fake,
    schema,
    users,
)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    return fake(monkeypatch, tmp_path)


def database_of(machine: FakeMachine) -> str:
    return machine.layout.path(database.DATABASE)


# --- Deploys


def test_first_deploy(machine: FakeMachine) -> None:
    one = machine.version("one")
    changed = machine.write(one)
    assert {"config/hub.json", "secrets/proxy_token"} <= set(changed)
    assert machine.results() == {1: APPLYING}
    assert set(machine.start(one)) == {"proxy", "hub", "culler"}
    assert machine.results() == {1: APPLIED}
    assert machine.is_whole(one)
    assert os.stat(machine.layout.directory).st_mode & 0o777 == 0o700


def test_second_deploy(machine: FakeMachine) -> None:
    """Only what differs is written; what is no longer meant to be there is removed; secrets stay."""
    one, two = machine.version("one"), machine.version("two")
    machine.deploy(one)
    token = Path(machine.layout.secret("proxy_token")).read_bytes()
    changed = machine.write(two)
    assert sorted(changed) == [
        "config/hub.json", "config/secrets.json", "config/templates/one.html", "config/templates/two.html",
    ]  # fmt: skip
    machine.start(two)
    assert machine.is_whole(two)
    assert machine.results() == {2: APPLIED, 1: CHECKED}
    assert history.texts(machine.layout, 1) == one.texts
    assert Path(machine.layout.secret("proxy_token")).read_bytes() == token


def test_old_deploys_are_forgotten(machine: FakeMachine) -> None:
    for count in range(5):
        machine.deploy(machine.version(f"v{count}"), keep=2)
    assert set(machine.results()) == {4, 5}


def test_deploy_that_does_not_start(machine: FakeMachine) -> None:
    machine.deploy(machine.version("one"))
    two = machine.version("two", "5.4.1")
    machine.supervisor.broken.add("5.4.1")
    machine.write(two)
    with pytest.raises(SupervisorError):
        machine.start(two)
    assert machine.results() == {2: APPLYING, 1: CHECKED}


def test_new_version_of_jupyterhub(machine: FakeMachine) -> None:
    """The database is copied, and then brought to the new schema."""
    one, two = machine.version("one", "5.4.0"), machine.version("two", "5.5.0")
    machine.deploy(one)
    add_user(machine.layout, "ada")
    machine.deploy(two)
    assert machine.is_whole(two)
    record = history.records(machine.layout)[0]
    copy = os.path.join(history.folder(machine.layout), "2", record.database)
    assert users(copy) == users(database_of(machine)) == ["ada"]
    assert os.stat(copy).st_mode & 0o777 == 0o600
    machine.deploy(machine.version("three", "5.5.0"))
    assert history.records(machine.layout)[0].database == "", "no other copy without need"


def test_upgrade_that_fails(machine: FakeMachine) -> None:
    """The copy is there, and the way back is open."""
    one, two = machine.version("one", "5.4.0"), machine.version("two", "5.5.0")
    machine.deploy(one)
    add_user(machine.layout, "ada")
    machine.stuck.add("5.5.0")
    machine.write(two)
    with pytest.raises(DatabaseError, match="upgrade-db failed"):
        machine.start(two)
    assert machine.results() == {2: APPLYING, 1: CHECKED}
    assert machine.roll_back().number == 1
    assert machine.is_whole(one)
    assert users(database_of(machine)) == ["ada"]


def test_to_an_older_jupyterhub_by_deploying(machine: FakeMachine) -> None:
    """It fails, as upgrade-db knows no way back, and nothing is lost; only a rollback puts back what was."""
    machine.deploy(machine.version("one", "5.4.0"))
    two = machine.version("two", "5.5.0")
    machine.deploy(two)
    add_user(machine.layout, "ada")
    older = machine.version("three", "5.4.0")
    machine.write(older)
    with pytest.raises(DatabaseError):
        machine.start(older)
    assert machine.roll_back().number == 2
    assert machine.is_whole(two)
    assert users(database_of(machine)) == ["ada"]


# --- Rollbacks


def test_back_to_what_ran_before(machine: FakeMachine) -> None:
    one, two = machine.version("one"), machine.version("two")
    machine.deploy(one)
    machine.deploy(two, FAILED)
    add_user(machine.layout, "ada")
    target = machine.roll_back()
    assert (target.number, machine.is_whole(one)) == (1, True)
    assert machine.results() == {3: APPLIED, 2: REPLACED, 1: CHECKED}
    newest = history.records(machine.layout)[0]
    assert (newest.back_to, newest.fingerprint, newest.who) == (1, "fingerprint of one", "ada@desk")
    assert users(database_of(machine)) == ["ada"], "the same schema: the database stays"


def test_back_to_a_number(machine: FakeMachine) -> None:
    versions = [machine.version(f"v{count}") for count in range(1, 5)]
    for version in versions:
        machine.deploy(version)
    assert machine.roll_back(2).number == 2
    assert machine.is_whole(versions[1])
    assert machine.roll_back(4).number == 4
    assert machine.is_whole(versions[3])


def test_back_to_the_database_of_then(machine: FakeMachine) -> None:
    """What is replaced is kept; users of meanwhile are not in the older database."""
    one, two = machine.version("one", "5.4.0"), machine.version("two", "5.5.0")
    machine.deploy(one)
    add_user(machine.layout, "ada")
    machine.deploy(two)
    add_user(machine.layout, "ben")
    machine.roll_back()
    assert machine.is_whole(one)
    assert users(database_of(machine)) == ["ada"]
    aside = os.path.join(history.folder(machine.layout), "3", "replaced.sqlite")
    assert users(aside) == ["ada", "ben"]


def test_back_over_several_schemas(machine: FakeMachine) -> None:
    """The copy with the schema of the version that is gone back to, not the newest one."""
    versions = [machine.version(f"of {number}", number) for number in ("5.3.0", "5.4.0", "5.5.0")]
    for version in versions:
        machine.deploy(version)
        add_user(machine.layout, version.jupyterhub)
    machine.roll_back(1)
    assert machine.is_whole(versions[0])
    assert users(database_of(machine)) == ["5.3.0"]


def test_back_and_forth(machine: FakeMachine) -> None:
    """Going back to a newer JupyterHub is going forward for the database."""
    one, two = machine.version("one", "5.4.0"), machine.version("two", "5.5.0")
    machine.deploy(one)
    machine.deploy(two)
    machine.roll_back(1)
    add_user(machine.layout, "ada")
    machine.roll_back(2)
    assert machine.is_whole(two)
    assert users(database_of(machine)) == ["ada"]
    machine.deploy(machine.version("three", "5.5.0"))
    assert schema(machine.layout) == "5.5.0"


def test_the_newest_copy_of_a_schema(machine: FakeMachine) -> None:
    """Upgraded, gone back, upgraded again: what the older version saw last is put back."""
    one, two = machine.version("one", "5.4.0"), machine.version("two", "5.5.0")
    machine.deploy(one)
    machine.deploy(two)
    machine.roll_back()
    add_user(machine.layout, "ada")
    machine.deploy(two)
    add_user(machine.layout, "ben")
    machine.roll_back(1)
    assert machine.is_whole(one)
    assert users(database_of(machine)) == ["ada"]


def test_back_without_history_to_spare(machine: FakeMachine) -> None:
    """The copy of the database is put back before anything is forgotten."""
    one = machine.version("one", "5.4.0")
    machine.deploy(one)
    add_user(machine.layout, "ada")
    for count in range(3):
        machine.deploy(machine.version(f"new{count}", "5.5.0"), FAILED, keep=2)
    assert machine.roll_back(keep=2).number == 1
    assert machine.is_whole(one)
    assert users(database_of(machine)) == ["ada"]


def test_broken_database_is_kept_aside(machine: FakeMachine) -> None:
    """A database that nothing can read is no reason not to go back."""
    one, two = machine.version("one", "5.4.0"), machine.version("two", "5.5.0")
    machine.deploy(one)
    machine.deploy(two)
    Path(database_of(machine)).write_bytes(b"no database at all" * 100)
    machine.roll_back()
    assert machine.is_whole(one)
    aside = Path(history.folder(machine.layout), "3", "replaced.sqlite")
    assert aside.read_bytes() == b"no database at all" * 100


def test_nothing_to_go_back_to(machine: FakeMachine) -> None:
    with pytest.raises(RollbackError, match="there is no earlier deploy that ran; nothing to go back to"):
        machine.roll_back()
    machine.deploy(machine.version("one"))
    with pytest.raises(RollbackError, match="nothing to go back to"):
        machine.roll_back()


def test_unknown_number(machine: FakeMachine) -> None:
    with pytest.raises(RollbackError, match="^there is no deploy 7; there are: none$"):
        machine.roll_back(7)
    machine.deploy(machine.version("one"))
    machine.deploy(machine.version("two"))
    with pytest.raises(RollbackError, match="^there is no deploy 7; there are: 1, 2$"):
        machine.roll_back(7)


@pytest.mark.parametrize("number", [1, 3])
def test_already_there(number: int, machine: FakeMachine) -> None:
    """Going back to what runs, by its own number or by the one that it repeats, is no deploy."""
    machine.deploy(machine.version("one"))
    machine.deploy(machine.version("two"))
    machine.roll_back(1)
    before = machine.results()
    assert rollback_plan(machine.layout, number).arrived
    assert machine.roll_back(number).number == number
    assert machine.results() == before == {3: APPLIED, 2: REPLACED, 1: CHECKED}
    assert not rollback_plan(machine.layout, 2).arrived


def test_what_changed_by_itself_is_gone_back_to(machine: FakeMachine) -> None:
    """Deployed last, but edited by hand, ended, or interrupted: it is not there yet."""
    one = machine.version("one")
    machine.deploy(one)
    machine.supervisor.runs.pop("hub")
    assert not rollback_plan(machine.layout, 1).arrived
    machine.roll_back(1)
    Path(machine.layout.config("hub.json")).write_bytes(b"edited")
    way = rollback_plan(machine.layout, 2)
    assert (way.arrived, way.before["hub.json"]) == (False, b"edited")
    machine.roll_back(2)
    assert machine.is_whole(one)
    history.finish(machine.layout, 3, APPLYING)
    assert not rollback_plan(machine.layout, 2).arrived


def test_what_came_with_a_backup(machine: FakeMachine) -> None:
    version = machine.version("one")
    history.begin(machine.layout, {**version.record, "services": [], "files": {}, "result": "restored"}, {})
    machine.deploy(machine.version("two"))
    with pytest.raises(RollbackError, match="^deploy 1 came with a backup, which holds its data only$"):
        machine.roll_back(1)


@pytest.mark.parametrize("folder", ["tools", "environments"])
def test_builds_may_be_tools_or_environments(folder: str, machine: FakeMachine) -> None:
    one = machine.version("one")
    machine.deploy(one)
    machine.deploy(machine.version("two"))
    (machine.root / folder).mkdir(exist_ok=True)
    shutil.move(machine.root / "tools" / "hub-5.4.0", machine.root / folder / "hub-5.4.0")
    machine.roll_back()
    assert machine.is_whole(one)


def test_records_of_other_releases(machine: FakeMachine) -> None:
    """A rollback uses what the record says, and ignores what it does not know."""
    one = machine.version("one")
    one.texts["hub.json"] = json.dumps(
        {**json.loads(one.texts["hub.json"]), "homes": str(machine.root / "elsewhere"), "isolation": ACCOUNTS}
    ).encode()
    one.record["files"]["hub.json"] = hashlib.sha256(one.texts["hub.json"]).hexdigest()
    one.record["check"] = {"url": "https://old.example.org/"}
    machine.deploy(one)
    path = Path(history.folder(machine.layout), "1", "record.json")
    record = json.loads(path.read_text())
    services = [{**service, "nice": 5} for service in record["services"]]
    path.write_text(json.dumps({**record, "services": services, "cost": "low"}))
    machine.deploy(machine.version("two"))
    machine.roll_back()
    assert machine.is_whole(one)
    assert (machine.root / "elsewhere").stat().st_mode & 0o777 == 0o711
    newest = history.newest(machine.layout)
    assert newest and (newest.back_to, newest.check) == (1, one.record["check"])


def _untouched(machine: FakeMachine, version: Version, message: str) -> None:
    before = machine.results()
    with pytest.raises(RollbackError) as raised:
        machine.roll_back()
    assert str(raised.value) == message
    assert machine.is_whole(version)
    assert machine.results() == before


def test_missing_build(machine: FakeMachine) -> None:
    """Nothing is touched where the hub could not run."""
    machine.deploy(machine.version("one", "5.4.0"))
    two = machine.version("two", "5.5.0")
    machine.deploy(two)
    (machine.root / "tools" / "hub-5.4.0" / ".complete").unlink()
    _untouched(machine, two, "deploy 1 needs hub-5.4.0, which is no longer on the machine")


@pytest.mark.parametrize("damage", ["removed", "changed", "added", "all gone"])
def test_damaged_history(damage: str, machine: FakeMachine) -> None:
    """A copy that is not what was deployed is not put into its place."""
    machine.deploy(machine.version("one"))
    two = machine.version("two")
    machine.deploy(two)
    config = Path(history.folder(machine.layout), "1", "config")
    if damage == "removed":
        (config / "hub.json").unlink()
    elif damage == "changed":
        (config / "hub.json").write_bytes(b"")
    elif damage == "added":
        (config / "hub.json.orig").write_bytes(b"")
    else:
        shutil.rmtree(config)
    name = "hub.json.orig" if damage == "added" else "hub.json"
    _untouched(machine, two, f"deploy 1 is damaged: its {name} is not what was deployed")
