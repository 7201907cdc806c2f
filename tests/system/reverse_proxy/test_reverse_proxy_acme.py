# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates from an ACME server: another Caddy, which asks on the real ports whether the domain is ours."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from reverse_proxy_fleet import Served
from verbs_fleet import free_ports, wait_for

#: An address of this machine that nobody else uses; ACME servers know no other ports than 80 and 443.
ADDRESS = "127.77.0.1"
DOMAIN = "acme.hubs.test"


@dataclass(frozen=True)
class Acme:
    """A running ACME server."""

    directory: str
    authority: Path


@pytest.fixture(scope="module")
def acme(served: Served) -> Iterator[Acme]:
    """An ACME server that knows where the domain is, as it would from DNS."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for ports 80 and 443 and for hosts of its own")
    for port in (80, 443):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ADDRESS, port))
            except OSError as error:
                pytest.skip(f"port {port} is not free here: {error}")
    folder = served.fleet.directory / "acme"
    folder.mkdir(mode=0o700)
    port = free_ports({variables["hub_port"] for variables in served.fleet.hubs.values()})
    (folder / "hosts").write_text(f"127.0.0.1 localhost\n{ADDRESS} {DOMAIN}\n")
    (folder / "Caddyfile").write_text(
        f"""{{
            admin off
            skip_install_trust
            local_certs
            storage file_system {folder}/data
            http_port {port + 1}
            auto_https disable_redirects
        }}
        https://localhost:{port} {{
            bind 127.0.0.1
            acme_server
        }}"""
    )
    run = f"mount --bind {folder}/hosts /etc/hosts && exec caddy run --adapter caddyfile --config {folder}/Caddyfile"
    homes = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(folder))
    command = ["unshare", "--mount", "sh", "-c", run]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env={**os.environ, **homes}, stdout=log, stderr=log, start_new_session=True)
    authority = folder / "data" / "pki" / "authorities" / "local" / "root.crt"
    try:
        wait_for("the ACME server", lambda: authority.exists() and _answers(port, authority))
        yield Acme(f"https://localhost:{port}/acme/local/directory", authority)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)
        shutil.rmtree(folder)


def _answers(port: int, authority: Path) -> bool:
    try:
        context = ssl.create_default_context(cafile=str(authority))
        with (
            socket.create_connection(("localhost", port)) as plain,
            context.wrap_socket(plain, server_hostname="localhost"),
        ):
            return True
    except OSError:
        return False


@pytest.mark.slow
def test_gets_a_certificate(served: Served, acme: Acme) -> None:
    fleet = served.fleet
    before = {key: fleet.clusters["lab"].get(key) for key in ("cluster_http_port", "cluster_https_port")}
    try:
        # The others would want certificates for domains that the ACME server does not know.
        fleet.succeed("stop", "--limit", "math,physics")
        fleet.set(
            cluster_certificate_source="acme",
            cluster_acme_directory=acme.directory,
            cluster_acme_contact="it@example.org",
            cluster_certificate_authority=str(acme.authority),
            cluster_bind=ADDRESS,
            cluster_http_port=None,
            cluster_https_port=None,
        )
        fleet.set("one", hub_url=None, hub_domain=DOMAIN)
        result = fleet.succeed("deploy", "--limit", "one")
        assert result.outcomes()["one"] == "deployed"
        assert "one: the name acme.hubs.test cannot be resolved here" in result.output
        kept = fleet.state / "caddy" / "data" / "certificates"
        assert list(kept.glob(f"localhost-*/{DOMAIN}/{DOMAIN}.crt")), list(kept.rglob("*"))
        assert fleet.succeed("deploy", "--limit", "one").changed() == 0
        # Another domain, and nobody who makes certificates: what Caddy says reaches the operator.
        fleet.set(cluster_acme_directory="https://localhost:9/directory")
        fleet.set("one", hub_domain="foreign.hubs.test")
        refused = fleet.run("deploy", "--limit", "one")
        assert refused.code != 0
        assert re.search(r"no certificate for foreign\.hubs\.test: .*connection refused", refused.output)
        # The hub went back to its domain, the reverse proxy to the authority that it has a certificate from.
        assert fleet.hub("one").url == f"https://{DOMAIN}/"
        assert refused.outcomes()["one"].startswith("rolled back "), refused.output
        assert re.search("^one +python/small +ok", refused.output, re.MULTILINE), refused.output
        loaded = (fleet.state / "caddy" / "Caddyfile").read_text()
        assert acme.directory in loaded and "localhost:9/" not in loaded and "foreign.hubs.test" not in loaded
    finally:
        fleet.set(
            cluster_certificate_source="internal",
            cluster_acme_directory=None,
            cluster_acme_contact=None,
            cluster_certificate_authority=None,
            cluster_bind="127.0.0.1",
            **before,
        )
        fleet.set("one", hub_domain=None, hub_url=f"https://one.hubs.test:{served.https}/")
        fleet.succeed("deploy", "--skip-tags", "check")
