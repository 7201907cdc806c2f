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
            "Reverse proxy in front of the hubs of the machine.",
            "C(none) - none; hubs listen on O(hub_bind).",
            "C(caddy) - Caddy, from the package of that name, serves every hub with O(hub_domain), or with O(hub_url)"
            " and C(https); other hubs listen on 127.0.0.1 only.",
        ),
        default="none",
        choices=("none", "caddy"),
        platforms=(SERVER,),
    ),
    Option(
        "cluster_certificate_source",
        "str",
        (
            "Source of the certificates of hubs without O(hub_tls_certificate).",
            "C(acme) - Let's Encrypt, or the server at O(cluster_acme_directory), which must be able to connect to the"
            " domain.",
            "C(internal) - a certificate authority that Caddy creates on the machine, for tests and intranets.",
            "C(own) - none; every hub needs O(hub_tls_certificate).",
        ),
        default="acme",
        choices=("acme", "internal", "own"),
        platforms=(SERVER,),
    ),
    Option(
        "cluster_acme_directory",
        "url",
        ("Directory URL of an ACME server.", "Defaults to that of Let's Encrypt."),
        example="https://acme.example.org/acme/directory",
        platforms=(SERVER,),
    ),
    Option(
        "cluster_certificate_authority",
        "inventory_path",
        (
            "File of CA certificates, in PEM format, that users' browsers trust but the operating system does not.",
            "The check trusts them for hubs, and the reverse proxy for O(cluster_acme_directory).",
        ),
        example="files/authority.pem",
        platforms=(SERVER,),
    ),
    Option(
        "cluster_bind",
        "address",
        ("IP address that the reverse proxy listens on; unset, all addresses of the machine.",),
        platforms=(SERVER,),
    ),
    Option(
        "cluster_http_port",
        "port",
        ("Port on which the reverse proxy redirects to C(https) and answers ACME challenges.",),
        default=80,
        platforms=(SERVER,),
    ),
    Option(
        "cluster_https_port",
        "port",
        (
            "Port on which the reverse proxy serves hubs over HTTPS.",
            "If users connect to a port other than 443, set it in O(hub_url); behind NAT, it may differ from this one.",
        ),
        default=443,
        platforms=(SERVER,),
    ),
)

#: Options that have no effect without a reverse proxy.
ONLY_WITH_CADDY = (
    "cluster_certificate_source",
    "cluster_acme_directory",
    "cluster_bind",
    "cluster_http_port",
    "cluster_https_port",
)
