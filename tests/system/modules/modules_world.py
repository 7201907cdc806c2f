# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A state directory with a small hub under the real supervisord, and modules run on it without Ansible's engine."""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import os
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.backup.program import (
    encode_settings,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.services import Service
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.reverse_proxy.desired import (
    ReverseProxy,
    command,
)

MODULES = "ansible_collections.hubfleet.jupyterhub.plugins.modules"
RUNTIME = Path(__file__).resolve().parents[3] / "roles/cluster/files/runtime"
#: Results that a prediction has to have in common with a real run.
PREDICTED = ("changed", "written", "changed_services", "changes", "removed", "number")
ISOLATION = "system-users" if os.geteuid() == 0 else "bubblewrap"
#: Answers every request, as the proxy of a healthy hub answers at its health address.
SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def run_module(
    name: str, arguments: dict[str, Any], check: bool, capture: pytest.CaptureFixture[str]
) -> dict[str, Any]:
    """Run a module in this process; return its result."""
    module = importlib.import_module(f"{MODULES}.{name}")
    umask = os.umask(0o022)
    try:
        with patch_module_args({**arguments, "_ansible_check_mode": check}), pytest.raises(SystemExit):
            module.main()
    finally:
        os.umask(umask)
    result: dict[str, Any] = json.loads(capture.readouterr().out)
    return result


def changes(result: dict[str, Any]) -> dict[str, Any]:
    """Return what a result says of changes."""
    assert not result.get("failed"), result
    return {key: result[key] for key in PREDICTED if key in result}


def files_below(root: Path) -> dict[str, str]:
    """Return path -> kind and content of everything below a directory, without what services write meanwhile."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.name.endswith((".log", ".sock", ".pid")) or "caddy/data" in str(path):
            continue
        content = "" if path.is_dir() or path.is_socket() else hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path)] = f"{path.lstat().st_mode:o} {content}"
    return found


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on."""
    sockets = [socket.socket() for _number in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def package() -> dict[str, str]:
    """Return the files of the runtime package."""
    paths = [path for path in RUNTIME.rglob("*") if path.suffix in (".py", ".html")]
    return {str(path.relative_to(RUNTIME)): path.read_text(encoding="utf-8") for path in paths}


#: Records that it has finished its start, as a hub does, and waits.
_HUB = """
import json, os, pathlib, time
status = pathlib.Path("/proc/self/stat").read_text().rpartition(")")[2].split()
record = {"pid": os.getpid(), "start_time": status[19]}
pathlib.Path(os.environ["HUBFLEET_DIRECTORY"], "run", "hub-started.json").write_text(json.dumps(record))
time.sleep(3600)
"""


@dataclass
class World:
    """A place for clusters. programs: of the environment that has supervisord."""

    root: Path
    programs: Path

    def __post_init__(self) -> None:
        """Choose the ports."""
        self.public, self.hub_port, self.http, self.https, self.drill_port = free_ports(5)
        self.package = package()
        (self.root / "server.py").write_text(SERVER, encoding="utf-8")
        (self.root / "hub.py").write_text(_HUB, encoding="utf-8")

    def layout(self, name: str = "state") -> Layout:
        """Return a state directory."""
        return Layout(str(self.root / name))

    def machine(self, name: str = "state") -> dict[str, Any]:
        """Return the arguments of server_machine."""
        return {
            "state_directory": self.layout(name).root,
            "runtime": self.package,
            "runtime_digest": "0123456789ab",
            "supervisor": self.supervisor(name),
        }

    def supervisor(self, name: str = "state") -> dict[str, Any]:
        """Return what starts services."""
        return {
            "kind": "supervisord",
            "directory": self.layout(name).supervisor,
            "runtime_directory": str(self.root / "run"),
            "programs": str(self.programs),
        }

    def config(self, port: int = 0) -> dict[str, Any]:
        """Return where the hub answers."""
        ports = {"public": port or self.public, "hub": port or self.public}
        return {"bind": "127.0.0.1", "base_url": "/", "ports": ports, "tls": None}

    def texts(self, version: str, port: int = 0) -> dict[str, bytes]:
        """Return the files of a version of the hub."""
        site = {"domain": "hub.localhost", "address": "hub.localhost"}
        environments = {"python": {"directory": str(self.root / "state/environments/python-0123")}}
        config = {
            **self.config(port),
            "hub": "lab",
            "homes": self.layout().homes("lab"),
            "isolation": ISOLATION,
            "environments": environments,
            "version": version,
            "reverse_proxy": site,
        }
        return {"hub.json": json.dumps(config).encode(), "secrets.json": b"{}"}

    def hub(self, version: str) -> dict[str, Any]:
        """Return the arguments of server_hub."""
        texts = self.texts(version)
        return {
            "hub": "lab",
            "directory": self.layout().hub("lab").directory,
            "homes": self.layout().homes("lab"),
            "own_homes": True,
            "runtime_directory": str(self.root / "run"),
            "generated": ["cookie_secret"],
            "content": pack(texts),
            "record": self.record(version, texts),
        }

    def record(self, version: str, texts: dict[str, bytes]) -> dict[str, Any]:
        """Return the record of a deploy."""
        return {
            "when": "2026-11-24T08:15:00Z",
            "who": "test@here",
            "collection": "0",
            "revision": "",
            "fingerprint": version,
            "files": {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()},
            "services": [self.as_argument(service) for service in self.services(version)],
            "jupyterhub": "5.5.0",
        }

    def services(self, version: str, name: str = "state", port: int = 0) -> list[Service]:
        """Return the services of a version: only the hub differs between versions."""
        directory = self.layout(name).hub("lab").directory
        server = [sys.executable, str(self.root / "server.py"), str(port or self.public)]
        hub = [sys.executable, str(self.root / "hub.py")]
        proxy = self.service("proxy", directory, server, "1", name)
        return [proxy, self.service("hub", directory, hub, version, name)]

    def service(self, role: str, directory: str, line: list[str], digest: str, name: str = "state") -> Service:
        """Return a service that the launcher starts."""
        launcher = f"{self.layout(name).runtime('0123456789ab')}/hubfleet_runtime/launch.py"
        start = [sys.executable, launcher, "--directory", directory, "--service", role, "--digest", digest, "--"]
        return Service(f"test-{name}-{role}", role, directory, (*start, *line), digest)

    def as_argument(self, service: Service) -> dict[str, Any]:
        """Return a service as modules take it."""
        return {**asdict(service), "command": list(service.command)}

    def running(self, version: str) -> dict[str, Any]:
        """Return the arguments of server_services."""
        services = [self.as_argument(service) for service in self.services(version)]
        return {"services": services, "supervisor": self.supervisor(), "config": self.config(), "timeout": 30}

    def reverse_proxy(self, caddy: str) -> dict[str, Any]:
        """Return the arguments of server_reverse_proxy."""
        proxy = ReverseProxy(
            wanted=True,
            directory=self.layout().reverse_proxy,
            program=caddy,
            version="2",
            account="",
            bind="127.0.0.1",
            http_port=self.http,
            https_port=self.https,
            certificates="internal",
            contact="",
            acme="",
            authority="",
        )
        service = self.service("reverse-proxy", proxy.directory, command(proxy), "2")
        return {
            "hub": "lab",
            "state_directory": self.layout().root,
            "reverse_proxy": asdict(proxy),
            "service": self.as_argument(service),
            "supervisor": self.supervisor(),
        }

    def hub_of_rollback(self) -> dict[str, Any]:
        """Return the arguments of server_rollback."""
        return {
            "directory": self.layout().hub("lab").directory,
            "supervisor": self.supervisor(),
            "record": {"when": "2026-11-24T09:15:00Z", "who": "test@here", "collection": "0", "revision": ""},
            "timeout": 30,
        }

    def backup(self, name: str = "state") -> dict[str, Any]:
        """Return the arguments of modules that run the backup program."""
        repository = str(self.root / "repository")
        settings = {"cluster": "east", "repository": repository, "password": "of the test", "keep": {"last": 2}}
        return {
            "state_directory": self.layout(name).root,
            "python": sys.executable,
            "runtime": self.package,
            "runtime_digest": "0123456789ab",
            "settings": encode_settings(settings),
        }

    def target(self, name: str) -> dict[str, Any]:
        """Return where the hub is restored to."""
        return {
            "hub": "lab",
            "homes": self.layout(name).homes("lab"),
            "isolation": ISOLATION,
            "runtime_directory": str(self.root / "run"),
            "shared_homes": False,
        }

    def drill(self) -> dict[str, Any]:
        """Return the arguments of server_drill."""
        name, texts = "state-drill-lab", self.texts("1", self.drill_port)
        return {
            **self.backup(name),
            "hub": "lab",
            "target": self.target(name),
            "builds": self.layout().root,
            "content": pack(texts),
            "config": self.config(self.drill_port),
            "services": [self.as_argument(service) for service in self.services("1", name, self.drill_port)],
            "generated": ["cookie_secret"],
            "record": self.record("1", texts),
            "supervisor": self.supervisor(name),
            "timeout": 30,
        }


def pack(texts: dict[str, bytes]) -> str:
    """Return files as the action packs them."""
    encoded = {name: base64.b64encode(content).decode() for name, content in texts.items()}
    return base64.b64encode(json.dumps(encoded).encode()).decode()
