# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the files of a hub's directory into JupyterHub's configuration."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from traitlets.config import Config

from hubfleet_runtime import extra, isolation, processes, profiles, rotation, server_log
from hubfleet_runtime.spawner import ServerSpawner

FORMAT = 1
OWN_SERVICES: dict[str, list[str]] = {
    "check": ["admin:users", "admin:servers", "tokens", "access:servers", "list:users", "read:hub"],
    "culler": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    "routes": ["proxy"],
}


class ConfigurationError(Exception):
    """What is wrong with the hub's configuration; the text names file and key."""


class Directory:
    """A hub's directory, as the engine writes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.hub = processes.read_json(path / "config" / "hub.json")
            self.secret_settings = processes.read_json(path / "config" / "secrets.json")
        except (OSError, ValueError) as error:
            raise ConfigurationError(str(error)) from error
        if self.hub.get("format") != FORMAT:
            raise ConfigurationError(f"{path}/config/hub.json: format {self.hub.get('format')!r}, expected {FORMAT}")

    def secret(self, name: str) -> str:
        """The secret generated on this machine under that name."""
        try:
            return (self.path / "secrets" / name).read_text(encoding="ascii").strip()
        except OSError as error:
            raise ConfigurationError(str(error)) from error

    def require_lock(self) -> None:
        """ConfigurationError unless this very process holds the hub's lock.

        Two hubs on one database would each believe to be the only one.
        """
        holder = processes.lock_holder_outside(self.path / "run" / "hub.lock")
        if holder != os.getpid():
            state = f"process {holder} runs this hub" if holder else "it was not started by launch.py"
            raise ConfigurationError(f"{self.path}: refusing to run: {state}")


def configure(c: Config, directory: Directory) -> None:
    """Sets everything but extra.py. ConfigurationError when something cannot work."""
    _set_network(c, directory)
    _set_state(c, directory)
    _set_look(c, directory)
    _set_services(c, directory)
    _set_spawner(c, directory)
    for settings in (directory.hub, directory.secret_settings):
        merge(c, settings.get("traits") or {})
    if directory.hub.get("shared_password"):
        c.SharedPasswordAuthenticator.user_password = directory.secret("user_password")
        c.SharedPasswordAuthenticator.admin_password = directory.secret("admin_password")


def merge(target: Any, values: dict[str, Any]) -> None:
    """Puts values into a configuration, key by key."""
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            merge(target[key], value)
        elif isinstance(value, dict) and isinstance(target, Config) and key[:1].isupper():
            merge(target[key], value)  # a class not mentioned so far
        else:
            target[key] = value


def _set_network(c: Config, directory: Directory) -> None:
    hub, ports = directory.hub, directory.hub["ports"]
    scheme = "https" if hub.get("tls") else "http"
    address = f"[{hub['bind']}]" if ":" in hub["bind"] else hub["bind"]
    c.JupyterHub.bind_url = f"{scheme}://{address}:{ports['public']}{hub['base_url']}"
    c.JupyterHub.public_url = hub["url"]
    # its own proxy, and a reverse proxy before that, say where people come from; else logs would only know these
    c.JupyterHub.trusted_downstream_ips = ["127.0.0.1", "::1"]
    c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{ports['hub']}"
    # the proxy is a service of its own, so that the hub can restart without users noticing
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{ports['proxy_api']}"
    c.ConfigurableHTTPProxy.auth_token = directory.secret("proxy_token")
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.last_activity_interval = 60
    # as zero-to-jupyterhub does; otherwise a start that fails early can end in an internal error
    c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
    c.JupyterHub.authenticate_prometheus = True


def _set_state(c: Config, directory: Directory) -> None:
    c.JupyterHub.db_url = f"sqlite:///{directory.path}/jupyterhub.sqlite"
    c.JupyterHub.cookie_secret = bytes.fromhex(directory.secret("cookie_secret"))
    # JupyterHub reads it from there only; users' servers do not get it, see ServerSpawner.env_keep
    os.environ["JUPYTERHUB_CRYPT_KEY"] = directory.secret("crypt_key")


def _set_look(c: Config, directory: Directory) -> None:
    hub = directory.hub
    # the operator's first: one of theirs replaces ours of the same name
    own = str(Path(__file__).parent / "templates")
    c.JupyterHub.template_paths = [hub["templates"], own] if hub.get("templates") else [own]
    if hub.get("logo"):
        c.JupyterHub.logo_file = hub["logo"]
    c.JupyterHub.template_vars = {"hub_title": hub["title"], **(hub.get("template_vars") or {})}


def _set_services(c: Config, directory: Directory) -> None:
    services = [{"name": name, "api_token": directory.secret(f"{name}_token")} for name in OWN_SERVICES]
    roles = [{"name": name, "scopes": scopes, "services": [name]} for name, scopes in OWN_SERVICES.items()]
    tokens = directory.secret_settings.get("services") or {}
    for key, own in (("services", services), ("roles", roles)):
        for entry in directory.hub.get(key) or []:
            if entry.get("name") in OWN_SERVICES:
                raise ConfigurationError(f"hub.json: {key}: the name {entry['name']!r} is taken by the hub itself")
            token = {"api_token": tokens[entry["name"]]} if key == "services" and entry["name"] in tokens else {}
            own.append({**entry, **token})
    c.JupyterHub.services = services
    c.JupyterHub.load_roles = roles
    c.JupyterHub.extra_handlers = server_log.handlers(str(directory.path))


def _set_spawner(c: Config, directory: Directory) -> None:
    hub = directory.hub
    environments = {name: entry["directory"] for name, entry in hub["environments"].items()}
    homes, runtime, slice_ = Path(hub["homes"]), Path(hub["runtime_directory"]), hub.get("slice") or ""
    where = isolation.Where(directory.path, hub["hub"], homes, runtime, slice_)
    try:
        profiles.validate(hub["profile_list"], environments)
        isolation.create(hub["isolation"], where)
    except profiles.ProfileError as error:
        raise ConfigurationError(f"hub.json: profile_list: {error}") from error
    except isolation.IsolationError as error:
        raise ConfigurationError(str(error)) from error
    c.JupyterHub.spawner_class = ServerSpawner
    c.ServerSpawner.directory = str(directory.path)
    c.ServerSpawner.hub_name = hub["hub"]
    c.ServerSpawner.isolation = hub["isolation"]
    c.ServerSpawner.homes = hub["homes"]
    c.ServerSpawner.runtime_directory = hub["runtime_directory"]
    c.ServerSpawner.slice = slice_
    c.ServerSpawner.environments = environments
    c.ServerSpawner.profile_list = hub["profile_list"]


def run_extra(c: Config, path: Path, private: list[int] | None, names: list[str]) -> None:
    """Runs the operator's Python with c in scope; what goes wrong names file, line and, where it may be told, why.

    private: numbers of the lines that may hold a secret; where nobody has written them down, all of them may.
    names: those on such lines that are no secret.
    """
    if not path.exists():
        return
    scope = {
        "__name__": "hub_jupyterhub_config",
        "__file__": str(path),
        "c": c,
        "get_config": lambda: c,
    }
    text = path.read_text(encoding="utf-8")
    try:
        exec(compile(text, str(path), "exec"), scope)
    except Exception as error:
        lines = text.split("\n")
        hidden = range(1, len(lines) + 1) if private is None else private
        problem = extra.Problem(error, str(path), lines, set(hidden), set(names))
        sys.stderr.write(problem.frames())
        raise ConfigurationError(f"hub_jupyterhub_config ({path}, line {problem.line}): {problem.reason()}") from error


def load(c: Config, path: Path) -> None:
    """All of the configuration; ends the process with code 78 when it is wrong."""
    try:
        directory = Directory(path)
        directory.require_lock()
        configure(c, directory)
        told = (directory.hub.get("private_lines"), directory.hub.get("public_names") or [])
        run_extra(c, path / "config" / "extra.py", *told)
    except (ConfigurationError, KeyError) as error:
        text = f"hub.json: the key {error} is missing" if isinstance(error, KeyError) else str(error)
        sys.stderr.write(f"hubfleet: the hub cannot start: {text}\n")
        sys.stderr.flush()
        raise SystemExit(78) from None
    rotation.start(path, lambda text: print(f"hubfleet: {text}", file=sys.stderr, flush=True))
