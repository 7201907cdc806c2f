# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of a hub on Kubernetes, in a JupyterHub that is configured as zero-to-jupyterhub does it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.kubernetes_hubs import (  # noqa: E501
    values_of,
)
from hub_client import Browser, wait_for
from runtime_client import Client
from runtime_rig import free_ports
from runtime_tools import Tools

TOKEN = "0" * 32

#: As files/hub/jupyterhub_config.py of the chart, apart from proxy, database and spawner.
CONFIG = """
import json, os

settings = json.load(open("settings.json"))
values = settings["hub"]
c.JupyterHub.bind_url = settings["url"]
c.JupyterHub.hub_port = settings["hub_port"]
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{settings['proxy_port']}"
c.ConfigurableHTTPProxy.command = settings["proxy"]
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.services = [{"name": "operator", "api_token": settings["token"]}]
role = {"name": "operator", "scopes": ["admin:users", "tokens", "admin:groups"], "services": ["operator"]}
c.JupyterHub.load_roles = [role]
for section, content in values["config"].items():
    c[section].update(content)
for key, config_py in sorted(values["extraConfig"].items()):
    exec(config_py)
"""


class ChartHub(Client):
    """A JupyterHub with values of the chart."""

    def __init__(self, tools: Tools, directory: Path) -> None:
        self.tools, self.directory = tools, directory
        public, self.hub_port, self.proxy_port = free_ports(3)
        self.url, self.direct = f"http://127.0.0.1:{public}/", f"http://127.0.0.1:{self.hub_port}/"
        self.secrets = {"check_token": TOKEN}

    @contextmanager
    def running(self, **variables: Any) -> Iterator[None]:
        """Run the hub that the inventory describes."""
        hub = values_of(hub_authenticator="dummy", hub_demonstration=True, **variables).merged["hub"]
        settings = {
            "hub": hub,
            "url": self.url,
            "hub_port": self.hub_port,
            "proxy_port": self.proxy_port,
            "proxy": [str(self.tools.node), str(self.tools.proxy)],
            "token": TOKEN,
        }
        (self.directory / "settings.json").write_text(json.dumps(settings))
        (self.directory / "config.py").write_text(CONFIG)
        with open(self.directory / "hub.log", "ab") as log:
            command = [str(self.tools.hub / "bin" / "python"), "-m", "jupyterhub", "-f", "config.py"]
            path = f"{self.tools.hub}/bin:{os.environ['PATH']}"
            environment = {**os.environ, "PATH": path}
            process = subprocess.Popen(command, cwd=self.directory, env=environment, stdout=log, stderr=log)
        try:
            wait_for("the hub", lambda: self.request("GET", f"{self.url}hub/health")[0] == 200)
            yield
        finally:
            process.terminate()
            process.wait(30)


def logged_in(hub: ChartHub, name: str) -> Browser | None:
    """Return the browser of a user who tried to log in, None if the hub refused."""
    browser = Browser(hub)
    browser.request("hub/login")
    status, _page = browser.request("hub/login", {"username": name, "password": "any"})
    return None if status == 403 else browser


@pytest.mark.parametrize("keep", [False, True])
def test_a_hub_of_the_chart_is_what_the_inventory_says(tools: Tools, tmp_path: Path, keep: bool) -> None:
    hub = ChartHub(tools, tmp_path)
    rules = {"hub_keep_panel_grants": keep}
    groups = {"staff": {"users": ["ada", "ben"]}}
    with hub.running(hub_allowed_users=["ada", "ben"], hub_admins=["ada"], hub_groups=groups, **rules):
        ben = logged_in(hub, "ben")
        assert ben and 'name="password"' not in ben.request("hub/home")[1]
        token, admin = (hub.api("POST", f"users/{name}/tokens", {})[1]["token"] for name in ("ben", "ada"))
        for name in ("carol", "dan"):
            hub.request("POST", f"{hub.direct}hub/api/users/{name}", admin, {"admin": name == "carol"})
        assert [hub.api("GET", f"users/{name}")[1]["admin"] for name in ("ada", "carol")] == [True, True]
    with hub.running(hub_allowed_users=["ada"], hub_groups={"staff": {"users": ["ada"]}}, **rules):
        assert 'name="password"' in ben.request("hub/home")[1]
        assert hub.request("GET", f"{hub.direct}hub/api/user", token)[0] == 403
        assert logged_in(hub, "ben") is None and logged_in(hub, "ada")
        assert [hub.api("GET", f"users/{name}")[1]["admin"] for name in ("ada", "carol")] == [False, keep]
        assert (logged_in(hub, "dan") is not None) is keep
        assert hub.api("GET", "groups/staff")[1]["users"] == ["ada"]


def test_users_expire_unless_the_inventory_names_them(tools: Tools, tmp_path: Path) -> None:
    """A user who was not active for long is removed; whom options name, admins, and who is active are not."""
    hub = ChartHub(tools, tmp_path)
    options: dict[str, Any] = {
        "hub_allow_everyone": True,
        "hub_admins": ["ada"],
        "hub_groups": {"staff": {"users": ["ben"]}},
        "hub_keep_panel_grants": True,
    }
    with hub.running(**options):
        for name in ("carol", "dan", "fay", "gina"):
            assert hub.api("POST", f"users/{name}", {})[0] == 201
    with closing(sqlite3.connect(tmp_path / "jupyterhub.sqlite")) as database:
        database.execute("update users set created = '2020-01-01', last_activity = '2020-01-01' where name != 'fay'")
        # who never came is as old as the entry
        database.execute("update users set last_activity = null where name = 'dan'")
        database.execute("update users set admin = true where name = 'gina'")
        database.commit()
    with hub.running(**options, hub_user_expiry="180d"):
        wait_for("users to expire", lambda: hub.api("GET", "users/carol")[0] == 404)
        answer = hub.api("GET", "users")[1]
        assert sorted(user["name"] for user in answer) == ["ada", "ben", "fay", "gina"]
        assert logged_in(hub, "carol")
