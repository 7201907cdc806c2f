# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator may do to users of a hub, by the inventory and by the users that there are."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.users import (
    ADD,
    PASSWORD,
    REMOVE,
    RENAME,
    SIGN_OUT,
    FoundUsers,
    HubUser,
    Request,
    changes_of,
    refuse,
    refuse_unknown,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import Problems
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.schema.sound import hub_of

NATIVE = {"hub_authenticator": "native"}
KEPT = {"hub_keep_panel_grants": True}
BY_ORGANIZATION = {
    "hub_url": "https://hub.example.org/",
    "hub_authenticator": "github",
    "hub_authenticator_settings": {"client_id": "an-id", "client_secret": "a-secret"},
    "hub_allowed_organizations": ["lab"],
}
USERS = [HubUser("ben"), HubUser("carl", servers={"": "running", "b": "starting"})]


def lines(problems: Problems) -> list[str]:
    return [problem.line() for problem in problems.of(["alpha"])]


def refused(request: Request, **variables: Any) -> list[str]:
    """Return why a hub does not allow a request."""
    problems = Problems()
    refuse(request, hub_of(**variables), lambda path: f"{path[0]}.yml:1", problems)
    return lines(problems)


@pytest.mark.parametrize(
    ("action", "name", "variables"),
    [
        (ADD, "ben", KEPT),
        (ADD, "ben", {"hub_allowed_users": [], "hub_allow_everyone": True, **NATIVE}),
        (ADD, "ada", {}),
        (REMOVE, "ben", {}),
        (SIGN_OUT, "ada", {}),
        (PASSWORD, "ada", NATIVE),
    ],
)
def test_what_the_inventory_allows(action: str, name: str, variables: dict[str, Any]) -> None:
    assert refused(Request(action, [name]), **variables) == []


@pytest.mark.parametrize("variables", [{}, NATIVE, BY_ORGANIZATION])
def test_nobody_is_added_who_could_not_log_in(variables: dict[str, Any]) -> None:
    (line,) = refused(Request(ADD, ["ben"]), **variables)
    assert line.startswith("hub_allowed_users.yml:1: alpha: hub_allowed_users: 'ben' is not listed, so ")
    assert "put the name into hub_allowed_users and deploy" in line


def test_nobody_is_added_who_is_blocked_or_has_no_valid_name() -> None:
    assert refused(Request(ADD, ["ben"]), **KEPT, hub_blocked_users=["Ben"]) == [
        "hub_blocked_users.yml:1: alpha: hub_blocked_users: 'ben' is listed here, and may not log in"
    ]
    (line,) = refused(Request(ADD, ["b en"]), **KEPT, **NATIVE)
    assert line == "alpha: 'b en' contains a space, which 'native' does not allow"
    (line,) = refused(Request(ADD, ["b\ne"]), **KEPT)
    assert line == r"alpha: 'b\ne' contains a line break"
    (line,) = refused(Request(ADD, ["b\u202ee"]), **KEPT)
    assert line == r"alpha: 'b\u202ee' contains a right-to-left override, which cannot be seen; remove it"


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({}, "hub_allowed_users[0]"),
        ({"hub_allowed_users": ["ben"], "hub_admins": ["Ada"]}, "hub_admins[0]"),
        ({"hub_allowed_users": ["ben"], **KEPT, "hub_groups": {"staff": {"users": ["ada"]}}}, "hub_groups.staff.users"),
    ],
)
def test_who_is_listed_is_not_removed_or_renamed(variables: dict[str, Any], place: str) -> None:
    (line,) = refused(Request(REMOVE, ["ada", "carl"]), **variables)
    assert f"alpha: {place}: 'ada' is listed here; take the name out and deploy" in line
    (line,) = refused(Request(RENAME, ["ada"], "adele"), **variables)
    assert f"alpha: {place}: 'ada' is listed here; write 'adele' there, rename the user, then deploy" in line


def test_a_new_name_may_log_in() -> None:
    (line,) = refused(Request(RENAME, ["ben"], "benno"))
    assert "'benno' is not listed" in line
    for variables in (KEPT, BY_ORGANIZATION, {"hub_allowed_users": ["ada", "Benno"]}):
        assert refused(Request(RENAME, ["ben"], "benno"), **variables) == []


def test_only_native_has_passwords() -> None:
    (line,) = refused(Request(PASSWORD, ["ada"]))
    assert "hub_authenticator: 'shared-password' has no passwords that this hub could reset; only 'native' has" in line


@pytest.mark.parametrize(
    ("request_", "texts"),
    [
        (Request(ADD, ["ben", "dora"]), ["dora would be added"]),
        (Request(REMOVE, ["ben", "dora"]), ["ben would be removed; the home is kept"]),
        (Request(SIGN_OUT, ["carl"]), ["carl would be signed out everywhere"]),
        (Request(SIGN_OUT, ["carl"], "", True), ["carl would be signed out everywhere; 2 servers stopped"]),
        (Request(PASSWORD, ["ben"]), ["ben would be given a new first password, and signed out"]),
        (Request(RENAME, ["carl"], "karl", True), ["carl would be renamed to karl; 2 servers stopped"]),
        (Request(RENAME, ["dora"], "karl"), []),
    ],
)
def test_changes(request_: Request, texts: list[str]) -> None:
    problems = Problems()
    changes = changes_of(request_, hub_of(), USERS, problems)
    assert [change.text(done=False) for change in changes] == texts and lines(problems) == []
    assert [change.text(done=True) for change in changes] == [text.replace(" would be ", " is ") for text in texts]


@pytest.mark.parametrize("action", [REMOVE, RENAME])
def test_servers_are_not_stopped_unless_asked_for(action: str) -> None:
    problems = Problems()
    changes_of(Request(action, ["carl"], "karl"), hub_of(), USERS, problems)
    (line,) = lines(problems)
    assert line.startswith("alpha: users_names: 'carl' has a running server; -e users_end_sessions=true stops it")


def test_a_name_is_not_given_twice() -> None:
    problems = Problems()
    changes_of(Request(RENAME, ["ben"], "carl"), hub_of(), USERS, problems)
    assert lines(problems) == ["alpha: users_new_name: 'carl' is another user of this hub"]


def test_a_name_that_no_hub_has() -> None:
    problems = Problems()
    refuse_unknown(Request(REMOVE, ["bern", "carl"]), {"alpha": USERS, "beta": []}, problems)
    (line,) = lines(problems)
    assert line.startswith("users_names: no hub that was selected has a user 'bern'; did you mean 'ben'?")
    refuse_unknown(Request(ADD, ["dora"]), {"alpha": USERS}, problems)
    assert len(lines(problems)) == 1


def test_users_come_through_as_they_were() -> None:
    found = FoundUsers({"alpha": USERS}, {"beta": "hub beta does not answer"})
    assert FoundUsers.from_dict(found.as_dict()) == found
