# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the reverse proxy of a machine."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ..common.errors import reason
from .model import Fleet, FleetInput, Hub, ValuePath
from .option import SERVER
from .problems import Problems
from .reverse_proxy_options import ONLY_WITH_CADDY

Report = Callable[[ValuePath, str], None]


def check_hub(hub: Hub, report: Report, broken: set[str]) -> None:
    """Check the rules about one hub and its cluster."""
    if hub.cluster["cluster_reverse_proxy"] == "none":
        if "cluster_reverse_proxy" not in broken:
            for variable in (name for name in ONLY_WITH_CADDY if name in hub.explicit_options):
                report((variable,), "has no effect without cluster_reverse_proxy: caddy")
        return
    if {"hub_url", "hub_domain", "cluster_reverse_proxy"} & broken or not (hub["hub_url"] or hub["hub_domain"]):
        return
    _check_address(hub, report)
    if hub.behind_reverse_proxy:
        _check_certificate(hub, report, broken)


def _check_address(hub: Hub, report: Report) -> None:
    host = urlsplit(hub.url).hostname or ""
    address = _address(host)
    if not hub.behind_reverse_proxy:
        if not (address and address.is_loopback):
            report(("hub_url",), f"the reverse proxy serves hubs over HTTPS; use https://{host}/")
        return
    if address:
        report(("hub_url",), f"the reverse proxy requires a domain name, but {host} is an IP address")
    if not ipaddress.ip_address(hub["hub_bind"]).is_loopback:
        report(
            ("hub_bind",), "makes the hub reachable without the reverse proxy (cluster_reverse_proxy: caddy); unset it"
        )


def _check_certificate(hub: Hub, report: Report, broken: set[str]) -> None:
    if {"hub_tls_certificate", "cluster_certificate_source"} & broken or hub["hub_tls_certificate"]:
        return
    if hub.cluster["cluster_certificate_source"] == "own":
        report(("hub_tls_certificate",), "is not set, but cluster_certificate_source is 'own'")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def check_fleet(fleet: Fleet, inventory: FleetInput, problems: Problems) -> None:
    """Check the rules between hubs and clusters: ports of reverse proxies, certificates of domains, the CA file."""
    ports: dict[tuple[str, Any], str] = {}
    certificates: dict[tuple[str, str], Hub] = {}
    for hub in fleet.hubs.values():
        if hub.platform != SERVER:
            continue

        def report(variable: str, message: str, hub: Hub = hub) -> None:
            where = inventory.hosts[hub.name].locate((variable,))
            problems.add((variable,), message, where, hub.name)

        _check_authority(hub, inventory.directory, report)
        if hub.cluster["cluster_reverse_proxy"] != "none":
            _check_ports(hub, ports, report)
        if hub.behind_reverse_proxy:
            _check_same_certificate(hub, certificates, report)
    for hub in fleet.hubs.values():
        other = ports.get((hub.cluster.options.get("cluster_host", ""), hub["hub_port"]))
        if other:
            where = inventory.hosts[hub.name].locate(("hub_port",))
            problems.add(
                ("hub_port",),
                f"port {hub['hub_port']} is used by the reverse proxy of cluster {other}",
                where,
                hub.name,
            )


def _check_ports(hub: Hub, taken: dict[tuple[str, Any], str], report: Callable[[str, str], None]) -> None:
    cluster = hub.cluster
    if cluster["cluster_http_port"] == cluster["cluster_https_port"]:
        report("cluster_http_port", "is equal to cluster_https_port; the reverse proxy requires two ports")
        return
    for variable in ("cluster_http_port", "cluster_https_port"):
        other = taken.setdefault((cluster["cluster_host"], cluster[variable]), cluster.name)
        if other != cluster.name:
            report(
                variable,
                f"port {cluster[variable]} is also used by the reverse proxy of cluster {other} on the same machine",
            )


def _check_same_certificate(
    hub: Hub, certificates: dict[tuple[str, str], Hub], report: Callable[[str, str], None]
) -> None:
    domain = urlsplit(hub.url).hostname or ""
    other = certificates.setdefault((hub.cluster.name, domain), hub)
    if any(hub[variable] != other[variable] for variable in ("hub_tls_certificate", "hub_tls_key")):
        report("hub_tls_certificate", f"differs from that of hub {other.name}, which has the same domain")


def _check_authority(hub: Hub, directory: str, report: Callable[[str, str], None]) -> None:
    value = hub.cluster["cluster_certificate_authority"]
    if not value:
        return
    try:
        read_authority(value, directory)
    except OSError as error:
        report(
            "cluster_certificate_authority",
            f"{value!r} cannot be read: {reason(error)} (relative paths start at the inventory directory)",
        )
    except ValueError:
        report("cluster_certificate_authority", f"{value!r} does not contain certificates in PEM format")


def read_authority(value: str | None, directory: str) -> str:
    """Return the certificates in the file ``cluster_certificate_authority``, or "" if it is unset.

    Raises OSError if it cannot be read, and ValueError if it does not contain a certificate.
    """
    if not value:
        return ""
    with open(os.path.join(directory, os.path.expanduser(value)), encoding="ascii") as file:
        text = file.read()
    try:
        ssl.create_default_context(cadata=text)
    except ssl.SSLError as error:
        raise ValueError(str(error)) from None
    return text
