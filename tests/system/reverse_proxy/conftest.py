# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: a fleet whose hubs people reach by domains that only the test knows."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "verbs"))

from reverse_proxy_fleet import ZONE, Served
from reverse_proxy_visitor import Visitor
from verbs_fleet import CHECKOUT, Fleet, free_ports


@pytest.fixture(scope="session", autouse=True)
def names() -> Iterator[None]:
    """Names of the zone lead to this machine, as they would with DNS; the verbs do not know them."""
    known = socket.getaddrinfo

    def resolve(host: Any, *arguments: Any, **named: Any) -> Any:
        own = isinstance(host, str) and host.endswith(ZONE)
        return known("127.0.0.1" if own else host, *arguments, **named)

    socket.getaddrinfo = resolve
    yield
    socket.getaddrinfo = known


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """Deployed twice, with certificates of Caddy's own authority."""
    if not (CHECKOUT / ".ansible" / "collections").is_dir():
        pytest.skip("this checkout is not set up: scripts/setup")
    if shutil.which("caddy") is None:
        pytest.skip("needs caddy")
    fleet = Fleet("lab", cluster_reverse_proxy="caddy", cluster_certificate_source="internal", cluster_bind="127.0.0.1")
    try:
        for name, tier in (("one", "staging"), ("math", "production"), ("physics", "production")):
            fleet.add(name, tier)
        http = free_ports({variables["hub_port"] for variables in fleet.hubs.values()})
        https = http + 1
        fleet.clusters["lab"].update(cluster_http_port=http, cluster_https_port=https)
        for name, place in (("one", "one{}/"), ("math", "campus{}/math/"), ("physics", "campus{}/physics/")):
            fleet.hubs[name]["hub_url"] = "https://" + place.format(f"{ZONE}:{https}")
        fleet.write()
        first = fleet.use_prebuilt().run("deploy")
        assert first.code == 0, first.output[-8000:]
        authority = fleet.state / "caddy" / "data" / "pki" / "authorities" / "local" / "root.crt"
        yield Served(fleet, Visitor(authority), http, https, first, fleet.run("deploy"))
    finally:
        fleet.end()
