# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An environment that opens with a program of its own, behind Jupyter Server Proxy, and a check that opens it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from verbs_fleet import Fleet

VIEWER = """\
import os
from aiohttp import web

async def page(request):
    return web.Response(text=f"map of the coast for {os.environ['JUPYTERHUB_USER']} at {request.path}")

def make(arguments):
    application = web.Application()
    application.add_routes([web.get("/", page)])
    return application

def empty(arguments):
    return web.Application()
"""


def entry(function: str) -> dict[str, Any]:
    """Return an environment with the viewer."""
    command = ["python", "-m", "aiohttp.web", "-U", "{unix_socket}", f"viewer:{function}"]
    return {"title": "Maps", "interface": {"command": command, "path": "viewer", "title": "Viewer"}}


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """A fleet of its own, whose hub offers a viewer beside the usual environment."""
    made = Fleet("shore")
    try:
        made.clusters["shore"]["hub_environment_catalogue"] = {"python": {"title": "Python"}, "maps": entry("make")}
        files = {"viewer": {"path": "~/viewer.py", "content": VIEWER}}
        made.add("lab", "staging", hub_environments=["python", "maps"], hub_files=files)
        made.write()
        made.use_prebuilt()
        yield made
    finally:
        made.end()


def test_a_program_is_what_users_open(fleet: Fleet) -> None:
    result = fleet.succeed("deploy")
    assert result.outcomes() == {"lab": "deployed"} and "maps/small" in result.output
    assert "nothing to change" in fleet.succeed("deploy").output
    hub = fleet.hub("lab")
    hub.start_server("ada", {"profile": "maps"})
    token = hub.server_token("ada")
    status, text = hub.request("GET", "user/ada/", token)
    assert (status, text) == (200, "map of the coast for ada at /")
    hub.start_server("ben", {"profile": "python"})
    status, text = hub.request("GET", "user/ada/viewer/", hub.server_token("ben"))
    assert status == 403 or "map of the coast" not in text


@pytest.mark.slow
def test_a_program_that_does_not_answer_is_rolled_back(fleet: Fleet) -> None:
    fleet.clusters["shore"]["hub_environment_catalogue"]["maps"] = entry("empty")
    fleet.write()
    result = fleet.run("deploy")
    assert result.code == 2
    failed = "maps/small failed in step interface: opening /viewer/: HTTP 404 Not Found"
    assert result.outcomes()["lab"].startswith(f"rolled back the check failed: {failed}"), result.output
    assert fleet.succeed("check").code == 0
