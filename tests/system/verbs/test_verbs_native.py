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

pytestmark = pytest.mark.slow


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
