# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reverse proxy of a machine: one Caddy per cluster, which brings people from the domains of hubs to their proxies.

What it serves is a site per hub. Caddy reads a Caddyfile made from all of them.
Source: https://caddyserver.com/docs/caddyfile; written for 2.6.2, which Debian and Ubuntu have.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

from ....common.digests import digest
from ...base import PlatformError
from ..facts.machine import REVERSE_PROXY_ACCOUNT, Machine
from ..layout import Layout

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
#: The path of a socket may have 107 characters (unix(7)).
_LONGEST_SOCKET = 107


@dataclass(frozen=True)
class ReverseProxy:
    """A reverse proxy as the inventory and the machine have it.

    wanted: the inventory asks for it; else it only serves what is left of it. directory: everything of it.
    program, version: Caddy, "" where it is not there. account: what it runs as, "" for the account that deploys.
    bind: "" for every address. acme: address of the ACME server. authority: certificates (PEM) that it trusts there.
    """

    wanted: bool
    directory: str
    program: str
    version: str
    account: str
    bind: str
    http_port: int
    https_port: int
    certificates: str
    contact: str
    acme: str
    authority: str

    @property
    def settings(self) -> str:
        """Digest of everything that is the same for all sites."""
        return digest(asdict(self))

    @property
    def local_address(self) -> str:
        """Where the machine itself reaches it."""
        return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.bind, self.bind)

    def path(self, *parts: str) -> str:
        """Return a path below its directory."""
        return os.path.join(self.directory, *parts)

    @property
    def caddyfile(self) -> str:
        """What Caddy reads."""
        return self.path("Caddyfile")

    @property
    def data(self) -> str:
        """What Caddy writes: its certificates, keys and log. The only place of its account."""
        return self.path("data")

    @property
    def socket(self) -> str:
        """Where Caddy takes orders."""
        return self.path("data", "admin.sock")

    @property
    def root_certificate(self) -> str:
        """The certificate of Caddy's own authority."""
        return self.path("data", "pki", "authorities", "local", "root.crt")

    @property
    def authority_file(self) -> str:
        """The file that holds ``authority``."""
        return self.path("authority.pem")


@dataclass(frozen=True)
class Site:
    """What the reverse proxy serves of a hub.

    address: what people type, as ``DOMAIN`` or ``DOMAIN:PORT``. path: of the hub, ending in a slash. port: its proxy's.
    certificate: digest of the hub's own certificate and key, "" where the reverse proxy gets one.
    """

    hub: str
    domain: str
    address: str
    path: str
    port: int
    certificate: str = ""

    @property
    def digest(self) -> str:
        """Digest of all of it."""
        return digest(asdict(self))


#: The options that it follows from, beside the content of the file that cluster_certificate_authority names.
OPTIONS = (
    "cluster_reverse_proxy",
    "cluster_certificate_source",
    "cluster_acme_contact",
    "cluster_acme_directory",
    "cluster_bind",
    "cluster_http_port",
    "cluster_https_port",
)


def desired_reverse_proxy(options: dict[str, Any], authority: str, layout: Layout, machine: Machine) -> ReverseProxy:
    """Return the reverse proxy of a cluster; raises PlatformError where it cannot be on this machine.

    options: at least OPTIONS. authority: certificates (PEM) that the system does not know.
    """
    wanted = options["cluster_reverse_proxy"] == "caddy"
    acme = options["cluster_certificate_source"] == "acme"
    reverse_proxy = ReverseProxy(
        wanted=wanted,
        directory=layout.reverse_proxy,
        program=machine.caddy,
        version=machine.caddy_version,
        account=REVERSE_PROXY_ACCOUNT if machine.root else "",
        bind=options["cluster_bind"] or "",
        http_port=options["cluster_http_port"],
        https_port=options["cluster_https_port"],
        certificates=options["cluster_certificate_source"],
        contact=options["cluster_acme_contact"] or "" if acme else "",
        acme=options["cluster_acme_directory"] or LETS_ENCRYPT if acme else "",
        authority=authority if acme else "",
    )
    if wanted:
        _refuse(reverse_proxy, machine)
    return reverse_proxy


def _refuse(reverse_proxy: ReverseProxy, machine: Machine) -> None:
    low = [port for port in (reverse_proxy.http_port, reverse_proxy.https_port) if port < machine.unprivileged_ports]
    if low and not machine.root:
        raise PlatformError(
            f"cluster_reverse_proxy: port {low[0]} needs root; deploy as root, or set cluster_http_port and "
            f"cluster_https_port to {machine.unprivileged_ports} or more"
        )
    if len(reverse_proxy.socket) > _LONGEST_SOCKET:
        raise PlatformError(
            f"cluster_reverse_proxy: {reverse_proxy.socket} is too long for a socket; shorten cluster_state_directory"
        )


def command(reverse_proxy: ReverseProxy) -> list[str]:
    """Return the command line of Caddy; the launcher gives it its account."""
    homes = [f"{name}={reverse_proxy.data}" for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")]
    return [
        "/usr/bin/env",
        *homes,
        reverse_proxy.program,
        "run",
        "--config",
        reverse_proxy.caddyfile,
        "--adapter",
        "caddyfile",
    ]


def reload_command(reverse_proxy: ReverseProxy) -> list[str]:
    """Return the command line that lets a running Caddy reload its Caddyfile."""
    return [
        reverse_proxy.program,
        "reload",
        "--config",
        reverse_proxy.caddyfile,
        "--adapter",
        "caddyfile",
        "--address",
        f"unix/{reverse_proxy.socket}",
    ]


def caddyfile(reverse_proxy: ReverseProxy, sites: list[Site]) -> str:
    """Return the Caddyfile: settings for all, then a domain after the other."""
    domains: dict[str, list[Site]] = {}
    for site in sorted(sites, key=lambda site: (site.domain, site.path)):
        domains.setdefault(site.domain, []).append(site)
    parts = [_settings(reverse_proxy), *(_domain(reverse_proxy, there) for there in domains.values())]
    return "# Made from the inventory by hubfleet.jupyterhub; a change here is undone.\n" + "\n".join(parts)


def _settings(reverse_proxy: ReverseProxy) -> str:
    lines = [
        f"admin {_quoted('unix/' + reverse_proxy.socket)}",
        f"storage file_system {_quoted(reverse_proxy.data)}",
        f"http_port {reverse_proxy.http_port}",
        f"https_port {reverse_proxy.https_port}",
        # Redirects are made below: behind NAT people use another port than Caddy listens on.
        "auto_https disable_redirects",
        # The machine itself, and its other users, need not trust what is made for hubs.
        "skip_install_trust",
        # Uploads that continue when Caddy is reloaded or stopped.
        "grace_period 20s",
    ]
    if reverse_proxy.bind:
        lines.append(f"default_bind {reverse_proxy.bind}")
    if reverse_proxy.certificates == "internal":
        lines.append("local_certs")
    if reverse_proxy.acme:
        lines.append(f"acme_ca {_quoted(reverse_proxy.acme)}")
    if reverse_proxy.authority:
        lines.append(f"acme_ca_root {_quoted(reverse_proxy.authority_file)}")
    if reverse_proxy.contact:
        lines.append(f"email {_quoted(reverse_proxy.contact)}")
    log = _quoted(os.path.join(reverse_proxy.data, "caddy.log"))
    lines += [
        f"log {{\n\t\toutput file {log} {{\n\t\t\troll_size 10MiB\n\t\t\troll_keep 3\n\t\t}}\n\t}}",
        # HTTP/3 would need another port open to the outside, and WebSockets do not use it.
        "servers {\n\t\tprotocols h1 h2\n\t}",
    ]
    return _block("", lines)


def _domain(reverse_proxy: ReverseProxy, sites: list[Site]) -> str:
    """Return the sites of one domain: for people, and for those who come without TLS."""
    first = sites[0]
    lines = ["header -Server"]
    own = next((site.certificate for site in sites if site.certificate), "")
    if own:
        files = (reverse_proxy.path("certificates", f"{own}.{ending}") for ending in ("pem", "key"))
        lines.append("tls " + " ".join(_quoted(path) for path in files))
    if len(sites) == 1:
        # All of it: who types the domain alone is sent on to the path by the hub.
        lines.append(_to_hub(first))
    else:
        for site in sites:
            if site.path != "/":
                lines.append(f"redir {site.path.rstrip('/')} {site.path}")
            inner = _to_hub(site).replace("\n", "\n\t")
            lines.append(f"handle {site.path}* {{\n\t\t{inner}\n\t}}")
        if all(site.path != "/" for site in sites):
            lines.append("handle {\n\t\terror 404\n\t}")
    plain = ["header -Server", f"redir https://{first.address}{{uri}} 308"]
    return _block(first.domain, lines) + _block(f"http://{first.domain}", plain)


def _to_hub(site: Site) -> str:
    """Return the lines that hand requests to a hub's proxy.

    Caddy keeps Host, and says itself who came and how in X-Forwarded-*; the hub would believe these, too.
    """
    gone = "".join(f"\n\t\theader_up -{name}" for name in ("Forwarded", "X-Real-Ip", "X-Scheme"))
    return f"reverse_proxy 127.0.0.1:{site.port} {{{gone}\n\t}}"


def _block(head: str, lines: list[str]) -> str:
    inner = "".join(f"\t{line}\n" for line in lines)
    return f"{head} {{\n{inner}}}\n".lstrip()


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def site_of(config: dict[str, Any], certificate: str) -> Site | None:
    """Return the site that a hub.json asks for, None where it asks for none.

    certificate: digest of the hub's own certificate and key, "" without.
    """
    asked = config.get("reverse_proxy")
    if not asked:
        return None
    return Site(
        hub=config["hub"],
        domain=asked["domain"],
        address=asked["address"],
        path=config["base_url"],
        port=config["ports"]["public"],
        certificate=certificate,
    )
