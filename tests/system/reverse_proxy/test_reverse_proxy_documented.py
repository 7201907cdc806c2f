# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/reverse-proxy.md says of other web servers, run word for word but for names, ports and files."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from reverse_proxy_authority import Authority
from reverse_proxy_fleet import Served
from verbs_fleet import CHECKOUT, free_ports, wait_for

DOCUMENT = CHECKOUT / "docs" / "reverse-proxy.md"


def snippet(language: str) -> str:
    """Return the block of the document in a language."""
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def public_port(served: Served) -> Iterator[int]:
    """The port of somebody else's web server, before the hub ``one``; the reverse proxy is closed meanwhile."""
    fleet = served.fleet
    before = dict(fleet.hubs["one"]), dict(fleet.clusters["lab"])
    port = free_ports({variables["hub_port"] for variables in fleet.hubs.values()})
    authority = Authority(fleet.directory / "documented")
    authority.sign("localhost", days=60)
    fleet.succeed("stop")
    fleet.clusters["lab"] = {
        key: value for key, value in before[1].items() if not key.startswith(("cluster_reverse_proxy", "cluster_http"))
    }
    for key in ("cluster_certificate_source", "cluster_bind"):
        fleet.clusters["lab"].pop(key)
    fleet.set(cluster_certificate_authority=str(authority.file))
    fleet.set("one", hub_url=f"https://localhost:{port}/")
    for name in ("math", "physics"):
        fleet.hubs[name]["saved"] = fleet.hubs[name].pop("hub_url")
    saved = {name: fleet.hubs[name].pop("saved") for name in ("math", "physics")}
    fleet.write()
    fleet.succeed("deploy", "--skip-tags", "check", "--limit", "one")
    yield port
    fleet.succeed("stop")
    for name, url in saved.items():
        fleet.hubs[name]["hub_url"] = url
    fleet.hubs["one"], fleet.clusters["lab"] = before
    fleet.write()
    fleet.succeed("deploy", "--skip-tags", "check")


def nginx(folder: Path, text: str, port: int, hub_port: int) -> tuple[list[str], str]:
    inner = text.replace("443 ssl", f"127.0.0.1:{port} ssl").replace("hub.example.org", "localhost")
    inner = inner.replace("127.0.0.1:8000", f"127.0.0.1:{hub_port}").replace("/etc/ssl/hub.", f"{folder}/localhost.")
    places = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    head = f"daemon off;\nuser root;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
    whole = f"{head}http {{\naccess_log off;\n{places}{inner}}}\n"
    return ["nginx", "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"], whole


def caddy(folder: Path, text: str, port: int, hub_port: int) -> tuple[list[str], str]:
    inner = text.replace("127.0.0.1:8000", f"127.0.0.1:{hub_port}")
    own = f"https://localhost:{port} {{\n\tbind 127.0.0.1\n\ttls {folder}/localhost.pem {folder}/localhost.key"
    inner = inner.replace("hub.example.org {", own)
    settings = "{\nadmin off\nauto_https disable_redirects\nskip_install_trust\n}\n"
    return ["caddy", "run", "--adapter", "caddyfile", "--config", f"{folder}/caddy.conf"], settings + inner


@pytest.mark.parametrize(("language", "made"), [("nginx", nginx), ("caddyfile", caddy)], ids=["nginx", "caddy"])
def test_people_come_through_it(
    served: Served,
    public_port: int,
    language: str,
    made: Callable[[Path, str, int, int], tuple[list[str], str]],
) -> None:
    folder = served.fleet.directory / "documented"
    command, text = made(folder, snippet(language), public_port, served.fleet.hubs["one"]["hub_port"])
    if shutil.which(command[0], path="/usr/sbin:/usr/bin") is None:
        pytest.skip(f"needs {command[0]}")
    (folder / f"{command[0]}.conf").write_text(text)
    homes = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(folder))
    with (folder / f"{command[0]}.log").open("wb") as log:
        server = subprocess.Popen(
            command, env={"PATH": "/usr/sbin:/usr/bin", **homes}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_for(command[0], lambda: _listens(public_port), patience=20)
        # It starts a server and runs code in a kernel, over a WebSocket.
        result = served.fleet.succeed("check", "--limit", "one")
        assert re.search(r"^one +python/small +ok", result.output, re.MULTILINE)
        hub = served.fleet.hub("one")
        status, _text = hub.request("PUT", "hub/api/nothing", "", {"large": "x" * (30 * 1024 * 1024)})
        assert status in (403, 404), "the hub's answer, not the web server's"
        spoofed = {"X-Forwarded-For": "192.0.2.1", "X-Real-Ip": "192.0.2.2"}
        hub_log = hub.directory / "logs" / "hub.log"
        served.visitor.get(
            f"{hub.url}hub/by-{command[0]}", spoofed, "127.0.0.9", Authority.trusting(folder / "authority.pem")
        )
        came = re.compile(rf"GET /hub/by-{command[0]} .*\(@127\.0\.0\.9\)")
        wait_for("the line of the log", lambda: came.search(hub_log.read_text()), patience=10)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
