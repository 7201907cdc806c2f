# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How users of a hub are asked for and changed, and what is said where that fails; tests/system has real hubs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.users import (
    ADD,
    REMOVE,
    RENAME,
    SIGN_OUT,
    HubUser,
    UserChange,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.jupyterhub_users import HubUsers
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import HubLayout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.users import users_of
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.hub_api import hub_api, page


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The API of a hub; a proxy of the environment must not be asked."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    # pytest goes on after the yield in any case
    with hub_api() as server:  # pylint: disable=contextmanager-generator-missing-cleanup
        yield server


@pytest.fixture
def users(api: Any, tmp_path: Path) -> HubUsers:
    """The users of the hub."""
    return users_of("demo", layout_of(tmp_path, api.server_address[1]))


def layout_of(directory: Path, port: int) -> HubLayout:
    """Return the paths of a deployed hub."""
    for folder in ("config", "secrets"):
        (directory / folder).mkdir()
    config = {"ports": {"hub": port}, "base_url": "/inst-a/"}
    (directory / "config" / "hub.json").write_text(json.dumps(config))
    (directory / "secrets" / "users_token").write_text("a-token\n")
    return HubLayout(str(directory))


def test_all_pages_are_read(api: Any, users: HubUsers) -> None:
    api.answers = {
        "GET /inst-a/hub/api/users?offset=0&limit=200": [page(200, "zoe", "hubfleet-check-1")],
        "GET /inst-a/hub/api/users?offset=200&limit=200": [page(None, "ada")],
    }
    assert users.all() == [HubUser("ada"), HubUser("zoe")]
    assert api.tokens == {"token a-token"}


def test_what_the_hub_says_of_a_user(api: Any, users: HubUsers) -> None:
    ada = {
        "name": "ada",
        "admin": True,
        "groups": ["staff", "all"],
        "last_activity": "2026-11-24T08:15:00.123456Z",
        "servers": {"": {"ready": True, "pending": None}, "b": {"pending": "spawn"}, "c": {"pending": "stop"}},
    }
    ben = {"name": "ben", "last_activity": "2026-11-24T08:15:00Z"}
    api.answers = {
        "GET /inst-a/hub/api/users?offset=0&limit=200": [(200, {"items": [ada, ben], "_pagination": {"next": None}})]
    }
    servers = {"": "running", "b": "starting", "c": "stopping"}
    assert users.all() == [
        HubUser("ada", True, ["all", "staff"], "2026-11-24T08:15:00Z", servers),
        HubUser("ben", last_activity="2026-11-24T08:15:00Z"),
    ]


def test_servers_are_stopped_before_anything_else(api: Any, users: HubUsers) -> None:
    user = "/inst-a/hub/api/users/a%40b"
    api.answers = {
        f"DELETE {user}/servers/x": [(400, {"message": "it is starting"}), (204, None)],
        f"GET {user}": [(200, {"servers": {"x": {}}}), (200, {})],
        f"DELETE {user}": [(204, None)],
    }
    assert users.change(UserChange(REMOVE, "a@b", servers=["x"])) == ""
    assert api.asked[-1] == f"DELETE {user}" and len(api.asked) == 5


def test_what_is_done_already_is_no_error(api: Any, users: HubUsers) -> None:
    api.answers = {
        "POST /inst-a/hub/api/users/ada": [(409, {"message": "exists"})],
        "DELETE /inst-a/hub/api/users/ada": [(404, {"message": "Not Found"})],
        "POST /inst-a/hub/api/hubfleet/users/ada/sign-out": [(200, {"revoked": 1})],
    }
    for action in (ADD, REMOVE, SIGN_OUT):
        assert users.change(UserChange(action, "ada")) == ""


def test_what_the_hub_refuses_is_told(api: Any, users: HubUsers) -> None:
    path = "/inst-a/hub/api/hubfleet/users/ada/name?new=ben"
    api.answers = {f"POST {path}": [(409, {"message": "ben is taken"})], f"GET {path}": [(200, {"problem": "no"})]}
    assert users.change(UserChange(RENAME, "ada", "ben")) == "hub demo: ben is taken"
    assert users.rename_problem("ada", "ben") == "no"
    api.answers[f"POST {path}"] = [(500, None)]
    assert users.change(UserChange(RENAME, "ada", "ben")) == "hub demo: the hub answers with status 500"


def test_a_hub_that_cannot_be_asked(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match="hub demo is not deployed; run the playbook deploy first"):
        users_of("demo", HubLayout(str(tmp_path)))
    layout = layout_of(tmp_path, 1)
    with pytest.raises(PlatformError, match="hub demo does not answer; see what runs with the playbook status"):
        users_of("demo", layout).all()
    (tmp_path / "secrets" / "users_token").unlink()
    with pytest.raises(PlatformError, match="without the playbook users; deploy it again"):
        users_of("demo", layout)
