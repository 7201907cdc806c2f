# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real hub restarts with other names: who left loses everything, and nobody else anything."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest
from hub_client import Browser, Kernel, wait_for
from hubfleet_runtime import access
from runtime_rig import Hub
from runtime_tools import needs_root

pytestmark = needs_root


def traits(**names: list[str]) -> dict[str, Any]:
    """Return the traits of a hub with one password, whose users are named."""
    shared = {"authenticator_class": "shared-password", "allow_named_servers": True}
    return {"JupyterHub": shared, "Authenticator": names, "Spawner": {"start_timeout": 60}}


@pytest.fixture(scope="module")
def hub(make_root_hub: Callable[..., Hub]) -> Iterator[Hub]:
    """A hub of ada, who is an admin, ben and eve; gina is an admin, too, and stays one."""
    helpers = {"name": "helpers", "scopes": ["list:users"], "users": ["ben", "eve"]}
    hub = make_root_hub(
        "access",
        traits=traits(allowed_users=["ada", "ben", "eve"], admin_users=["ada", "gina"]),
        shared_password=True,
        groups={"staff": {"users": ["ada", "ben"], "properties": {"floor": 1}}},
        roles=[helpers, {"name": "readers", "scopes": ["list:groups"], "groups": ["staff"]}],
    )
    hub.start("proxy", "hub")
    yield hub


def logged_in(hub: Hub, name: str, kind: str = "user") -> Browser | None:
    """Return the browser of a user who tried to log in, None if the hub refused."""
    browser = Browser(hub)
    browser.request("hub/login")
    status, _page = browser.request("hub/login", {"username": name, "password": hub.secrets[f"{kind}_password"]})
    return browser if status == 200 else None


def restart(hub: Hub) -> None:
    """Start the hub with changed settings."""
    hub.kill("hub")
    hub.write()
    hub.start("hub")


def own_token(hub: Hub, name: str) -> str:
    """Return a token of a user with all of the user's rights."""
    status, answer = hub.api("POST", f"users/{name}/tokens", {"note": "mine"})
    assert status == 201, answer
    return str(answer["token"])


def rights(hub: Hub, name: str) -> tuple[bool, list[str], list[str]]:
    """Return whether a user is an admin, and the user's groups and roles, by the hub's API."""
    answer = hub.api("GET", f"users/{name}")[1]
    query = (
        "select roles.name from roles join user_role_map on roles.id = role_id join users on users.id = user_id"
        " where users.name = ?"
    )
    return answer["admin"], sorted(answer["groups"]), sorted(asked(hub, query, name))


def asked(hub: Hub, query: str, *values: str) -> list[str]:
    """Return the first column of what the hub's database answers."""
    with closing(sqlite3.connect(f"file:{hub.directory}/jupyterhub.sqlite?mode=ro", uri=True)) as database:
        return [row[0] for row in database.execute(query, values)]


def test_who_is_removed_loses_everything_and_others_nothing(hub: Hub) -> None:
    ben, eve = logged_in(hub, "ben"), logged_in(hub, "eve")
    ada = logged_in(hub, "ada", "admin")
    assert ada and ben and eve
    tokens = {name: own_token(hub, name) for name in ("ada", "ben", "eve")}
    for name in tokens:
        assert hub.start_server(name, {"profile": "python"}).get("ready")
    kernels: dict[str, Kernel] = {name: hub.kernel(name) for name in tokens}
    for name, kernel in kernels.items():
        kernel.run(f"x = {name!r}")
    pid = hub.server_pid("ben")
    scopes = asked(hub, "select scopes from api_tokens where note like 'Server at %'")
    assert len(scopes) == 3
    assert all(access.is_of_server(SimpleNamespace(scopes=json.loads(text))) for text in scopes), scopes
    assert ada.request("hub/admin")[0] == 200
    assert hub.request("GET", f"{hub.direct}hub/api/users", tokens["eve"])[0] == 200

    hub.settings["traits"] = traits(allowed_users=["ada", "eve"], admin_users=["gina"])
    hub.settings["groups"] = {"staff": {"users": ["eve"], "properties": {}}}
    hub.settings["roles"] = [{"name": "helpers", "scopes": ["list:users"]}]
    restart(hub)

    # ben: token, session, server, route, login
    assert hub.request("GET", f"{hub.direct}hub/api/user", tokens["ben"])[0] == 403
    assert 'name="password"' in ben.request("hub/home")[1]
    wait_for("the end of ben's server", lambda: not hub.api("GET", "users/ben")[1]["servers"])
    wait_for("the end of ben's process", lambda: not runs(pid))
    # there is no route to a server: the hub answers with its login page
    assert 'name="password"' in str(hub.request("GET", f"{hub.url}user/ben/api/kernels", kernels["ben"].token)[1])
    assert logged_in(hub, "ben") is None
    assert rights(hub, "ben") == (False, [], [])
    # ada is no admin any more, and eve lost a role; sessions, tokens and kernels of both go on
    assert ada.request("hub/admin")[0] in (403, 404) and ada.request("hub/home")[0] == 200
    assert hub.request("GET", f"{hub.direct}hub/api/users", tokens["ada"])[0] == 403
    assert hub.request("GET", f"{hub.direct}hub/api/users", tokens["eve"])[0] == 403
    assert hub.request("GET", f"{hub.direct}hub/api/user", tokens["eve"])[0] == 200
    assert rights(hub, "ada") == (False, [], ["user"]) and rights(hub, "eve") == (False, ["staff"], ["user"])
    for name in ("ada", "eve"):
        assert kernels[name].run("print(x)").strip() == name
    assert asked(hub, "select properties from groups where name = 'staff'") == ["{}"]


@pytest.mark.parametrize("keep", [True, False])
def test_grants_of_the_admin_panel_are_kept_or_taken_back(hub: Hub, keep: bool) -> None:
    hub.settings["keep_panel_grants"] = keep
    if keep:
        restart(hub)
        for method, path, body in (
            ("POST", "users/carol", {"admin": True}),
            ("POST", "users/dan", {}),
            ("POST", "groups/staff/users", {"users": ["dan"]}),
        ):
            status, answer = hub.request(method, f"{hub.direct}hub/api/{path}", own_token(hub, "gina"), body)
            assert status in (200, 201), answer
    restart(hub)
    assert rights(hub, "carol")[0] is keep
    assert rights(hub, "dan")[1] == (["staff"] if keep else [])
    assert (logged_in(hub, "dan") is not None) is keep
    assert logged_in(hub, "ben") is None and logged_in(hub, "eve") is not None


def test_who_never_came_back_is_removed_and_the_home_stays(hub: Hub) -> None:
    hub.kill("hub")
    with closing(sqlite3.connect(hub.directory / "jupyterhub.sqlite")) as database:
        database.execute("update users set created = '2020-01-01', last_activity = '2020-01-01'")
        database.commit()
    hub.settings["user_expiry"] = 86400
    hub.write()
    hub.start("hub")
    wait_for("users to expire", lambda: hub.api("GET", "users/ben")[0] == 404)
    assert sorted(user["name"] for user in hub.api("GET", "users")[1]) == ["ada", "eve", "gina"]
    assert (hub.homes / "ben").is_dir()


def runs(pid: int) -> bool:
    """Return whether a process exists."""
    return os.path.exists(f"/proc/{pid}")
