# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of cluster_* variables about domains and certificates on a machine."""

from __future__ import annotations

from .option import SERVER, Option

REVERSE_PROXY = (
    Option(
        "cluster_reverse_proxy",
        "str",
        (
            "What brings people from the domains of hubs to the hubs of the machine.",
            "C(none) - someone else's business; hubs listen where O(hub_bind) says.",
            "C(caddy) - Caddy, from the machine's package of that name, serves every hub that has O(hub_domain), or"
            " O(hub_url) with C(https); hubs without listen on 127.0.0.1 only.",
        ),
        default="none",
        choices=("none", "caddy"),
        platforms=(SERVER,),
    ),
    Option(
        "cluster_certificate_source",
        "str",
        (
            "Where the reverse proxy gets certificates from, for hubs without O(hub_tls_certificate).",
            "C(acme) - from Let's Encrypt, or O(cluster_acme_directory); it has to reach the domain from outside.",
            "C(internal) - from an authority that Caddy makes on the machine, for tests and intranets.",
            "C(own) - nowhere; every hub has O(hub_tls_certificate).",
        ),
        default="acme",
        choices=("acme", "internal", "own"),
        platforms=(SERVER,),
    ),
    Option(
        "cluster_acme_directory",
        "url",
        ("Address of an ACME server's directory.", "Unset, that of Let's Encrypt."),
        example="https://acme.example.org/acme/directory",
        platforms=(SERVER,),
    ),
    Option(
        "cluster_certificate_authority",
        "inventory_path",
        (
            "Certificates of authorities (PEM) that browsers of your people know, but the system does not.",
            "The check trusts them, and the reverse proxy at O(cluster_acme_directory).",
        ),
        example="files/authority.pem",
        platforms=(SERVER,),
    ),
    Option(
        "cluster_bind",
        "address",
        ("Address that the reverse proxy listens on; all of the machine's when unset.",),
        platforms=(SERVER,),
    ),
    Option(
        "cluster_http_port",
        "port",
        ("Port on which the reverse proxy sends people on to C(https), and answers the ACME server.",),
        default=80,
        platforms=(SERVER,),
    ),
    Option(
        "cluster_https_port",
        "port",
        (
            "Port that the reverse proxy serves hubs on.",
            "Where people use another than 443, O(hub_url) says so; it may differ from this one behind NAT.",
        ),
        default=443,
        platforms=(SERVER,),
    ),
)

#: What means nothing without a reverse proxy.
ONLY_WITH_CADDY = (
    "cluster_certificate_source",
    "cluster_acme_directory",
    "cluster_bind",
    "cluster_http_port",
    "cluster_https_port",
)
