# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reverse proxy: what Caddy reads, and what is refused before it reads anything."""

from __future__ import annotations

import dataclasses
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.hub import (
    DesiredHub,
    DesiredReverseProxy,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.services import (
    Service,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.listening import (
    is_free,
    listener,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.machine import Machine
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.facts.system import System
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.hub import (
    ObservedHub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.services import (
    Running,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.reverse_proxy.apply import (
    ObservedReverseProxy,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.reverse_proxy.desired import (
    LETS_ENCRYPT,
    ReverseProxy,
    Site,
    caddyfile,
    desired_reverse_proxy,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.cluster_options import (
    CLUSTER_OPTIONS,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.diffs import diff_of, texts

ROOT = Machine(
    root=True,
    home="/root",
    system=System("Debian GNU/Linux 12", "apt-get install"),
    systemd=False,
    user_systemd=False,
    bubblewrap=False,
    control_groups=False,
    kernel="6.1",
    node=None,
    caddy="/usr/bin/caddy",
    caddy_version="2.6.2",
)
ORDINARY = dataclasses.replace(ROOT, root=False, home="/home/ada")
ONE = Site("one", "one.example.org", "one.example.org", "/", 8000)
MATH = Site("math", "campus.example.org", "campus.example.org:8443", "/math/", 8100)
PHYSICS = Site("physics", "campus.example.org", "campus.example.org:8443", "/physics/", 8200)


def door(machine: Machine = ROOT, authority: str = "", state: str = "/srv/hubs", **options: object) -> ReverseProxy:
    defaults = {option.name: option.default for option in CLUSTER_OPTIONS}
    given = {"cluster_reverse_proxy": "caddy", **options}
    return desired_reverse_proxy({**defaults, **given}, authority, Layout(state), machine)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cluster_certificate_source": "internal", "cluster_bind": "::1"},
        {"cluster_certificate_source": "own", "cluster_http_port": 8080, "cluster_https_port": 8443},
        {"cluster_acme_directory": "https://acme.example.org/directory", "cluster_acme_contact": "it@example.org"},
    ],
)
@pytest.mark.skipif(shutil.which("caddy") is None, reason="needs caddy")
def test_caddy_understands_it(options: dict[str, object], tmp_path: Path) -> None:
    own = dataclasses.replace(ONE, certificate="0123")
    text = caddyfile(door(state=f'{tmp_path}/a "b" c', **options), [MATH, own, PHYSICS])
    path = tmp_path / "Caddyfile"
    path.write_text(text)
    adapt = ["caddy", "adapt", "--adapter", "caddyfile", "--config", str(path)]
    done = subprocess.run(adapt, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for port in (8000, 8100, 8200):
        assert f"127.0.0.1:{port}" in done.stdout


def test_one_hub_has_all_of_its_domain() -> None:
    text = caddyfile(door(), [ONE])
    assert "one.example.org {\n\theader -Server\n\treverse_proxy 127.0.0.1:8000 {" in text
    assert "redir https://one.example.org{uri} 308" in text
    assert f'acme_ca "{LETS_ENCRYPT}"' in text
    assert "handle" not in text


def test_hubs_of_one_domain_have_their_paths() -> None:
    text = caddyfile(door(), [PHYSICS, MATH])
    assert text.count("campus.example.org {") == 2, "with TLS, and without"
    assert text.index("handle /math/*") < text.index("handle /physics/*")
    assert "redir /math /math/" in text
    assert "redir https://campus.example.org:8443{uri} 308" in text


def test_the_order_of_hubs_changes_nothing() -> None:
    assert caddyfile(door(), [ONE, MATH, PHYSICS]) == caddyfile(door(), [PHYSICS, ONE, MATH])


def test_ordinary_users_have_no_low_ports() -> None:
    with pytest.raises(PlatformError, match="port 80 needs root; deploy as root, or set .* to 1024 or more"):
        door(ORDINARY)
    assert door(dataclasses.replace(ORDINARY, unprivileged_ports=0)).https_port == 443


def test_a_socket_must_fit() -> None:
    with pytest.raises(PlatformError, match="too long for a socket"):
        door(state="/srv/" + "x" * 100)


def test_other_settings_are_another_reverse_proxy() -> None:
    assert door().settings != door(cluster_acme_contact="it@example.org").settings
    assert door().settings != door(dataclasses.replace(ROOT, caddy_version="2.10.0")).settings
    assert door(authority="A").settings != door(authority="B").settings


def test_tells_who_has_a_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        assert not is_free("127.0.0.1", port)
        assert not is_free("", port)
        assert is_free("127.0.0.2", port)
        assert f"(process {os.getpid()})" in listener(port)
    assert is_free("127.0.0.1", port)


SERVICE = Service("lab-reverse-proxy", "reverse-proxy", "/srv/hubs/caddy", ("caddy",), "wanted")
RUNS = Running(812, "wanted")


@pytest.mark.parametrize(
    ("site", "live", "reason"),
    [
        (ONE, ObservedReverseProxy(RUNS, door().settings, {"one": ONE.digest}), None),
        (ONE, ObservedReverseProxy(Running(), door().settings, {"one": ONE.digest}), "reverse proxy not running"),
        (
            ONE,
            ObservedReverseProxy(Running(812, "other"), door().settings, {"one": ONE.digest}),
            "reverse proxy to restart",
        ),
        (ONE, ObservedReverseProxy(RUNS, "other", {"one": ONE.digest}), "reverse proxy to reload"),
        (ONE, ObservedReverseProxy(RUNS, door().settings, {"one": "other"}), "reverse proxy to reload"),
        (ONE, ObservedReverseProxy(RUNS, door().settings, {}), "reverse proxy to reload"),
        (None, ObservedReverseProxy(RUNS, door().settings, {"one": ONE.digest}), "reverse proxy to close"),
        (None, ObservedReverseProxy(RUNS, door().settings, {"math": MATH.digest}), None),
    ],
)
def test_plans_what_is_to_be_done_to_it(site: Site | None, live: ObservedReverseProxy, reason: str | None) -> None:
    desired = DesiredHub("one", {}, {}, "", reverse_proxy=DesiredReverseProxy(door(), SERVICE, site))
    found = texts(diff_of(desired, ObservedHub(config={}), [], live))
    assert [each for each in found if "reverse proxy" in each] == ([reason] if reason else [])


def test_a_hub_is_another_with_another_reverse_proxy() -> None:
    def fingerprint(reverse_proxy: ReverseProxy, site: Site | None = ONE) -> str:
        return DesiredHub(
            "one", {}, {}, "", reverse_proxy=DesiredReverseProxy(reverse_proxy, SERVICE, site)
        ).fingerprint

    assert fingerprint(door()) != fingerprint(door(cluster_https_port=8443))
    assert fingerprint(door()) != fingerprint(door(), dataclasses.replace(ONE, certificate="renewed"))
    assert fingerprint(door(), None) == fingerprint(door(cluster_https_port=8443), None)
