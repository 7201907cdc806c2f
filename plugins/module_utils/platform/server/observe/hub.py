# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hubs on a machine are: one read for all of them."""

from __future__ import annotations

import dataclasses
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
from ....common.digests import digest
from ..layout import SERVICES, HubLayout, Layout
from ..redacted import HubContent
from ..revisions.history import Record, newest
from .access import PanelChanges, panel_changes
from .accounts import signed_up
from .services import Running, failed_services, running

HEALTH_TIMEOUT = 5.0


@dataclass
class ObservedHub:
    """A hub as it is.

    config: content of hub.json, or None if the hub does not exist.
    files: relative path -> SHA-256 of the files below config/.
    secrets: names of the generated secrets that are there.
    healthy: the hub has finished its start, and answers through its proxy.
    checked: digest of the hub that passed its last check.
    record: the last deploy, None if it was not recorded.
    extra: content of extra.py without the lines that may hold a secret.
    panel: what people changed in JupyterHub's admin panel.
    signed_up: names of native accounts whose users signed up themselves.
    """

    config: dict[str, Any] | None = None
    files: dict[str, str] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    services: dict[str, Running] = field(default_factory=dict)
    healthy: bool = False
    checked: str = ""
    record: Record | None = None
    extra: str = ""
    panel: PanelChanges = field(default_factory=PanelChanges)
    signed_up: list[str] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """Digest of the observed hub; it changes when anybody changes or deploys the hub.

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
            "panel": dataclasses.asdict(self.panel),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ObservedHub:
        """Return what :meth:`as_dict` was made from."""
        record = values["record"]
        more = {
            "secrets": frozenset(values["secrets"]),
            "services": {role: Running(**service) for role, service in values["services"].items()},
            "record": Record(**record) if record else None,
            "panel": PanelChanges(**values["panel"]),
        }
        return cls(**{**values, **more})


def observe_hubs(names: list[str], layout: Layout) -> dict[str, ObservedHub]:
    """Return every hub in ``names``; all that run are asked for their health at once."""
    found = {name: _observe_hub(layout.hub(name)) for name in names}
    asked = [
        hub
        for name, hub in found.items()
        if hub.config
        and all(hub.services[role].pid for role in ("proxy", "hub"))
        and failed_services(layout.hub(name)) is not None
    ]
    with ThreadPoolExecutor(max_workers=16) as pool:
        for hub, healthy in zip(asked, pool.map(lambda hub: answers(hub.config or {}), asked)):
            hub.healthy = healthy
    return found


def _observe_hub(layout: HubLayout) -> ObservedHub:
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
        panel=panel_changes(layout),
        signed_up=signed_up(layout),
    )


def file_digests(directory: str) -> dict[str, str]:
    """Return relative path -> SHA-256 of every file below ``directory``."""
    found = {}
    for folder, _folders, names in os.walk(directory):
        for name in names:
            path = f"{folder}/{name}"
            found[path[len(directory) + 1 :]] = files.sha256(path)
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


def ports_in_use(ports: Iterable[int], hub: ObservedHub) -> list[int]:
    """Return which of the ports that the hub needs some other program of the machine listens on.

    Ports that the hub's own running services listen on already are not asked about.
    """
    own = {
        (hub.config or {}).get("ports", {}).get(name)
        for name, role in (("public", "proxy"), ("proxy_api", "proxy"), ("proxy_metrics", "proxy"), ("hub", "hub"))
        if hub.services.get(role, Running()).pid
    }
    return sorted(port for port in set(ports) - own if _listens(port))


def _listens(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
