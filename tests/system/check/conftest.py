# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real JupyterHub for the tests of the check: own environment, own proxy, own ports."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prebuilt import prebuilt

SCOPES = ["admin:users", "admin:servers", "tokens", "access:servers", "list:users", "read:hub"]
CONFIG = """
import json, os, sys

from tornado import web

settings = json.loads(os.environ["CHECK_TEST_SETTINGS"])
c.JupyterHub.bind_url = settings["url"]
c.JupyterHub.hub_port = settings["hub_port"]
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{settings['proxy_port']}"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = settings["directory"] + "/homes/{username}"
c.Spawner.cmd = [os.path.join(os.path.dirname(sys.executable), "jupyterhub-singleuser")]
# Homes of these tests have longer paths than sockets may have.
c.Spawner.args = ["--allow-root", "--ConnectionFileMixin.transport=tcp"]
c.Spawner.default_url = "/lab"
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": settings["slow_spawn_timeout"]}
c.JupyterHub.services = [{"name": "check", "api_token": settings["token"]}]
c.JupyterHub.load_roles = [{"name": "check", "scopes": settings["scopes"], "services": ["check"]}]


async def prepare(spawner):
    profile = spawner.user_options.get("profile")
    if profile == "broken":
        raise web.HTTPError(400, "there is no environment broken")
    if profile == "without-terminals":
        spawner.args = [*spawner.args, "--ServerApp.terminals_enabled=False"]
    if profile == "full":  # for terminals, by a file of the user
        home = os.path.join(settings["directory"], "homes", spawner.user.name)
        os.makedirs(home, exist_ok=True)
        with open(os.path.join(home, ".bashrc"), "w") as file:
            print("export HOME=/proc", file=file)


c.Spawner.pre_spawn_hook = prepare
"""


@dataclass
class Hub:
    """A running JupyterHub."""

    url: str
    token: str
    directory: Path
    process: subprocess.Popen[bytes]

    def api(self, method: str, path: str) -> tuple[int, Any]:
        """Status and JSON of a request with the check's token."""
        request = urllib.request.Request(
            f"{self.url}hub/api/{path}",
            method=method,
            headers={"Authorization": f"token {self.token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                text = response.read()
                return response.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            return error.code, None

    def users(self) -> list[dict[str, Any]]:
        """All users the hub knows, with their servers."""
        return list(self.api("GET", "users")[1])

    def processes(self) -> list[int]:
        """Ids of running processes of users' servers (kernels included) of this hub."""
        found = []
        home = f"HOME={self.directory}/homes/".encode()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if home in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
        return found


def free_ports(number: int) -> list[int]:
    """So many TCP ports of 127.0.0.1 that nothing listens on."""
    sockets = [socket.socket() for _each in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture(scope="session")
def hub_programs() -> tuple[Path, str]:
    """Python of an environment with JupyterHub, and a PATH with its proxy."""
    built = prebuilt()
    python = built["python"] / "bin" / "python"
    node = built["node"] / "bin" if "node" in built else Path(shutil.which("node") or "").parent
    path = [python.parent, built["proxy"] / "node_modules" / ".bin", node]
    return python, os.pathsep.join([*map(str, path), os.environ["PATH"]])


@pytest.fixture(scope="module")
def hub(hub_programs: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A JupyterHub under the base path /team/, stopped at the end with all of its processes."""
    python, path = hub_programs
    directory = tmp_path_factory.mktemp("hub")
    public, hub_port, proxy_port = free_ports(3)
    url, token = f"http://127.0.0.1:{public}/team/", secrets.token_hex(32)
    settings = {
        "url": url,
        "hub_port": hub_port,
        "proxy_port": proxy_port,
        "token": token,
        "directory": str(directory),
        "scopes": SCOPES,
        "slow_spawn_timeout": 0,
    }
    (directory / "config.py").write_text(textwrap.dedent(CONFIG))
    environment = {**os.environ, "PATH": path, "CHECK_TEST_SETTINGS": json.dumps(settings)}
    with open(directory / "hub.log", "wb") as log:
        process = subprocess.Popen(
            [python, "-m", "jupyterhub", "-f", "config.py"],
            cwd=directory,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    running = Hub(url, token, directory, process)
    try:
        wait_until_up(running)
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
        for pid in running.processes():
            os.kill(pid, signal.SIGKILL)


def wait_until_up(hub: Hub, seconds: float = 60) -> None:
    """Return when the hub answers; fail with its log if it ends or takes longer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and hub.process.poll() is None:
        try:
            if hub.api("GET", "")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.2)
    pytest.fail("the hub did not start:\n" + (hub.directory / "hub.log").read_text()[-3000:])
