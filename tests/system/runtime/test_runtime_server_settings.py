# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of users' servers: the operator's reach them, and no setting takes kernels off their sockets."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hub_client import wait_for
from runtime_rig import Hub

USER = "ada"
#: A kernel of the user's that wants TCP, as the server and the user's own configuration do.
KERNEL = {"argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}", "--IPKernelApp.transport=tcp"]}
TCP = "c.KernelManager.transport = 'tcp'\nc.ServerKernelManager.transport = 'tcp'\nc.KernelManager.ip = '0.0.0.0'\n"
ASK = """
import json, os, ipykernel.kernelapp
app = ipykernel.kernelapp.IPKernelApp.instance()
print(json.dumps([app.transport, app.ip, app.abs_connection_file, "HUBFLEET_SERVER_SETTINGS" in os.environ]))
"""


@pytest.fixture(scope="module")
def hub(make_user_hub: Callable[..., Hub]) -> Iterator[Hub]:
    """A hub whose operator makes the user's own kernel the default, and wants TCP."""
    hub = make_user_hub(
        "settings",
        isolation="none",
        server_settings={"MappingKernelManager": {"default_kernel_name": "mine"}},
        traits={
            "JupyterHub": {"authenticator_class": "dummy"},
            "Authenticator": {"allow_all": True},
            "Spawner": {"start_timeout": 60, "args": ["--KernelManager.transport=tcp", "--KernelManager.ip=0.0.0.0"]},
        },
    )
    home = hub.homes / USER
    write(home / ".jupyter" / "jupyter_server_config.py", TCP)
    write(home / ".local" / "share" / "jupyter" / "kernels" / "mine" / "kernel.json", json.dumps(KERNEL))
    write(home / "own.py", TCP)
    for path in [home, *home.rglob("*")] if hub.owner else []:
        os.chown(path, *hub.owner)
    hub.chown()
    hub.start("proxy", "hub")
    assert hub.start_server(USER).get("ready")
    yield hub
    hub.stop()


def write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def assert_on_sockets(hub: Hub) -> None:
    transport, ip, connection_file, told = json.loads(hub.kernel(USER).run(ASK).splitlines()[-1])
    assert transport == "ipc" and ip == f"{connection_file.removesuffix('.json')}-ipc" and not told


def test_settings_reach_the_server(hub: Hub) -> None:
    status, kernel = hub.request("POST", f"{hub.url}user/{USER}/api/kernels", hub.token(USER), {})
    assert (status, kernel["name"]) == (201, "mine")


def test_lab_does_not_ask_about_news(hub: Hub) -> None:
    page = str(hub.request("GET", f"{hub.url}user/{USER}/lab", hub.token(USER))[1])
    assert '"news": {"disabled": true}' in page


def test_kernels_stay_on_sockets(hub: Hub) -> None:
    """With options of the command line, files in the home, and a kernel of the user's."""
    assert_on_sockets(hub)


def test_kernels_stay_on_sockets_without_the_configuration_of_the_environment(hub: Hub) -> None:
    kernel = hub.kernel(USER)
    kernel.run("x = 12345")
    hub.kill("hub")
    hub.settings["traits"]["Spawner"]["args"] = [f"--config={hub.homes / USER}/own.py"]
    hub.settings["server_settings"] = {}
    hub.write()
    hub.chown()
    hub.start("hub")
    # changed settings are for the next start
    assert kernel.run("print(x)").strip() == "12345"
    assert hub.api("DELETE", f"users/{USER}/server")[0] in (202, 204)
    wait_for("the server to stop", lambda: not hub.api("GET", f"users/{USER}")[1]["servers"], 30)
    assert hub.start_server(USER).get("ready")
    assert_on_sockets(hub)
    log = (hub.directory / "logs" / "servers" / f"{USER}.log").read_text(encoding="utf-8")
    assert "transport tcp is ignored" in log
