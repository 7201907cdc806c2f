# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NativeAuthenticator on a real hub: nobody gets a name, or its rights, by being the first to sign up for it."""

from __future__ import annotations

import grp
import pwd
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hub_client import Browser, wait_for
from native_people import PASSWORD, change_password, first_passwords, log_in, refused_login, sign_up
from runtime_rig import Hub
from runtime_tools import needs_root

pytestmark = needs_root

RESERVED = (
    "This name is reserved. If it is yours, ask those who run this hub for your first password; "
    "otherwise choose another name."
)
NOT_PLAIN = "A user name must not contain white space, invisible characters, commas or slashes."
TAKEN = "This name is taken, or too similar to another user's. Choose another name."
NOT_ALLOWED = "Only users whom the configuration of this hub allows may log in. Ask those who run it."
NOT_YET = "Your account was created. You can log in when an admin has authorized it."


@pytest.fixture(scope="module")
def hub(make_root_hub: Callable[..., Hub]) -> Iterator[Hub]:
    """A hub on which everybody may sign up, with an admin, people with roles, and somebody who is blocked."""
    hub = make_root_hub(
        "native",
        traits={
            "JupyterHub": {"authenticator_class": "native", "load_groups": {"staff": {"users": ["Gus"]}}},
            "Authenticator": {"allow_all": True, "admin_users": ["Ada"], "blocked_users": ["mallory"]},
            "NativeAuthenticator": {"minimum_password_length": 12, "check_common_password": True},
        },
        services=[{"name": "grades", "api_token": "0" * 32}],
        roles=[{"name": "tutors", "scopes": ["admin:users", "admin-ui"], "users": ["tess"]}],
    )
    hub.start("proxy", "hub")
    yield hub


@pytest.fixture
def file(hub: Hub) -> Path:
    """The file of first passwords."""
    return hub.directory / "first-passwords"


def restart(hub: Hub) -> None:
    """Restart the hub with its present settings."""
    hub.kill("hub")
    hub.write()
    hub.start("hub")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ada", RESERVED),
        ("ADA", RESERVED),
        ("ａｄａ", RESERVED),
        ("te\u017f\u017f", RESERVED),
        ("ada\ufe0f", RESERVED),
        ("ada ", NOT_PLAIN),
        ("ada\u200b", NOT_PLAIN),
        ("a da", NOT_PLAIN),
        ("gus", RESERVED),
        ("tess", RESERVED),
        ("Mallory", RESERVED),
        ("grades", RESERVED),
        ("Check", RESERVED),
        ("hubfleet-check-1", RESERVED),
        ("x\tonfocus=alert(1)\tautofocus\ttabindex=1", NOT_PLAIN),
    ],
)
def test_nobody_signs_up_under_a_name_of_others(hub: Hub, name: str, said: str) -> None:
    assert sign_up(hub, name) == said
    assert log_in(hub, name, PASSWORD) is None


def test_listed_people_have_first_passwords_until_they_change_them(hub: Hub, file: Path) -> None:
    given = first_passwords(file)
    assert sorted(given) == ["ada", "gus", "tess"] and all(len(password) >= 19 for password in given.values())
    ada = log_in(hub, "ada", given["ada"])
    assert ada and hub.api("GET", "users/ada")[1]["admin"] is True
    page = ada.request("hub/home")[1]
    assert '/hub/authorize">Authorize Users</a>' in page and '/hub/change-password">Change Password</a>' in page
    assert "changed successfully" in change_password(ada, given["ada"], PASSWORD)
    assert sorted(first_passwords(file)) == ["gus", "tess"]
    assert log_in(hub, "ada", given["ada"]) is None and log_in(hub, "ada", PASSWORD)
    assert not any(password in hub.log("hub") for password in given.values())


def test_a_restart_changes_nothing(hub: Hub, file: Path) -> None:
    given, before = first_passwords(file), file.stat()
    restart(hub)
    assert first_passwords(file) == given and file.stat().st_mtime_ns == before.st_mtime_ns
    assert log_in(hub, "ada", PASSWORD) and log_in(hub, "gus", given["gus"])


def test_a_lost_file_is_written_again(hub: Hub, file: Path) -> None:
    given = first_passwords(file)
    file.unlink()
    restart(hub)
    assert first_passwords(file) == given


def test_an_admin_authorizes_those_who_sign_up(hub: Hub) -> None:
    assert sign_up(hub, "Zoe") == NOT_YET and sign_up(hub, "zoe", "another-password") == TAKEN
    assert log_in(hub, "zoe", PASSWORD) is None
    assert "has not authorized your account yet" in refused_login(hub, "zoe", PASSWORD)
    assert "Invalid username or password." in refused_login(hub, "zoe", 100 * "x")
    ada = log_in(hub, "ada", PASSWORD)
    assert ada
    page = ada.request("hub/authorize")[1]
    assert 'action="/hub/authorize/zoe"' in page and 'action="/hub/discard/zoe"' in page
    assert 'action="/hub/authorize/gus"' not in page
    # what a link on another page could do
    assert ada.request("hub/authorize/zoe")[0] == 405 and ada.request("hub/discard/zoe")[0] == 405
    assert ada.request("hub/authorize/gus", {"authorized": "no"})[0] == 409
    assert ada.request("hub/authorize/nobody", {"authorized": "yes"})[0] == 404
    assert log_in(hub, "zoe", PASSWORD) is None
    assert ada.request("hub/authorize/zoe", {"authorized": "yes"})[0] == 200
    zoe = log_in(hub, "zoe", PASSWORD)
    assert zoe and hub.api("GET", "users/zoe")[1]["admin"] is False
    assert zoe.request("hub/authorize")[0] == 403 and "Authorize Users" not in zoe.request("hub/home")[1]
    assert ada.request("hub/discard/zoe", {})[0] == 409


def test_a_discarded_name_is_free_again(hub: Hub) -> None:
    assert sign_up(hub, "yuri") == NOT_YET
    ada = log_in(hub, "ada", PASSWORD)
    assert ada and ada.request("hub/discard/yuri", {})[0] == 200
    assert sign_up(hub, "yuri") == NOT_YET


def test_who_may_manage_users_cannot_become_an_admin(hub: Hub, file: Path) -> None:
    tess = log_in(hub, "tess", first_passwords(file)["tess"])
    assert tess
    fields = {"new_password": "taken-over-by-tess", "new_password_confirmation": "taken-over-by-tess"}
    assert tess.request("hub/change-password/Ada", fields)[0] == 403
    assert log_in(hub, "ada", "taken-over-by-tess") is None and log_in(hub, "ada", PASSWORD)
    assert tess.request("hub/change-password/gus", fields)[0] == 200
    assert log_in(hub, "gus", "taken-over-by-tess") and "gus" not in first_passwords(file)


def test_who_is_added_to_the_hub_gets_a_first_password(hub: Hub, file: Path) -> None:
    assert hub.api("POST", "users/ike")[0] == 201
    assert sign_up(hub, "Ike") == TAKEN
    assert log_in(hub, "ike", first_passwords(file)["ike"])
    assert hub.api("POST", "users/hubfleet-check-7")[0] == 201
    assert "hubfleet-check-7" not in first_passwords(file)
    assert hub.api("DELETE", "users/hubfleet-check-7")[0] == 204


def test_nobody_inherits_the_home_of_a_removed_user(hub: Hub, file: Path) -> None:
    assert hub.api("DELETE", "users/ike")[0] == 204
    assert "ike" not in first_passwords(file)
    assert sign_up(hub, "ike") == TAKEN
    restart(hub)
    assert sign_up(hub, "ike") == TAKEN and "ike" not in first_passwords(file)


def own(hub: Hub, method: str, path: str, token: str = "users_token") -> tuple[int, Any]:
    """Status and answer of a request as the service of the playbook users."""
    return hub.request(method, f"{hub.direct}hub/api/hubfleet/users/{path}", hub.secrets[token])


def test_a_reset_password_ends_sessions(hub: Hub, file: Path) -> None:
    gus = log_in(hub, "gus", "taken-over-by-tess")
    assert gus and hub.start_server("gus", {"profile": "python"}).get("ready")
    token, kernel = hub.token("gus"), hub.kernel("gus")
    kernel.run("x = 1")
    for other in ("check_token", "culler_token"):
        assert own(hub, "POST", "gus/password", other)[0] == 403
    assert own(hub, "POST", "nobody/password")[0] == 404
    assert own(hub, "POST", "gus/password") == (200, {})
    assert log_in(hub, "gus", "taken-over-by-tess") is None and 'name="password"' in gus.request("hub/home")[1]
    assert log_in(hub, "gus", first_passwords(file)["gus"])
    assert hub.request("GET", f"{hub.url}hub/api/user", token)[0] == 403
    again = hub.kernel("gus")
    again.id, again.url = kernel.id, kernel.url
    assert again.run("print(x)").strip() == "1"


def test_a_user_who_is_signed_out_can_log_in_again(hub: Hub) -> None:
    ada = log_in(hub, "ada", PASSWORD)
    assert ada and hub.token("ada")
    status, answer = own(hub, "POST", "ada/sign-out")
    assert status == 200 and answer["revoked"] >= 1
    assert 'name="password"' in ada.request("hub/home")[1] and log_in(hub, "ada", PASSWORD)


def test_home_account_and_password_follow_a_new_name(hub: Hub, file: Path) -> None:
    kernel = hub.kernel("gus")
    kernel.run("open('mine', 'w').write('of gus')")
    uid, password = (hub.homes / "gus").stat().st_uid, first_passwords(file)["gus"]
    # the playbook asks before it stops servers
    assert own(hub, "GET", "gus/name?new=gustav") == (200, {"problem": ""})
    status, answer = own(hub, "POST", "gus/name?new=gustav")
    assert status == 409 and answer["message"] == "a server of gus runs"
    assert hub.api("DELETE", "users/gus/server")[0] in (202, 204)
    wait_for("the end of the server", lambda: not hub.api("GET", "users/gus")[1]["servers"])
    (hub.homes / "taken").mkdir()
    for name, said in (
        ("taken", f"{hub.homes}/taken exists already, which may belong to somebody else"),
        ("Ada", "ada is another user of this hub"),
        ("yur\ufe0fi", "yur\ufe0fi is the name of another account, or too similar to one"),
    ):
        assert own(hub, "GET", f"gus/name?new={quote(name)}") == (200, {"problem": said})
    assert own(hub, "POST", "gus/name?new=a/b")[0] == 400
    assert own(hub, "POST", "gus/name?new=Gustav") == (200, {})
    assert hub.api("GET", "users/gus")[0] == 404 and sign_up(hub, "gus") in (TAKEN, RESERVED)
    assert log_in(hub, "gus", password) is None and "gus" not in first_passwords(file)
    gustav = log_in(hub, "gustav", first_passwords(file)["gustav"])
    assert gustav and hub.api("GET", "users/gustav")[1]["groups"] == ["staff"]
    assert hub.start_server("gustav", {"profile": "python"}).get("ready")
    assert hub.kernel("gustav").run("import os; print(open('mine').read(), os.getcwd())").split() == [
        "of",
        "gus",
        str(hub.homes / "gustav"),
    ]
    assert not (hub.homes / "gus").exists() and (hub.homes / "gustav").stat().st_uid == uid
    entry = pwd.getpwuid(uid)
    assert entry.pw_name.startswith("hf-gustav-") and entry.pw_dir == str(hub.homes / "gustav")
    assert grp.getgrgid(entry.pw_gid).gr_name == entry.pw_name


def test_an_account_of_an_unknown_person_is_not_listed_silently(hub: Hub, file: Path) -> None:
    """zoe signed up herself: she may be anybody when the inventory makes zoe an admin."""
    zoe = log_in(hub, "zoe", PASSWORD)
    assert zoe and zoe.request("hub/home")[0] == 200
    token = hub.token("zoe")
    assert hub.request("GET", f"{hub.url}hub/api/user", token)[0] == 200
    hub.settings["traits"]["Authenticator"]["admin_users"] = ["Ada", "Zoe"]
    restart(hub)
    assert log_in(hub, "zoe", PASSWORD) is None
    assert 'name="password"' in zoe.request("hub/home")[1]
    assert hub.request("GET", f"{hub.url}hub/api/user", token)[0] == 403
    assert log_in(hub, "zoe", first_passwords(file)["zoe"]) and hub.api("GET", "users/zoe")[1]["admin"]
    assert "somebody had signed up as zoe before the name was listed" in hub.log("hub")


def test_who_is_no_longer_listed_needs_an_admin(hub: Hub, file: Path) -> None:
    given = first_passwords(file)["zoe"]
    hub.settings["traits"]["Authenticator"]["admin_users"] = ["Ada"]
    restart(hub)
    assert log_in(hub, "zoe", given) is None
    hub.settings["traits"]["Authenticator"]["admin_users"] = ["Ada", "zoe"]
    restart(hub)
    assert first_passwords(file)["zoe"] == given and log_in(hub, "zoe", given)


def test_a_new_cookie_secret_replaces_first_passwords(hub: Hub, file: Path) -> None:
    given = first_passwords(file)
    hub.secrets["cookie_secret"] = "ab" * 32
    restart(hub)
    fresh = first_passwords(file)
    assert sorted(fresh) == sorted(given) and not set(fresh.values()) & set(given.values())
    assert log_in(hub, "zoe", fresh["zoe"]) and log_in(hub, "zoe", given["zoe"]) is None


def test_only_listed_people_can_come_where_nobody_signs_up(hub: Hub) -> None:
    hub.settings["traits"]["NativeAuthenticator"]["enable_signup"] = False
    restart(hub)
    assert Browser(hub).request("hub/signup")[0] == 404
    assert log_in(hub, "ada", PASSWORD)


def test_whom_an_admin_authorizes_may_log_in_where_grants_are_kept(make_root_hub: Callable[..., Hub]) -> None:
    """Where only listed people may log in, nobody else gets an account that is of no use."""
    hub = make_root_hub(
        "listed",
        traits={
            "JupyterHub": {"authenticator_class": "native"},
            "Authenticator": {"allowed_users": ["gus"], "admin_users": ["ada"]},
            # its default is 0, not 600 as its documentation says
            "NativeAuthenticator": {
                "enable_signup": True,
                "allowed_failed_logins": 2,
                "seconds_before_next_try": 600,
            },
        },
    )
    hub.start("proxy", "hub")
    given = first_passwords(hub.directory / "first-passwords")
    assert log_in(hub, "gus", given["gus"]) and sign_up(hub, "zoe") == NOT_ALLOWED
    assert hub.api("POST", "users/ike")[0] == 201
    ike = first_passwords(hub.directory / "first-passwords")["ike"]
    assert NOT_ALLOWED in refused_login(hub, "ike", ike)
    ada = log_in(hub, "ada", given["ada"])
    assert ada and 'action="/hub/authorize/ike"' in ada.request("hub/authorize")[1]
    assert ada.request("hub/authorize/ike", {"authorized": "no"})[0] == 200
    assert 'action="/hub/authorize/ike"' not in ada.request("hub/authorize")[1]
    assert ada.request("hub/authorize/ike", {"authorized": "yes"})[0] == 409

    hub.settings["keep_panel_grants"] = True
    restart(hub)
    assert sign_up(hub, "zoe") == NOT_YET and "has not authorized your account" in refused_login(hub, "zoe", PASSWORD)
    ada = log_in(hub, "ada", given["ada"])
    assert ada and ada.request("hub/authorize/zoe", {"authorized": "yes"})[0] == 200
    assert log_in(hub, "zoe", PASSWORD)
    for _attempt in range(2):
        assert "Invalid username or password." in refused_login(hub, "zoe", "wrong")
    assert "too often" in refused_login(hub, "zoe", PASSWORD)
    hub.stop()
