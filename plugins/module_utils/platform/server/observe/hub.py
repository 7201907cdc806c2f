# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hubs on a machine are: one read for all of them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ....common import files
from ....fleet.changes import CREATE, DRIFTED, UNCHANGED, UPDATE, Change
from ..desired.environments import digest
from ..desired.hub import DesiredHub
from ..facts.gather import file_digest
from ..layout import SERVICES, HubLayout, Layout
from ..redacted import HubContent, mask_change
from ..reverse_proxy.apply import ObservedReverseProxy
from ..revisions.history import APPLYING, Record, newest
from .services import Running, running

HEALTH_TIMEOUT = 5.0

#: Fields of history.Record that say what a hub runs from, in words.
VERSIONS = {"jupyterhub": "JupyterHub", "proxy": "proxy", "python": "Python"}


@dataclass
class ObservedHub:
    """A hub as it is.

    config: content of hub.json, or None where there is no hub.
    files: relative path -> SHA-256 of the files below config/.
    secrets: names of the generated secrets that are there.
    healthy: the hub answers through its proxy.
    checked: digest of the hub that passed its last check.
    record: what was deployed last, None where nobody wrote it down.
    extra: content of extra.py without the lines that may hold a secret.
    """

    config: dict[str, Any] | None = None
    files: dict[str, str] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    services: dict[str, Running] = field(default_factory=dict)
    healthy: bool = False
    checked: str = ""
    record: Record | None = None
    extra: str = ""

    @property
    def fingerprint(self) -> str:
        """Digest of the hub as it is; another one when somebody has changed or deployed it meanwhile.

        What runs is not part of it: services end and are started again by their supervisor at any time.
        """
        if self.config is None:
            return ""
        return digest([self.files, sorted(self.secrets), self.record.number if self.record else 0])

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return {
            **{each.name: getattr(self, each.name) for each in dataclasses.fields(self)},
            "secrets": sorted(self.secrets),
            "services": {role: dataclasses.asdict(service) for role, service in self.services.items()},
            "record": self.record.as_dict() if self.record else None,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ObservedHub:
        """Return what :meth:`as_dict` was made from."""
        record = values["record"]
        more = {
            "secrets": frozenset(values["secrets"]),
            "services": {role: Running(**service) for role, service in values["services"].items()},
            "record": Record(**record) if record else None,
        }
        return cls(**{**values, **more})


def live_hubs(names: list[str], layout: Layout) -> dict[str, ObservedHub]:
    """Return every hub in ``names``; health is asked of all running hubs at once."""
    found = {name: _live_hub(layout.hub(name)) for name in names}
    asked = [hub for hub in found.values() if hub.config and all(hub.services[role].pid for role in ("proxy", "hub"))]
    with ThreadPoolExecutor(max_workers=16) as pool:
        for hub, healthy in zip(asked, pool.map(lambda hub: answers(hub.config or {}), asked)):
            hub.healthy = healthy
    return found


def _live_hub(layout: HubLayout) -> ObservedHub:
    try:
        with open(layout.config("hub.json"), encoding="utf-8") as file:
            config = json.load(file)
    except (OSError, ValueError):
        config = None
    return ObservedHub(
        config=config,
        files=file_digests(layout.path("config")),
        secrets=frozenset(os.listdir(layout.path("secrets"))) if os.path.isdir(layout.path("secrets")) else frozenset(),
        services={role: running(layout, role) for role in SERVICES},
        checked=(files.read(layout.checked) or b"").decode(),
        record=newest(layout),
        extra=HubContent.read(config, (files.read(layout.config("extra.py")) or b"").decode(errors="replace")).code,
    )


def file_digests(directory: str) -> dict[str, str]:
    """Return relative path -> SHA-256 of every file below ``directory``."""
    found = {}
    for folder, _folders, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, directory)] = file_digest(path)
    return found


def answers(config: dict[str, Any]) -> bool:
    """Tell whether a hub answers at its health address through its proxy."""
    scheme = "https" if config.get("tls") else "http"
    bind = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config["bind"], config["bind"])
    bind = f"[{bind}]" if ":" in bind else bind
    return _is_healthy(f"{scheme}://{bind}:{config['ports']['public']}{config['base_url']}")


def answers_itself(config: dict[str, Any]) -> bool:
    """Tell whether a hub answers when it is asked past its proxy."""
    return _is_healthy(f"http://127.0.0.1:{config['ports']['hub']}{config['base_url']}")


def _is_healthy(url: str) -> bool:
    # Whether the certificate suits the name is a question of the check, not of health.
    context = ssl._create_unverified_context() if url.startswith("https:") else None
    handlers = [urllib.request.ProxyHandler({})] + ([urllib.request.HTTPSHandler(context=context)] if context else [])
    try:
        with urllib.request.build_opener(*handlers).open(f"{url}hub/health", timeout=HEALTH_TIMEOUT) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def taken_ports(ports: Iterable[int], live: ObservedHub) -> list[int]:
    """Return which of the ports that the hub needs some other program of the machine listens on.

    Ports that the hub's own running services listen on already are not asked about.
    """
    own = {
        (live.config or {}).get("ports", {}).get(name)
        for name, role in (("public", "proxy"), ("proxy_api", "proxy"), ("proxy_metrics", "proxy"), ("hub", "hub"))
        if live.services.get(role, Running()).pid
    }
    return sorted(port for port in set(ports) - own if _listens(port))


def _listens(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def change_of(
    desired: DesiredHub, live: ObservedHub, missing: list[str], reverse_proxy: ObservedReverseProxy | None = None
) -> Change:
    """Compare a hub with what it should be; ``missing`` names builds that are not there."""
    reasons = [*_version_reasons(desired, live), *(f"{name} to build" for name in missing)]
    fingerprints = {"desired": desired.fingerprint, "live": live.fingerprint}
    if live.config is None:
        return Change(desired.name, CREATE, ["new", *reasons], "", desired.shown(), **fingerprints)
    reasons += _file_reasons(desired, live)
    for service in desired.services:
        state = live.services[service.role]
        if not state.pid:
            reasons.append(f"{service.role} not running")
        elif state.digest != service.digest:
            reasons.append(f"{service.role} to restart")
    reasons += _reverse_proxy_reasons(desired, reverse_proxy or ObservedReverseProxy())
    if not reasons and not live.healthy:
        reasons.append("does not answer")
    action = UPDATE if reasons else UNCHANGED
    if reasons and _is_deployed(desired, live):
        action = DRIFTED
    elif reasons and live.record and live.record.result != APPLYING and live.files != live.record.files:
        reasons.append("changed on the machine, too")
    if not reasons and live.checked != desired.digest:
        action, reasons = UPDATE, ["not checked"]
    found, wanted = HubContent(live.config, live.extra), desired.content()
    texts = mask_change(desired.redactor, found, wanted) if found != wanted else ("", "")
    return Change(desired.name, action, reasons, *texts, **fingerprints)


def _reverse_proxy_reasons(desired: DesiredHub, live: ObservedReverseProxy) -> list[str]:
    """Return what is to be done to the reverse proxy for a hub."""
    reverse_proxy = desired.reverse_proxy
    if reverse_proxy is None:
        return []
    if reverse_proxy.site is None:
        return ["reverse proxy to close"] if desired.name in live.sites else []
    if not live.running.pid:
        return ["reverse proxy not running"]
    if live.running.digest != reverse_proxy.service.digest:
        return ["reverse proxy to restart"]
    same = live.settings == reverse_proxy.door.settings and live.sites.get(desired.name) == reverse_proxy.site.digest
    return [] if same else ["reverse proxy to reload"]


def _is_deployed(desired: DesiredHub, live: ObservedHub) -> bool:
    """Tell whether what the hub should be was deployed to the end already: then something else has changed it since."""
    record = live.record
    return record is not None and record.result != APPLYING and record.fingerprint == desired.fingerprint


def _version_reasons(desired: DesiredHub, live: ObservedHub) -> list[str]:
    """Return which versions change; nothing where nobody wrote down what runs."""
    before = live.record.as_dict() if live.record and live.record.result != APPLYING else {}
    return versions_changed({name: str(before.get(name) or "") for name in desired.versions}, desired.versions)


def versions_changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return a phrase such as "JupyterHub 5.5.4 → 6.1.1" for each version that is another one."""
    return [
        f"{words} {before[name]} → {after[name]}"
        for name, words in VERSIONS.items()
        if before.get(name) and before[name] != after.get(name)
    ]


def newer_database(desired: DesiredHub, live: ObservedHub) -> str:
    """Return the version of JupyterHub whose database the hub has, where it could not be read; else "".

    upgrade-db leads forward only, and a database belongs to a minor version.
    """
    record = live.record
    if record is None or record.result == APPLYING:  # it may not have come to the database yet: the deploy finds out
        return ""
    newer = _minor(record.jupyterhub) > _minor(desired.versions["jupyterhub"])
    return record.jupyterhub if newer else ""


def _minor(version: str) -> list[int]:
    return [int(part) for part in version.split(".")[:2] if part.isdigit()]


def _file_reasons(desired: DesiredHub, live: ObservedHub) -> list[str]:
    reasons = []
    expected = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in config_files(desired).items()}
    if expected["hub.json"] != live.files.get("hub.json"):
        reasons.append("configuration")
    if expected["secrets.json"] != live.files.get("secrets.json"):
        reasons.append("secrets")
    if expected["extra.py"] != live.files.get("extra.py"):
        reasons.append("hub_jupyterhub_config")
    present = {name: value for name, value in live.files.items() if name not in expected}
    if present != desired.copied:
        reasons.append("templates or logo")
    if set(desired.generated) - live.secrets:
        reasons.append("generated secrets")
    return reasons


def config_files(desired: DesiredHub) -> dict[str, str]:
    """Return the files below config/ that are written from text, by name."""
    return {
        "hub.json": desired.config_text(),
        "secrets.json": json.dumps(desired.secrets, indent=2, sort_keys=True) + "\n",
        "extra.py": desired.extra,
    }
