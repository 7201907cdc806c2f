# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration of a JupyterHub whose users choose, and whose spawners only record what they would start.

Beside them, everything is the platform's own: the profile list, its form, and what is made of a choice.
"""

# ruff: noqa: F821
# pylint: disable=undefined-variable
import json
import os

from jupyterhub.proxy import Proxy
from tornado import web

given = json.loads(os.environ["START_PAGE_HUB"])


class NoProxy(Proxy):
    """Browsers talk to the hub itself."""

    async def add_route(self, routespec, target, data):
        pass

    async def delete_route(self, routespec):
        pass

    async def get_all_routes(self):
        return {}


def recording(spawner_class):
    """Return a spawner that writes down what it would start."""

    class Recording(spawner_class):
        async def start(self):
            if hasattr(self, "load_user_options"):
                await self.load_user_options()
            found = {
                "user": self.user.name,
                "image": self.image,
                "memory": self.mem_limit,
                "options": self.user_options,
            }
            found |= {name.lower(): self.environment.get(name) for name in ("EXTRAS", "VERSION")}
            with open(given["record"], "a", encoding="utf-8") as file:
                print(json.dumps(found), file=file)
            raise web.HTTPError(503, "This server is not started.")

        async def poll(self):
            return 0

        async def stop(self, now=False):
            pass

    return Recording


c.JupyterHub.bind_url = f"http://127.0.0.1:{given['port']}{given['base_url']}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{given['hub_port']}"
c.JupyterHub.proxy_class = NoProxy
c.NoProxy.should_start = False
c.JupyterHub.db_url = "sqlite://"
c.JupyterHub.cookie_secret = bytes.fromhex("0f" * 32)
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.template_paths = given["template_paths"]
c.JupyterHub.template_vars = {"hub_title": "Coast hub"}
if given["platform"] == "server":
    from hubfleet_runtime.profile_list_spawner import ProfileListSpawner

    c.JupyterHub.spawner_class = recording(ProfileListSpawner)
    c.ProfileListSpawner.profile_list = given["profile_list"]
    c.ProfileListSpawner.environments = {each["slug"]: "/nowhere" for each in given["profile_list"]}
else:
    from kubespawner import KubeSpawner

    c.JupyterHub.spawner_class = recording(KubeSpawner)
    c.KubeSpawner.profile_list = given["profile_list"]
    for _name, code in sorted(given["extra_config"].items()):
        exec(code)
