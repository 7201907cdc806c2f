# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has access after a start, by JupyterHub's own database; no hub runs."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.users import PREFIX
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import HubLayout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe import access as observed
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema import user_names
from hubfleet_runtime import access
from jupyterhub import orm, roles
from jupyterhub.app import JupyterHub
from jupyterhub.auth import DummyAuthenticator
from nativeauthenticator import NativeAuthenticator
from oauthenticator.cilogon import CILogonOAuthenticator
from oauthenticator.github import GitHubOAuthenticator
from oauthenticator.google import GoogleOAuthenticator
from traitlets import Set
from traitlets.config import Config

Start = Callable[..., JupyterHub]


class ClubAuthenticator(DummyAuthenticator):  # type: ignore[misc]
    """Has a rule that allows users who are not named."""

    allowed_clubs = Set().tag(config=True)


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Return what starts a hub as far as its database matters, with traits of its authenticator."""

    def run(
        keep: bool = False, kind: Any = "dummy", hub: dict[str, Any] | None = None, **authenticator: Any
    ) -> JupyterHub:
        config = Config({"JupyterHub": {"authenticator_class": kind, **(hub or {})}, "Authenticator": authenticator})
        config.JupyterHub.db_url = f"sqlite:///{tmp_path}/jupyterhub.sqlite"
        access.configure(config, keep)
        app = JupyterHub(config=config)
        app.init_db()
        app.init_hub()
        app.init_oauth()

        async def load() -> None:
            await app.init_role_creation()
            await app.init_users()
            await app.init_groups()
            app.init_services()
            await app.init_api_tokens()
            await app.init_role_assignment()
            await app.init_blocked_users()
            for timer in app._periodic_callbacks.values():
                timer.stop()

        asyncio.run(load())
        return app

    return run


def user(app: JupyterHub, name: str) -> Any:
    """Return a user; create it as the admin panel does if there is none."""
    found = orm.User.find(app.db, name)
    if found is None:
        found = orm.User(name=name)
        app.db.add(found)
        roles.assign_default_roles(app.db, entity=found)
        app.db.commit()
        asyncio.run(app.authenticator.add_user(found))
    return found


def give_everything(app: JupyterHub, name: str) -> str:
    """Give a user a token, an OAuth code and a running server; return the session's cookie."""
    person = user(app, name)
    person.new_api_token(note="mine")
    app.db.add(orm.OAuthCode(code="code", user=person, client=app.db.query(orm.OAuthClient).first()))
    app.db.add(orm.Spawner(name="", user=person, server=orm.Server(), state={"pid": 1}))
    app.db.commit()
    return str(person.cookie_id)


def may_log_in(app: JupyterHub, name: str) -> bool:
    """Return whether somebody who proved to be this user may enter."""
    return bool(asyncio.run(app.authenticator.get_authenticated_user(None, {"username": name, "password": "x"})))


def drop(app: JupyterHub) -> None:
    """Close the database."""
    app.db.close()


def test_a_name_that_leaves_the_list_loses_everything(start: Start) -> None:
    app = start(allowed_users={"ada", "Ben"})
    cookies = {name: give_everything(app, name) for name in ("ada", "ben")}
    assert may_log_in(app, "ben")
    drop(app)
    app = start(allowed_users={"ada"})
    ben, ada = user(app, "ben"), user(app, "ada")
    assert (ben.api_tokens, ben.oauth_codes, ben.roles) == ([], [], []) and ben.cookie_id != cookies["ben"]
    assert len(ada.api_tokens) == 1 and ada.cookie_id == cookies["ada"]
    # JupyterHub stops the servers of blocked users
    assert app.authenticator.blocked_users == {"ben"}
    assert may_log_in(app, "ada") and not may_log_in(app, "ben")


def test_the_second_start_has_nothing_to_do(start: Start) -> None:
    app = start(allowed_users={"ada", "ben"})
    user(app, "ben")
    drop(app)
    app = start(allowed_users={"ada"})
    cookie = user(app, "ben").cookie_id
    drop(app)
    app = start(allowed_users={"ada"})
    assert user(app, "ben").cookie_id == cookie and app.authenticator.blocked_users == set()


def test_who_is_named_again_may_log_in(start: Start) -> None:
    for names, expected in (({"ada", "ben"}, True), ({"ada"}, False), ({"ada", "ben"}, True)):
        app = start(allowed_users=names)
        assert may_log_in(app, "ben") is expected
        drop(app)


def test_everybody_in_the_database_is_ended_at_the_first_start(start: Start, tmp_path: Path) -> None:
    app = start(allow_all=True)
    give_everything(app, "ben")
    drop(app)
    with sqlite3.connect(tmp_path / "jupyterhub.sqlite") as database:
        database.execute("drop table hubfleet_access")
    app = start(allowed_users={"ada"})
    assert not user(app, "ben").api_tokens and "ben" in app.authenticator.blocked_users


def test_with_another_rule_the_others_stay_and_may_come_back(start: Start) -> None:
    rules = {"kind": ClubAuthenticator, "allowed_clubs": {"chess"}}
    app = start(**rules, allowed_users={"ada", "ben"})
    for name in ("ada", "ben", "club-member"):
        give_everything(app, name)
    drop(app)
    app = start(**rules, allowed_users={"ada"})
    assert not user(app, "ben").api_tokens and app.authenticator.blocked_users == {"ben"}
    assert user(app, "club-member").api_tokens
    # blocked for the start only
    assert app.authenticator.check_blocked_users("ben") and not may_log_in(app, "ben")
    drop(app)
    # ben came back by the club and started a server, which a restart must not stop
    app = start(**rules, allowed_users={"ada"})
    user(app, "ben").new_api_token(note="server")
    app.db.commit()
    drop(app)
    app = start(**rules, allowed_users={"ada"})
    assert user(app, "ben").api_tokens and app.authenticator.blocked_users == set()


def test_everybody_keeps_everything_where_everybody_is_allowed(start: Start) -> None:
    app = start(allow_all=True, admin_users={"ada"})
    give_everything(app, "ada")
    drop(app)
    app = start(allow_all=True)
    assert user(app, "ada").api_tokens and not user(app, "ada").admin and not app.authenticator.blocked_users


def test_nobody_has_to_log_in_again_where_everybody_is_allowed_now(start: Start) -> None:
    app = start(kind=ClubAuthenticator, allowed_clubs={"chess"})
    cookie = give_everything(app, "ben")
    drop(app)
    app = start(kind=ClubAuthenticator, allow_all=True)
    assert user(app, "ben").cookie_id == cookie and user(app, "ben").api_tokens


@pytest.mark.parametrize(
    "clubs, stays", [({"chess", "go"}, True), ({"chess", "go", "bridge"}, True), ({"chess"}, False)]
)
def test_a_rule_that_allows_fewer_makes_others_log_in_again(start: Start, clubs: set[str], stays: bool) -> None:
    app = start(kind=ClubAuthenticator, allowed_users={"ada"}, allowed_clubs={"chess", "go"})
    cookies = {name: give_everything(app, name) for name in ("ada", "ben")}
    user(app, "ben").new_api_token(note="server", scopes=["access:servers!server=ben/", "users:activity!user=ben"])
    app.db.commit()
    drop(app)
    app = start(kind=ClubAuthenticator, allowed_users={"ada"}, allowed_clubs=clubs)
    ben = user(app, "ben")
    assert (ben.cookie_id == cookies["ben"]) is stays and user(app, "ada").cookie_id == cookies["ada"]
    assert [token.note for token in ben.api_tokens] == (["mine", "server"] if stays else ["server"])
    # the server runs on, until it is idle
    assert app.authenticator.blocked_users == set()


def test_rules_of_oauthenticators_are_known() -> None:
    provider = {"username_derivation": {"username_claim": "email"}}
    settings = {"client_id": "a", "client_secret": "b", "idps": {"https://idp.example.org/shibboleth": provider}}
    assert access.other_rules(CILogonOAuthenticator(**settings)) == {}
    provider["allow_all"] = True  # type: ignore[assignment]
    assert list(access.other_rules(CILogonOAuthenticator(**settings))) == ["idps"]
    google = access.other_rules(GoogleOAuthenticator(allow_all=True, hosted_domain=["example.org"]))
    assert google == {"allow_all": ["True"], "hosted_domain": ["example.org"]}
    assert access.other_rules(GitHubOAuthenticator(allowed_users={"ada"})) == {}
    assert access.other_rules(GitHubOAuthenticator(allowed_organizations={"a:b"})) == {"allowed_organizations": ["a:b"]}
    assert access.other_rules(NativeAuthenticator(add_new_table=False, allowed_failed_logins=5)) == {}


def test_an_interrupted_start_is_completed(start: Start) -> None:
    rules = {"kind": ClubAuthenticator, "allowed_clubs": {"chess"}}
    app = start(**rules, allowed_users={"ada", "ben"})
    give_everything(app, "ben")
    drop(app)
    for _start in range(2):  # the server is not stopped after the first one
        app = start(**rules, allowed_users={"ada"})
        assert app.authenticator.blocked_users == {"ben"}
        drop(app)


@pytest.mark.parametrize("keep", [False, True])
def test_blocked_users_lose_everything_by_any_spelling(start: Start, keep: bool) -> None:
    app = start(keep, allow_all=True)
    give_everything(app, "mallory")
    drop(app)
    app = start(keep, allow_all=True, blocked_users={"Mallory"})
    assert not user(app, "mallory").api_tokens and not may_log_in(app, "mallory")
    drop(app)
    app = start(keep, allow_all=True)
    assert may_log_in(app, "mallory")


@pytest.mark.parametrize("keep", [False, True])
def test_admins_are_those_of_the_configuration(start: Start, keep: bool) -> None:
    app = start(keep, allow_all=True, admin_users={"Ada", "eve"})
    user(app, "carol").admin = True
    app.db.commit()
    drop(app)
    app = start(keep, allow_all=True, admin_users={"eve"})
    admins = {name for name in ("ada", "carol", "eve") if user(app, name).admin}
    roles = {name for name in ("ada", "carol", "eve") if "admin" in [role.name for role in user(app, name).roles]}
    assert admins == roles == ({"carol", "eve"} if keep else {"eve"})


def test_admins_of_the_admin_role_stay(start: Start) -> None:
    role = {"load_roles": [{"name": "admin", "users": ["ada"]}]}
    for _start in range(2):
        app = start(allow_all=True, hub=role)
        assert user(app, "ada").admin
        drop(app)


def test_admins_by_groups_of_the_authenticator_stay(start: Start) -> None:
    class GroupAuthenticator(DummyAuthenticator):  # type: ignore[misc]
        admin_groups = Set().tag(config=True)

    rules = {"kind": GroupAuthenticator, "allow_all": True, "admin_groups": {"staff"}}
    app = start(**rules, admin_users={"eve"})
    user(app, "ada").admin = True
    app.db.commit()
    drop(app)
    app = start(**rules)
    assert user(app, "ada").admin and not user(app, "eve").admin


@pytest.mark.parametrize("keep", [False, True])
def test_members_and_groups_are_those_of_the_configuration(start: Start, keep: bool) -> None:
    groups = {"load_groups": {"staff": {"users": ["Ada", "ben"], "properties": {"floor": 1}}, "old": ["ben"]}}
    app = start(keep, allow_all=True, hub=groups)
    staff = orm.Group.find(app.db, "staff")
    staff.users.append(user(app, "carol"))
    app.db.add(orm.Group(name="own", users=[user(app, "ben")]))
    app.db.commit()
    drop(app)
    app = start(keep, allow_all=True, hub={"load_groups": {"staff": {"users": ["ada"]}}})
    found = {group.name: {member.name for member in group.users} for group in app.db.query(orm.Group)}
    assert found == {"staff": {"ada", "carol"} if keep else {"ada"}, "own": {"ben"}}


def test_role_members_are_those_of_the_configuration(start: Start) -> None:
    role = {"name": "helpers", "scopes": ["list:users"], "users": ["ada", "ben"], "groups": ["staff"]}
    app = start(allow_all=True, hub={"load_roles": [role]})
    drop(app)
    app = start(allow_all=True, hub={"load_roles": [{"name": "helpers", "scopes": ["list:users"], "users": ["ada"]}]})
    helpers = orm.Role.find(app.db, "helpers")
    assert [member.name for member in helpers.users] == ["ada"] and not helpers.groups


def test_users_of_the_admin_panel_may_log_in_only_if_kept(start: Start) -> None:
    for keep in (True, False):
        app = start(keep, allowed_users={"ada"})
        if keep:
            user(app, "carol")
        assert may_log_in(app, "carol") is keep
        drop(app)


def test_kept_users_do_not_include_those_who_were_removed(start: Start) -> None:
    app = start(True, allowed_users={"ada", "ben"})
    user(app, "carol")
    drop(app)
    for _start in range(3):
        app = start(True, allowed_users={"ada"})
        assert may_log_in(app, "carol") and not may_log_in(app, "ben")
        drop(app)
    # removed and added again in the admin panel: this is a grant
    app = start(True, allowed_users={"ada"})
    app.db.delete(user(app, "ben"))
    app.db.commit()
    user(app, "ben")
    drop(app)
    app = start(True, allowed_users={"ada"})
    assert may_log_in(app, "ben")


def test_an_explicit_allow_existing_users_wins(start: Start) -> None:
    app = start(allowed_users={"ada"}, allow_existing_users=True)
    give_everything(app, "carol")
    drop(app)
    app = start(allowed_users={"ada"}, allow_existing_users=True)
    assert may_log_in(app, "carol") and user(app, "carol").api_tokens


def test_users_of_checks_and_services_keep_their_tokens(start: Start) -> None:
    services = {"services": [{"name": "check", "api_token": "0" * 32}]}
    app = start(allowed_users={"ada"}, hub=services)
    give_everything(app, f"{access.CHECK_PREFIX}1a2b3c-abcdef")
    drop(app)
    app = start(allowed_users={"ada"}, hub=services)
    assert len(user(app, f"{access.CHECK_PREFIX}1a2b3c-abcdef").api_tokens) == 1
    assert orm.APIToken.find(app.db, "0" * 32) is not None


def test_an_authenticator_with_rules_of_its_own_is_not_taken_for_names_only(start: Start) -> None:
    class OwnAuthenticator(DummyAuthenticator):  # type: ignore[misc]
        def check_allowed(self, username: str, authentication: Any = None) -> bool:
            return True

    app = start(kind=OwnAuthenticator, allowed_users={"ada"})
    assert list(access.other_rules(app.authenticator)) == ["check_allowed"]
    give_everything(app, "carol")
    drop(app)
    app = start(kind=OwnAuthenticator, allowed_users={"ada"})
    assert user(app, "carol").api_tokens and may_log_in(app, "carol")


def test_the_record_is_what_plans_compare(start: Start, tmp_path: Path) -> None:
    app = start(allowed_users={"ada"}, admin_users={"Eve"}, hub={"load_groups": {"staff": {"users": ["ada"]}}})
    drop(app)
    with sqlite3.connect(tmp_path / "jupyterhub.sqlite") as database:
        (text,) = database.execute("select record from hubfleet_access").fetchone()
    expected = {
        "keep": False,
        "by_name_only": True,
        "rules": {},
        "users": ["ada", "eve"],
        "blocked": [],
        "admins": ["eve"],
    }
    assert json.loads(text) == {**expected, "only_named_admins": True, "groups": {"staff": ["ada"]}, "ended": {}}


@pytest.mark.parametrize("keep", [False, True])
def test_a_plan_sees_what_the_next_start_changes(start: Start, tmp_path: Path, keep: bool) -> None:
    settings: dict[str, Any] = {
        "allowed_users": {"ada", "ben"},
        "admin_users": {"ada", "eve"},
        "hub": {"load_groups": {"staff": {"users": ["ada", "ben"]}, "empty": {"users": []}}},
    }

    def seen() -> observed.PanelChanges:
        return observed.panel_changes(HubLayout(str(tmp_path)))

    app = start(keep, **settings)
    assert seen() == observed.PanelChanges(keep=keep)
    # as the admin panel does it
    user(app, "carol").admin, user(app, "eve").admin = True, False
    user(app, "eve").roles = []
    orm.Group.find(app.db, "staff").users = [user(app, "ada"), user(app, "carol")]
    user(app, "dan").new_api_token(note="an admin's gift")
    user(app, f"{PREFIX}1a2b3c-abcdef").new_api_token(note="of a check")
    app.db.delete(user(app, "ben"))
    app.db.commit()
    drop(app)
    assert seen() == observed.PanelChanges(
        keep=keep,
        admins=["carol"],
        members={"staff": ["carol"]},
        tokens=[] if keep else ["dan"],
        lost_users=["ben"],
        lost_admins=["eve"],
        lost_members={"staff": ["ben"]},
    )
    assert seen().restart
    drop(start(keep, **settings))
    granted = {"admins": ["carol"], "members": {"staff": ["carol"]}} if keep else {}
    assert seen() == observed.PanelChanges(keep=keep, **granted) and not seen().restart


def test_users_of_checks_are_known_by_one_name() -> None:
    assert PREFIX == access.CHECK_PREFIX == observed.CHECK_PREFIX == user_names.CHECK_PREFIX


def test_nobody_logs_in_as_a_user_of_checks(start: Start) -> None:
    """Their homes are removed, and access does not end with the inventory's."""
    app = start(allow_all=True)
    assert may_log_in(app, "carol") and not may_log_in(app, f"{PREFIX}1") and not may_log_in(app, f"{PREFIX.upper()}1")


def test_the_configuration_of_the_authenticator_and_its_name_stay(start: Start) -> None:
    app = start(allow_all=True, kind="shared-password", hub={}, admin_users={"ada"})
    assert type(app.authenticator).__name__ == "SharedPasswordAuthenticator" and app.authenticator.allow_all
    default = Config()
    access.configure(default, False)
    assert default.JupyterHub.authenticator_class.__name__ == "PAMAuthenticator"
