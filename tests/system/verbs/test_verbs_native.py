# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub with accounts of its own: first passwords are told to the operator, and strangers get no name of others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from native_people import PASSWORD, change_password, first_passwords, log_in, sign_up
from verbs_fleet import Fleet, Result


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """A fleet of its own: a hub on which everybody may sign up, and an admin."""
    made = Fleet("desk")
    try:
        made.add(
            "people",
            "production",
            hub_authenticator="native",
            hub_allowed_users=[],
            hub_admins=["ada"],
            hub_allow_everyone=True,
        )
        made.write()
        made.use_prebuilt()
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def file(fleet: Fleet) -> Path:
    """The file of first passwords."""
    return fleet.state / "hubs" / "people" / "first-passwords"


@pytest.fixture(scope="module")
def first(fleet: Fleet) -> Result:
    """The first deploy."""
    return fleet.succeed("deploy", "-vvvv")


def told(file: Path) -> str:
    """What the recap says."""
    return f"people: first passwords that people have not changed yet are in {file}"


def test_the_operator_is_told_where_first_passwords_are(fleet: Fleet, first: Result, file: Path) -> None:
    assert told(file) in first.output
    password = first_passwords(file)["ada"]
    assert password not in first.output and password not in (file.parent / "logs" / "hub.log").read_text()


def test_a_stranger_is_not_an_admin(fleet: Fleet, first: Result) -> None:
    hub = fleet.hub("people")
    for name in ("ada", "Ada", "ａｄａ"):
        assert "This name is reserved" in sign_up(hub, name) and log_in(hub, name, PASSWORD) is None


def test_the_admin_changes_the_first_password(fleet: Fleet, first: Result, file: Path) -> None:
    hub, given = fleet.hub("people"), first_passwords(file)["ada"]
    ada = log_in(hub, "ada", given)
    assert ada and hub.api("GET", "users/ada")[1]["admin"] is True
    assert "changed successfully" in change_password(ada, given, PASSWORD)
    assert first_passwords(file) == {} and log_in(hub, "ada", given) is None and log_in(hub, "ada", PASSWORD)


def test_a_second_deploy_changes_nothing(fleet: Fleet, first: Result) -> None:
    before = fleet.hub("people").pids
    again = fleet.succeed("deploy")
    assert "1 hub: nothing to change" in again.output and again.changed() == 0, again.output
    assert fleet.hub("people").pids == before


def test_more_people_get_first_passwords(fleet: Fleet, first: Result, file: Path) -> None:
    """A name that somebody signed up for before it is listed gets one, too."""
    hub = fleet.hub("people")
    assert "an admin has authorized it" in sign_up(hub, "ben")
    fleet.hubs["people"]["hub_admins"] = ["ada", "ben", "carl"]
    fleet.write()
    warned = "login: somebody signed up as ben before the name was listed; the account gets a new password"
    assert warned in fleet.succeed("plan").planned()["people"]
    result = fleet.succeed("deploy")
    assert told(file) in result.output
    given = first_passwords(file)
    assert sorted(given) == ["ben", "carl"] and log_in(hub, "ben", PASSWORD) is None
    assert log_in(hub, "ben", given["ben"]) and log_in(hub, "ada", PASSWORD)


def users(fleet: Fleet, action: str, names: str, *more: str) -> Result:
    """Run the playbook users."""
    return fleet.run("users", "-e", f"users_action={action}", "-e", f"users_names={names}", *more)


def row(result: Result, name: str) -> list[str]:
    """The cells of a user in the table."""
    lines = [line.split("  ") for line in result.output.splitlines() if line.startswith("people ")]
    return next(([cell.strip() for cell in cells if cell] for cells in lines if cells[1].strip() == name), [])


def test_users_are_added_where_everybody_may_log_in(fleet: Fleet, first: Result, file: Path) -> None:
    before = first_passwords(file)
    said = users(fleet, "add", "Dora,ada", "--check")
    assert said.code == 0 and "people: dora would be added" in said.output and "ada would" not in said.output
    assert first_passwords(file) == before
    said = users(fleet, "add", "Dora")
    assert said.code == 0 and "people: dora is added" in said.output, said.output
    assert log_in(fleet.hub("people"), "dora", first_passwords(file)["dora"])
    listed = fleet.succeed("users")
    assert row(listed, "ada")[2:4] == ["admin", "-"] and row(listed, "ada")[-2:] == ["-", "yes"], listed.output
    assert row(listed, "dora")[2] == "-" and row(listed, "dora")[-1] == "no" and listed.changed() == 0
    assert users(fleet, "add", "dora").changed() == 0


def test_a_password_is_reset_and_not_told(fleet: Fleet, first: Result, file: Path) -> None:
    hub = fleet.hub("people")
    ada = log_in(hub, "ada", PASSWORD)
    said = users(fleet, "password", "ada", "-vvvv")
    assert said.code == 0 and "people: ada is given a new first password, and signed out" in said.output
    given = first_passwords(file)["ada"]
    assert told(file) in said.output and given not in said.output
    assert hub.secret("users_token") not in said.output
    assert log_in(hub, "ada", PASSWORD) is None and log_in(hub, "ada", given)
    assert ada and 'name="password"' in ada.request("hub/home")[1]


def test_users_are_renamed_signed_out_and_removed(fleet: Fleet, first: Result, file: Path) -> None:
    hub = fleet.hub("people")
    hub.start_server("dora")
    hub.kernel("dora").run("open('mine', 'w').write('of dora')")
    token = hub.token("dora")
    refused = users(fleet, "rename", "dora", "-e", "users_new_name=doris")
    assert refused.code and "'dora' has a running server; -e users_end_sessions=true stops it" in refused.output
    assert not (fleet.directory / "state.deploy-lock").exists()
    said = users(fleet, "sign-out", "dora")
    assert said.code == 0 and "people: dora is signed out everywhere" in said.output and not hub.knows(token)
    assert hub.api("GET", "users/dora")[1]["servers"]
    ends = ("-e", "users_end_sessions=true")
    said = users(fleet, "rename", "dora", "-e", "users_new_name=doris", *ends)
    assert said.code == 0 and "people: dora is renamed to doris; 1 server stopped" in said.output, said.output
    homes = fleet.state / "homes" / "people"
    assert (homes / "doris" / "mine").read_text() == "of dora" and not (homes / "dora").exists()
    assert "dora" not in hub.users() and log_in(hub, "doris", first_passwords(file)["doris"])
    assert users(fleet, "remove", "doris").code == 0
    assert "doris" not in hub.users() and (homes / "doris" / "mine").exists()
    assert "1 hub: nothing to change" in fleet.succeed("deploy").output


def test_what_the_inventory_says_is_not_changed(fleet: Fleet, first: Result) -> None:
    for action, more in (("remove", ()), ("rename", ("-e", "users_new_name=adele"))):
        refused = users(fleet, action, "ada", *more)
        assert refused.code and "people.yml:" in refused.output
        assert "people: hub_admins[0]: 'ada' is listed here; " in refused.output, refused.output
    refused = users(fleet, "sign-out", "adda")
    assert refused.code and "no hub that was selected has a user 'adda'; did you mean 'ada'?" in refused.output
    fleet.succeed("stop")
    refused = users(fleet, "sign-out", "ada")
    assert refused.code and "hub people does not answer" in refused.output
