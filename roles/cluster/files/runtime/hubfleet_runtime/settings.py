# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configure JupyterHub by the files in a hub's directory."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from traitlets.config import Config

from hubfleet_runtime import (
    access,
    admin_sudo,
    extra_config,
    files,
    idle_time,
    isolation,
    log_files,
    processes,
    profiles,
    rename_api,
    server_log,
    user_expiry,
    users_api,
)
from hubfleet_runtime.isolation import shared_directories
from hubfleet_runtime.shared import SharedDirectory
from hubfleet_runtime.spawner import ServerSpawner

FORMAT = 1
_OWN_SERVICES: dict[str, list[str]] = {
    "check": ["admin:users", "admin:servers", "tokens", "access:servers", "list:users", "read:hub"],
    "culler": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    "routes": ["proxy"],
    users_api.SERVICE: ["admin:users", "read:servers", "delete:servers"],
}
#: Only with hub_metrics.
_METRICS_SERVICE: dict[str, list[str]] = {"metrics": ["read:metrics"]}


class ConfigurationError(Exception):
    """An error in the hub's configuration; the text names file and key."""


class HubDirectory:
    """The files of a hub, as the collection writes them. All methods raise ConfigurationError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.hub = files.read_json(path / "config" / "hub.json")
            self.secret_settings = files.read_json(path / "config" / "secrets.json")
        except (OSError, ValueError) as error:
            raise ConfigurationError(str(error)) from error
        if self.hub.get("format") != FORMAT:
            raise ConfigurationError(f"{path}/config/hub.json: format {self.hub.get('format')!r}, expected {FORMAT}")

    def secret(self, name: str) -> str:
        """Return a secret that was generated on this machine."""
        try:
            return (self.path / "secrets" / name).read_text(encoding="ascii").strip()
        except OSError as error:
            raise ConfigurationError(str(error)) from error

    def require_lock(self) -> None:
        """Check that this process holds the hub's lock: two hubs must not use one database."""
        if os.environ.get("HUBFLEET_LOCKED_BY") == str(os.getpid()):  # set by launch.py, which becomes the hub
            return
        holder = processes.lock_holder(self.path / "run" / "hub.lock")
        state = f"process {holder} runs this hub" if holder else "it was not started by launch.py"
        raise ConfigurationError(f"{self.path}: refusing to run: {state}")


def configure(c: Config, directory: HubDirectory) -> None:
    """Set everything but hub_jupyterhub_config. Raises ConfigurationError."""
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
    """Merge values into a configuration, key by key."""
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            merge(target[key], value)
        elif isinstance(value, dict) and isinstance(target, Config) and key[:1].isupper():
            merge(target[key], value)  # a class without configuration so far
        else:
            target[key] = value


def _set_network(c: Config, directory: HubDirectory) -> None:
    hub, ports = directory.hub, directory.hub["ports"]
    scheme = "https" if hub.get("tls") else "http"
    address = f"[{hub['bind']}]" if ":" in hub["bind"] else hub["bind"]
    c.JupyterHub.bind_url = f"{scheme}://{address}:{ports['public']}{hub['base_url']}"
    c.JupyterHub.public_url = hub["url"]
    # logs have the addresses of clients, not those of the proxy and the reverse proxy
    c.JupyterHub.trusted_downstream_ips = ["127.0.0.1", "::1"]
    c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{ports['hub']}"
    # the proxy is a separate service, so that servers stay reachable while the hub restarts
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{ports['proxy_api']}"
    c.ConfigurableHTTPProxy.auth_token = directory.secret("proxy_token")
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.last_activity_interval = 60
    # as zero-to-jupyterhub; otherwise a start that fails early can end in an internal error
    c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
    c.JupyterHub.authenticate_prometheus = True


def _set_state(c: Config, directory: HubDirectory) -> None:
    c.JupyterHub.db_url = f"sqlite:///{directory.path}/jupyterhub.sqlite"
    event.listen(Engine, "connect", _keep_journal)
    c.JupyterHub.cookie_secret = bytes.fromhex(directory.secret("cookie_secret"))
    # the only place that JupyterHub reads it from; users' servers do not get it, see ServerSpawner.env_keep
    os.environ["JUPYTERHUB_CRYPT_KEY"] = directory.secret("crypt_key")


def _keep_journal(connection: Any, _record: Any) -> None:
    """Let SQLite keep the space of its journal: without it, nobody can authenticate while the disk is full.

    JupyterHub writes the last activity of a token whenever it is used.
    Source: https://sqlite.org/pragma.html#pragma_journal_mode
    """
    connection.execute("PRAGMA journal_mode = PERSIST").close()


def _set_look(c: Config, directory: HubDirectory) -> None:
    hub = directory.hub
    # the operator's templates come first and override those of the collection
    own = str(Path(__file__).parent / "templates")
    c.JupyterHub.template_paths = [hub["templates"], own] if hub.get("templates") else [own]
    if hub.get("logo"):
        c.JupyterHub.logo_file = hub["logo"]
    c.JupyterHub.template_vars = {"hub_title": hub["title"], **(hub.get("template_vars") or {})}


def _set_services(c: Config, directory: HubDirectory) -> None:
    ours = {**_OWN_SERVICES, **(_METRICS_SERVICE if directory.hub.get("metrics") else {})}
    services = [{"name": name, "api_token": directory.secret(f"{name}_token")} for name in ours]
    roles = [{"name": name, "scopes": scopes, "services": [name]} for name, scopes in ours.items()]
    tokens = directory.secret_settings.get("services") or {}
    environments = directory.secret_settings.get("service_environments") or {}
    for key, own in (("services", services), ("roles", roles)):
        for entry in directory.hub.get(key) or []:
            if entry.get("name") in ours:
                raise ConfigurationError(f"hub.json: {key}: the name {entry['name']!r} is reserved for the hub itself")
            name, secrets = entry["name"], {}
            if key == "services" and name in tokens:
                secrets["api_token"] = tokens[name]
            if key == "services" and name in environments:
                secrets["environment"] = environments[name]
            own.append({**entry, **secrets})
    c.JupyterHub.services = services
    c.JupyterHub.load_roles = roles
    c.JupyterHub.load_groups = directory.hub.get("groups") or {}
    c.JupyterHub.extra_handlers = [
        *server_log.handlers(str(directory.path)),
        *users_api.handlers(),
        *rename_api.handlers(),
    ]


def _set_spawner(c: Config, directory: HubDirectory) -> None:
    hub = directory.hub
    environments = {name: entry["directory"] for name, entry in hub["environments"].items()}
    context = isolation.HubContext(
        directory=directory.path,
        name=hub["hub"],
        homes=Path(hub["homes"]),
        runtime_directory=Path(hub["runtime_directory"]),
        slice=hub.get("slice") or "",
        shared_directories=tuple(
            SharedDirectory.read(name, entry) for name, entry in (hub.get("shared_directories") or {}).items()
        ),
    )
    try:
        profiles.validate(hub["profile_list"], environments)
        admins = ((hub.get("traits") or {}).get("Authenticator") or {}).get("admin_users") or ()
        accounts = admin_sudo.configure(context, hub["isolation"], admins if hub.get("admin_sudo") else ())
        context = replace(context, sudo_accounts=accounts)
        backend = isolation.create(hub["isolation"], context)
        shared_directories.prepare(backend, list((hub.get("files") or {}).values()))
    except profiles.ProfileError as error:
        raise ConfigurationError(f"hub.json: profile_list: {error}") from error
    except isolation.IsolationError as error:
        raise ConfigurationError(str(error)) from error
    c.JupyterHub.spawner_class = ServerSpawner
    c.ServerSpawner.hub_context = context
    c.ServerSpawner.isolation = hub["isolation"]
    c.ServerSpawner.environments = environments
    c.ServerSpawner.profile_list = hub["profile_list"]
    c.ServerSpawner.user_packages = hub["user_packages"]
    c.ServerSpawner.server_settings = hub.get("server_settings") or {}


def _mark_services(c: Config, path: Path) -> None:
    """Let managed services, also those of hub_jupyterhub_config, be found after their hub was killed."""
    for service in c.JupyterHub.services:
        if isinstance(service, dict) and service.get("command"):
            service["environment"] = {**(service.get("environment") or {}), processes.SERVICE_OF: str(path)}


def _set_login(c: Config, path: Path) -> None:
    """Protect accounts of NativeAuthenticator and PAMAuthenticator, also where hub_jupyterhub_config selects them."""
    configured = str(c.JupyterHub.get("authenticator_class"))
    # other hubs need not wait for these modules
    if "native" in configured:
        from hubfleet_runtime import native_login

        native_login.configure(c, path / "first-passwords")
    elif "pam" in configured.lower():
        from hubfleet_runtime import pam_login

        pam_login.configure(c)


def load(c: Config, path: Path) -> None:
    """Configure the hub in a directory; exit with code 78 if the configuration is wrong."""
    try:
        directory = HubDirectory(path)
        directory.require_lock()
        configure(c, directory)
        hub = directory.hub
        extra_config.run(c, path / "config" / "extra.py", hub.get("private_lines"), hub.get("public_names") or [])
        _set_login(c, path)
        if hub.get("user_expiry"):
            user_expiry.configure(c, hub["user_expiry"])
        idle_time.configure(c)
        access.configure(c, bool(hub.get("keep_panel_grants")))
        _mark_services(c, path)
    except (ConfigurationError, extra_config.ExtraConfigError, KeyError) as error:
        text = f"hub.json: the key {error} is missing" if isinstance(error, KeyError) else str(error)
        sys.stderr.write(f"hubfleet: the hub cannot start: {text}\n")
        sys.stderr.flush()
        raise SystemExit(78) from None
    log_files.rotate_in_background(path, lambda text: print(f"hubfleet: {text}", file=sys.stderr, flush=True))
