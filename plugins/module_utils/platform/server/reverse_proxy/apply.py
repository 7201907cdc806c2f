# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configure, start and observe the reverse proxy of a machine, for the module server_reverse_proxy."""

from __future__ import annotations

import json
import os
import pwd
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from ....common import files
from ....common.errors import HubfleetError
from ..apply.log_tail import last_lines
from ..desired.services import Service
from ..facts.certificates import certificate_digest
from ..facts.listening import is_free, listener
from ..layout import HubLayout, Layout
from ..observe.services import Running, running
from ..supervisor.base import Supervisor, SupervisorError
from .desired import ReverseProxy, Site, caddyfile, reload_command, site_of

_LOG_END = 65536


class ReverseProxyError(HubfleetError):
    """The reverse proxy does not serve what it should; the message contains the reason."""


@dataclass(frozen=True)
class ObservedReverseProxy:
    """The observed state of a reverse proxy.

    settings: digest of the loaded settings. sites: hub -> digest of its loaded site, "" if it is not loaded yet.
    """

    running: Running = Running()
    settings: str = ""
    sites: dict[str, str] = field(default_factory=dict)


def observed_reverse_proxy(layout: Layout) -> ObservedReverseProxy:
    """Return the observed state of a cluster's reverse proxy."""
    loaded = _loaded(layout)
    folder = os.path.join(layout.reverse_proxy, "sites")
    written = {name[: -len(".json")]: "" for name in os.listdir(folder)} if os.path.isdir(folder) else {}
    return ObservedReverseProxy(
        running(HubLayout(layout.reverse_proxy), "reverse-proxy"),
        str(loaded.get("settings", "")),
        {**written, **loaded.get("sites", {})},
    )


def _loaded(layout: Layout) -> dict[str, Any]:
    try:
        found = json.loads(files.read(_loaded_file(layout)) or b"{}")
    except ValueError:  # the machine crashed during the write
        return {}
    return found if isinstance(found, dict) else {}


def _loaded_file(layout: Layout) -> str:
    return HubLayout(layout.reverse_proxy).path("run", "loaded.json")


def taken_by(reverse_proxy: ReverseProxy) -> dict[str, str]:
    """Return the ports of a stopped reverse proxy that another program uses: option -> description."""
    ports = {"cluster_http_port": reverse_proxy.http_port, "cluster_https_port": reverse_proxy.https_port}
    return {
        option: f"port {port} is in use by {listener(port)}"
        for option, port in ports.items()
        if not is_free(reverse_proxy.bind, port)
    }


def serve_site(
    layout: Layout, hub: str, reverse_proxy: ReverseProxy, service: Service, supervisor: Supervisor, timeout: float
) -> list[str]:
    """Let the reverse proxy serve a hub according to its hub.json, and wait until it does; return what changed.

    Raises ReverseProxyError, SupervisorError and OSError.
    """
    site = _desired_site(layout, hub)
    if site is None:
        return remove_site(layout, hub, reverse_proxy, service, supervisor, timeout)
    _make_directories(reverse_proxy)
    tls = _hub_config(layout, hub)["reverse_proxy"].get("tls")
    for name, ending in (("certificate", "pem"), ("key", "key")) if tls else ():
        content = files.read(tls[name]) or b""
        _write_for_account(reverse_proxy, reverse_proxy.path("certificates", f"{site.certificate}.{ending}"), content)
    files.write(reverse_proxy.path("sites", f"{hub}.json"), json.dumps(asdict(site), indent=1).encode())
    changed = _apply(layout, reverse_proxy, service, supervisor, timeout)
    _wait_for_certificate(reverse_proxy, site, timeout)
    return changed


def remove_site(
    layout: Layout, hub: str, reverse_proxy: ReverseProxy, service: Service, supervisor: Supervisor, timeout: float
) -> list[str]:
    """Let the reverse proxy no longer serve a hub; stop it after the last hub. Return what changed.

    Certificates are kept: Let's Encrypt limits how many are issued in a short time.
    """
    path = reverse_proxy.path("sites", f"{hub}.json")
    if os.path.exists(path):
        os.unlink(path)
    if _is_left_alone(reverse_proxy, service, _sites(reverse_proxy)):
        return []
    return _apply(layout, reverse_proxy, service, supervisor, timeout)


def changes_of_site(
    layout: Layout, hub: str, reverse_proxy: ReverseProxy, service: Service, supervisor: Supervisor, served: bool
) -> list[str]:
    """Return what :func:`serve_site` (served) or :func:`remove_site` would return; changes nothing."""
    site = _desired_site(layout, hub) if served else None
    sites = [each for each in _sites(reverse_proxy) if each.hub != hub]
    if site:
        sites = sorted([*sites, site], key=lambda each: each.hub)
    elif _is_left_alone(reverse_proxy, service, sites):
        return []
    return _changes(layout, reverse_proxy, service, supervisor, sites)


def _hub_config(layout: Layout, hub: str) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(files.read(layout.hub(hub).config("hub.json")) or b"{}")
    return config


def _desired_site(layout: Layout, hub: str) -> Site | None:
    """Return the site of the deployed configuration of a hub, or None."""
    config = _hub_config(layout, hub)
    tls = (config.get("reverse_proxy") or {}).get("tls")
    return site_of(config, certificate_digest(tls["certificate"], tls["key"]) if tls else "")


def _is_left_alone(reverse_proxy: ReverseProxy, service: Service, sites: list[Site]) -> bool:
    """Return whether the removal of a site needs no other change; only a deploy starts a stopped reverse proxy."""
    if not os.path.isdir(reverse_proxy.directory):
        return True
    return bool(sites) and not running(service.layout, service.role).pid


def _changes(
    layout: Layout, reverse_proxy: ReverseProxy, service: Service, supervisor: Supervisor, sites: list[Site]
) -> list[str]:
    """Return what differs between the reverse proxy and one that serves ``sites``."""
    if not sites:
        return ["stopped"] if supervisor.needs_stop(service) else []
    changed = []
    if files.read(reverse_proxy.caddyfile) != caddyfile(reverse_proxy, sites).encode():
        changed.append("configuration")
    if supervisor.needs_start(service):
        changed.append("started")
    elif _loaded(layout) != _to_load(reverse_proxy, sites):
        changed.append("reloaded")
    return changed


def _to_load(reverse_proxy: ReverseProxy, sites: list[Site]) -> dict[str, Any]:
    return {"settings": reverse_proxy.settings, "sites": {site.hub: site.digest for site in sites}}


def _apply(
    layout: Layout, reverse_proxy: ReverseProxy, service: Service, supervisor: Supervisor, timeout: float
) -> list[str]:
    """Run Caddy with exactly the sites that are in its directory, or stop it without any; return what changed."""
    sites = _sites(reverse_proxy)
    changed = _changes(layout, reverse_proxy, service, supervisor, sites)
    if not sites:
        supervisor.ensure_stopped(service)
        _remove(_loaded_file(layout))
        _remove(reverse_proxy.caddyfile)
        _clear_certificates(reverse_proxy, sites)
        return changed
    if reverse_proxy.authority:
        _write_for_account(reverse_proxy, reverse_proxy.authority_file, reverse_proxy.authority.encode())
    else:
        _remove(reverse_proxy.authority_file)
    text, before = caddyfile(reverse_proxy, sites).encode(), files.read(reverse_proxy.caddyfile)
    _write_for_account(reverse_proxy, reverse_proxy.caddyfile, text)
    supervisor.ensure_started(service)
    _wait_until_up(reverse_proxy, service, timeout)
    if "reloaded" in changed:
        try:
            _reload(reverse_proxy)
        except ReverseProxyError:
            # The running Caddy keeps its old configuration; restore the file for its next start.
            _write_for_account(reverse_proxy, reverse_proxy.caddyfile, before or text)
            raise
    files.write(_loaded_file(layout), json.dumps(_to_load(reverse_proxy, sites), indent=1).encode())
    _clear_certificates(reverse_proxy, sites)
    return changed


def _sites(reverse_proxy: ReverseProxy) -> list[Site]:
    folder = reverse_proxy.path("sites")
    names = sorted(name for name in os.listdir(folder) if name.endswith(".json")) if os.path.isdir(folder) else []
    return [Site(**json.loads(files.read(os.path.join(folder, name)) or b"{}")) for name in names]


def _make_directories(reverse_proxy: ReverseProxy) -> None:
    """Create the directories; Caddy owns only those that it writes to, so that it cannot redirect our writes."""
    passed = 0o711 if reverse_proxy.account else 0o700
    files.directory(reverse_proxy.directory, passed)
    files.directory(reverse_proxy.path("certificates"), passed)
    for folder in ("sites", "run", "logs"):
        files.directory(reverse_proxy.path(folder), 0o700)
    if not os.path.isdir(reverse_proxy.data):
        os.mkdir(reverse_proxy.data, 0o700)
    if reverse_proxy.account:
        entry = pwd.getpwnam(reverse_proxy.account)
        os.chown(reverse_proxy.data, entry.pw_uid, entry.pw_gid)


def _write_for_account(reverse_proxy: ReverseProxy, path: str, content: bytes) -> None:
    """Write a file that only the account of the reverse proxy may read."""
    files.write(path, content)
    if reverse_proxy.account:
        entry = pwd.getpwnam(reverse_proxy.account)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _remove(path: str) -> None:
    if os.path.exists(path):
        os.unlink(path)


def _clear_certificates(reverse_proxy: ReverseProxy, sites: list[Site]) -> None:
    """Remove copies of certificates and keys that no site uses any more."""
    used = {f"{site.certificate}.{ending}" for site in sites for ending in ("pem", "key")}
    folder = reverse_proxy.path("certificates")
    for name in set(os.listdir(folder)) - used if os.path.isdir(folder) else ():
        os.unlink(os.path.join(folder, name))


def _wait_until_up(reverse_proxy: ReverseProxy, service: Service, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    first = 0
    while True:
        state = running(service.layout, service.role)
        if first and state.pid != first:
            raise SupervisorError(f"the reverse proxy ended while it started: {_last_error(reverse_proxy, service)}")
        first = state.pid if state.digest == service.digest else 0
        if first and _listens(reverse_proxy.local_address, reverse_proxy.https_port):
            return
        if time.monotonic() > deadline:
            words = _last_error(reverse_proxy, service)
            what = "does not answer" if first else "did not start"
            raise SupervisorError(f"the reverse proxy {what} within {timeout:.0f} s: {words}")
        time.sleep(0.1)


def _listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


def _reload(reverse_proxy: ReverseProxy) -> None:
    done = subprocess.run(reload_command(reverse_proxy), capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise ReverseProxyError(
            f"the reverse proxy rejects its configuration: {lines[-1] if lines else 'no error output'}"
        )


def _wait_for_certificate(reverse_proxy: ReverseProxy, site: Site, timeout: float) -> None:
    """Wait until the domain can be reached with TLS; issuing a certificate takes a while."""
    begun = time.time()
    deadline = time.monotonic() + timeout
    while True:
        reason = _handshake(reverse_proxy, site.domain)
        if not reason:
            return
        # Caddy tries again by itself, but only after a minute or more.
        refused = _last_logged(reverse_proxy, lambda said: said.get("ts", 0) > begun and _is_refusal(said, site.domain))
        if refused or time.monotonic() > deadline:
            raise ReverseProxyError(f"the reverse proxy has no certificate for {site.domain}: {refused or reason}")
        time.sleep(0.2)


def _is_refusal(said: dict[str, Any], domain: str) -> bool:
    return said.get("identifier") == domain and said.get("msg") == "could not get certificate from issuer"


def _handshake(reverse_proxy: ReverseProxy, domain: str) -> str:
    """Return why a TLS connection to a domain fails, "" if it succeeds. The issuer is not verified."""
    context = ssl._create_unverified_context()
    try:
        plain = socket.create_connection((reverse_proxy.local_address, reverse_proxy.https_port), timeout=5)
        with plain, context.wrap_socket(plain, server_hostname=domain):
            return ""
    except OSError as error:
        return str(error)


def _last_error(reverse_proxy: ReverseProxy, service: Service) -> str:
    return _last_logged(reverse_proxy, lambda said: True) or last_lines(service) or "no error output"


def _last_logged(reverse_proxy: ReverseProxy, fits: Callable[[dict[str, Any]], bool]) -> str:
    """Return the last matching error in Caddy's log, "" if there is none."""
    try:
        # Caddy's account could replace the file by a link.
        descriptor = os.open(os.path.join(reverse_proxy.data, "caddy.log"), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            file.seek(max(0, file.seek(0, 2) - _LOG_END))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    for line in reversed(lines):
        try:
            said = json.loads(line)
        except ValueError:
            continue  # the first line may be incomplete
        if said.get("level") == "error" and said.get("error") and fits(said):
            return str(said["error"])
    return ""
