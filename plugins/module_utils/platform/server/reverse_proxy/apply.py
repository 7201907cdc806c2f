# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change the front door of a machine, and see what it is: what the module server_front does."""

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
from ..apply.log_tail import last_lines
from ..desired.services import Service
from ..facts.certificates import certificate_digest
from ..facts.listening import is_free, listener
from ..layout import HubLayout, Layout
from ..observe.services import Running, running
from ..supervisor.base import Supervisor, SupervisorError
from .desired import FrontDoor, Site, caddyfile, reload_command, site_of

_LOG_END = 65536


class FrontDoorError(Exception):
    """The front door does not serve what it should; the message says why."""


@dataclass(frozen=True)
class LiveFront:
    """A front door as it is.

    settings: digest of what it was loaded with last. sites: hub -> digest of what it serves of it, "" for nothing yet.
    """

    running: Running = Running()
    settings: str = ""
    sites: dict[str, str] = field(default_factory=dict)


def live_front(layout: Layout) -> LiveFront:
    """Return what the front door of a cluster is."""
    loaded = _loaded(layout)
    folder = os.path.join(layout.front, "sites")
    written = {name[: -len(".json")]: "" for name in os.listdir(folder)} if os.path.isdir(folder) else {}
    return LiveFront(
        running(HubLayout(layout.front), "front"),
        str(loaded.get("settings", "")),
        {**written, **loaded.get("sites", {})},
    )


def _loaded(layout: Layout) -> dict[str, Any]:
    try:
        found = json.loads(files.read(_loaded_file(layout)) or b"{}")
    except ValueError:  # the machine died while it was written
        return {}
    return found if isinstance(found, dict) else {}


def _loaded_file(layout: Layout) -> str:
    return HubLayout(layout.front).path("run", "loaded.json")


def taken_by(front: FrontDoor) -> dict[str, str]:
    """Return the ports of a front door that does not run and that another program has: option -> which, and who."""
    ports = {"cluster_http_port": front.http_port, "cluster_https_port": front.https_port}
    return {
        option: f"port {port} is in use by {listener(port)}"
        for option, port in ports.items()
        if not is_free(front.bind, port)
    }


def open_site(
    layout: Layout, hub: str, front: FrontDoor, service: Service, keeper: Supervisor, timeout: float
) -> list[str]:
    """Let the front door serve a hub as its hub.json says, and wait until it does; return what changed.

    Raises FrontDoorError, SupervisorError and OSError.
    """
    config = json.loads(files.read(layout.hub(hub).config("hub.json")) or b"{}")
    tls = (config.get("front_door") or {}).get("tls")
    own = certificate_digest(tls["certificate"], tls["key"]) if tls else ""
    site = site_of(config, own)
    if site is None:
        return close_site(layout, hub, front, service, keeper, timeout)
    _make_directories(front)
    if tls:
        for name, ending in (("certificate", "pem"), ("key", "key")):
            content = files.read(tls[name]) or b""
            _hand(front, front.path("certificates", f"{own}.{ending}"), content)
    files.write(front.path("sites", f"{hub}.json"), json.dumps(asdict(site), indent=1).encode())
    changed = _apply(layout, front, service, keeper, timeout)
    _wait_for_certificate(front, site, timeout)
    return changed


def close_site(
    layout: Layout, hub: str, front: FrontDoor, service: Service, keeper: Supervisor, timeout: float
) -> list[str]:
    """Let the front door not serve a hub any more; without any hub it ends. Return what changed.

    Its certificates stay: who asks for many in a short time is refused by Let's Encrypt.
    """
    path = front.path("sites", f"{hub}.json")
    if os.path.exists(path):
        os.unlink(path)
    if not os.path.isdir(front.directory):
        return []
    if _sites(front) and not running(service.layout, service.role).pid:
        return []  # what does not run is nobody's to start here; the next deploy does
    return _apply(layout, front, service, keeper, timeout)


def _apply(layout: Layout, front: FrontDoor, service: Service, keeper: Supervisor, timeout: float) -> list[str]:
    """Let Caddy run, or not run, with exactly the sites that are written down."""
    sites = _sites(front)
    loaded = {"settings": front.settings, "sites": {site.hub: site.digest for site in sites}}
    if not sites:
        stopped = keeper.ensure_stopped(service)
        _forget(_loaded_file(layout))
        _forget(front.caddyfile)
        _clear_certificates(front, sites)
        return ["stopped"] if stopped else []
    before = files.read(front.caddyfile)
    text = caddyfile(front, sites).encode()
    changed = ["configuration"] if before != text else []
    if front.authority:
        _hand(front, front.authority_file, front.authority.encode())
    else:
        _forget(front.authority_file)
    _hand(front, front.caddyfile, text)
    started = keeper.ensure_started(service)
    _wait_until_up(front, service, timeout)
    if started:
        changed.append("started")
    elif _loaded(layout) != loaded:
        try:
            _reload(front)
        except FrontDoorError:
            # What runs goes on, and what starts again after it must be the same.
            _hand(front, front.caddyfile, before or text)
            raise
        changed.append("reloaded")
    files.write(_loaded_file(layout), json.dumps(loaded, indent=1).encode())
    _clear_certificates(front, sites)
    return changed


def _sites(front: FrontDoor) -> list[Site]:
    folder = front.path("sites")
    names = sorted(name for name in os.listdir(folder) if name.endswith(".json")) if os.path.isdir(folder) else []
    return [Site(**json.loads(files.read(os.path.join(folder, name)) or b"{}")) for name in names]


def _make_directories(front: FrontDoor) -> None:
    """Make its directories: all but what Caddy writes to belong to who deploys, so that it cannot lead us astray."""
    passed = 0o711 if front.account else 0o700
    files.directory(front.directory, passed)
    files.directory(front.path("certificates"), passed)
    for folder in ("sites", "run", "logs"):
        files.directory(front.path(folder), 0o700)
    if not os.path.isdir(front.data):
        os.mkdir(front.data, 0o700)
    if front.account:
        entry = pwd.getpwnam(front.account)
        os.chown(front.data, entry.pw_uid, entry.pw_gid)


def _hand(front: FrontDoor, path: str, content: bytes) -> None:
    """Write a file that only the account of the front door may read."""
    files.write(path, content)
    if front.account:
        entry = pwd.getpwnam(front.account)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _forget(path: str) -> None:
    if os.path.exists(path):
        os.unlink(path)


def _clear_certificates(front: FrontDoor, sites: list[Site]) -> None:
    """Remove copies of certificates and keys that no site uses any more."""
    used = {f"{site.certificate}.{ending}" for site in sites for ending in ("pem", "key")}
    folder = front.path("certificates")
    for name in set(os.listdir(folder)) - used if os.path.isdir(folder) else ():
        os.unlink(os.path.join(folder, name))


def _wait_until_up(front: FrontDoor, service: Service, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    first = 0
    while True:
        state = running(service.layout, service.role)
        if first and state.pid != first:
            raise SupervisorError(f"the front door ended while it started: {_last_words(front, service)}")
        first = state.pid if state.digest == service.digest else 0
        if first and _listens(front.local_address, front.https_port):
            return
        if time.monotonic() > deadline:
            words = _last_words(front, service)
            what = "does not answer" if first else "did not start"
            raise SupervisorError(f"the front door {what} within {timeout:.0f} s: {words}")
        time.sleep(0.1)


def _listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


def _reload(front: FrontDoor) -> None:
    done = subprocess.run(reload_command(front), capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise FrontDoorError(f"the front door refuses its configuration: {lines[-1] if lines else 'without a word'}")


def _wait_for_certificate(front: FrontDoor, site: Site, timeout: float) -> None:
    """Wait until the domain can be reached with TLS; a certificate that is asked for takes a while to come."""
    begun = time.time()
    deadline = time.monotonic() + timeout
    while True:
        reason = _handshake(front, site.domain)
        if not reason:
            return
        # Caddy tries again by itself, but only after a minute and more.
        refused = _complaint(front, lambda said: said.get("ts", 0) > begun and _is_refusal(said, site.domain))
        if refused or time.monotonic() > deadline:
            raise FrontDoorError(f"the front door has no certificate for {site.domain}: {refused or reason}")
        time.sleep(0.2)


def _is_refusal(said: dict[str, Any], domain: str) -> bool:
    return said.get("identifier") == domain and said.get("msg") == "could not get certificate from issuer"


def _handshake(front: FrontDoor, domain: str) -> str:
    """Return why there is no TLS connection to a domain, "" where there is. Who signed for it is not asked here."""
    context = ssl._create_unverified_context()
    try:
        plain = socket.create_connection((front.local_address, front.https_port), timeout=5)
        with plain, context.wrap_socket(plain, server_hostname=domain):
            return ""
    except OSError as error:
        return str(error)


def _last_words(front: FrontDoor, service: Service) -> str:
    return _complaint(front, lambda said: True) or last_lines(service) or "without a word"


def _complaint(front: FrontDoor, fits: Callable[[dict[str, Any]], bool]) -> str:
    """Return the last error that Caddy logged and that fits, "" for none."""
    try:
        # Its account may put a link there.
        descriptor = os.open(os.path.join(front.data, "caddy.log"), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            file.seek(max(0, file.seek(0, 2) - _LOG_END))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    for line in reversed(lines):
        try:
            said = json.loads(line)
        except ValueError:
            continue  # the first one may have lost its beginning
        if said.get("level") == "error" and said.get("error") and fits(said):
            return str(said["error"])
    return ""
