# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub for tests: its directory, its services, started by launch.py, and its users."""

from __future__ import annotations

import copy
import json
import os
import secrets
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

from hub_client import wait_for
from runtime_client import Client
from runtime_tools import Tools

SECRETS = (
    "proxy_token",
    "cookie_secret",
    "crypt_key",
    "check_token",
    "culler_token",
    "routes_token",
    "metrics_token",
    "users_token",
    "user_password",
    "admin_password",
)
SIZES = {
    "small": {
        "display_name": "Small",
        "description": "1 GB",
        "default": True,
        "kubespawner_override": {"mem_limit": 1 << 30, "mem_guarantee": 1 << 29, "cpu_limit": 1.0},
    },
    "large": {
        "display_name": "Large",
        "description": "2 GB",
        "kubespawner_override": {"mem_limit": "2G"},
    },
}
PROFILES: list[dict[str, Any]] = [
    {
        "slug": "python",
        "display_name": "Python",
        "description": "Python <3",
        "default": True,
        "kubespawner_override": {
            "image": "python",
            "default_url": "/lab",
            "environment": {"COURSE": "1"},
        },
        "profile_options": {"size": {"display_name": "Size", "choices": SIZES}},
    },
    {"slug": "broken", "display_name": "Broken", "kubespawner_override": {"image": "broken"}},
]


def free_ports(count: int) -> list[int]:
    """Return free ports of this machine."""
    sockets = [socket.socket() for _number in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Hub(Client):
    """A hub that tests start, kill and query."""

    def __init__(
        self,
        tools: Tools,
        state: Path,
        name: str,
        isolation: str,
        runtime_directory: Path,
        run_as: list[str] | None = None,
        owner: tuple[int, int] | None = None,
        **settings: Any,
    ) -> None:
        self.tools, self.name, self.run_as = tools, name, run_as or []
        self.directory = state / "hubs" / name
        self.homes = state / "homes" / name
        self.ports = dict(zip(("public", "hub", "proxy_api", "proxy_metrics"), free_ports(4)))
        self.base_url = settings.pop("base_url", "/")
        self.url = f"http://127.0.0.1:{self.ports['public']}{self.base_url}"
        self.direct = f"http://127.0.0.1:{self.ports['hub']}{self.base_url}"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        traits = {
            "JupyterHub": {"authenticator_class": "dummy", "allow_named_servers": True},
            "Authenticator": {"allow_all": True},
            "Spawner": {"start_timeout": 60},
        }
        self.settings: dict[str, Any] = {
            "format": 1,
            "cluster": "test",
            "hub": name,
            "title": name,
            "url": self.url,
            "base_url": self.base_url,
            "bind": "127.0.0.1",
            "ports": self.ports,
            "tls": None,
            "isolation": isolation,
            "homes": str(self.homes),
            "runtime_directory": str(runtime_directory),
            "environments": {
                "python": {"directory": str(tools.user)},
                "broken": {"directory": str(tools.broken)},
            },
            "profile_list": copy.deepcopy(PROFILES),
            "user_packages": True,
            "traits": traits,
            "shared_password": False,
            "templates": None,
            "logo": None,
            "template_vars": {},
            "services": [],
            "roles": [],
            "private_lines": [],
            **settings,
        }
        self.secrets = {key: secrets.token_hex(32) for key in SECRETS}
        self.write()
        self.homes.mkdir(parents=True, exist_ok=True)
        self.homes.chmod(0o711 if isolation == "system-users" else 0o700)
        self.owner = owner
        self.chown()

    def chown(self) -> None:
        """Give all files of the hub to its account."""
        if self.owner:
            for path in [self.homes, self.directory, *self.directory.rglob("*")]:
                os.chown(path, *self.owner)

    def write(self, extra: str = "") -> None:
        """Write the files that a deploy writes."""
        for folder in ("config", "secrets"):
            (self.directory / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        files = {f"secrets/{key}": value for key, value in self.secrets.items()}
        files |= {
            "config/hub.json": json.dumps(self.settings),
            "config/secrets.json": "{}",
            "config/extra.py": extra,
        }
        for name, text in files.items():
            path = self.directory / name
            path.write_text(text, encoding="utf-8")
            path.chmod(0o600)

    def command(self, service: str) -> list[str]:
        """Return the command line of a service, as the collection composes it."""
        python, ports = (
            str(self.tools.hub / "bin" / "python"),
            {key: str(port) for key, port in self.ports.items()},
        )
        package = self.tools.code / "hubfleet_runtime"
        launch = [
            *self.run_as,
            python,
            str(package / "launch.py"),
            "--directory",
            str(self.directory),
            "--service",
            service,
            "--digest",
            f"digest-of-{service}",
        ]
        if service == "hub":
            return [
                *launch,
                "--wait-port",
                ports["proxy_api"],
                "--",
                python,
                str(package / "hub.py"),
                "-f",
                str(package / "jupyterhub_config.py"),
            ]
        if service == "culler":
            return [
                *launch,
                "--secret",
                "JUPYTERHUB_API_TOKEN=culler_token",
                "--wait-port",
                ports["hub"],
                "--",
                python,
                "-m",
                "jupyterhub_idle_culler",
                f"--url={self.direct}hub/api",
                "--timeout=3600",
            ]
        return [
            *launch,
            "--secret",
            "CONFIGPROXY_AUTH_TOKEN=proxy_token",
            "--restore-routes",
            ports["hub"],
            "--",
            str(self.tools.node),
            str(self.tools.proxy),
            "--ip",
            "127.0.0.1",
            "--port",
            ports["public"],
            "--api-ip",
            "127.0.0.1",
            "--api-port",
            ports["proxy_api"],
            "--metrics-ip",
            "127.0.0.1",
            "--metrics-port",
            ports["proxy_metrics"],
            "--error-target",
            f"{self.direct}hub/error",
        ]

    def start(self, *services: str) -> None:
        """Start services."""
        for service in services:
            self.running[service] = subprocess.Popen(
                self.command(service),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        if "hub" in services:
            self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        """Returns when the hub answers through its proxy."""

        def healthy() -> bool:
            ended = [name for name, process in self.running.items() if process.poll() is not None]
            assert not ended, f"ended: {ended}: {self.log(ended[0])}"
            return self.request("GET", f"{self.url}hub/health")[0] == 200

        wait_for(f"hub {self.name}", healthy)

    def log(self, service: str) -> str:
        """Return the log of a service."""
        return (self.directory / "logs" / f"{service}.log").read_text(encoding="utf-8", errors="replace")

    def kill(self, service: str) -> None:
        """Kill a service."""
        process = self.running.pop(service)
        process.kill()
        process.communicate()

    def stop(self) -> None:
        """Stop users' servers, then the services."""
        if "hub" in self.running and self.running["hub"].poll() is None:
            self._remove_users()
        for service in ("culler", "hub", "proxy"):
            process = self.running.pop(service, None)
            if process is not None:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=30)

    def _remove_users(self) -> None:
        try:
            for user in self.api("GET", "users")[1] or []:
                self.api("DELETE", f"users/{user['name']}")
            wait_for("users to be gone", lambda: not self.api("GET", "users")[1], 30)
        except (AssertionError, OSError, ValueError) as error:
            print(f"hub {self.name}: users stay: {error}")  # the services must be stopped all the same
