# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for services of JupyterHub, on all platforms."""

from __future__ import annotations

from collections.abc import Callable

from .model import Hub, ValuePath
from .role_checks import check_scopes

#: Keys of services that users log in to with the hub.
OAUTH_KEYS = ("oauth_client_id", "oauth_client_allowed_scopes", "oauth_no_confirm")


def check_services(hub: Hub, report: Callable[[ValuePath, str], None]) -> None:
    """Report services with the same name, unknown scopes, and keys that are only for services with a command."""
    seen = set()
    for index, service in enumerate(hub["hub_services"] or ()):
        if service["name"] in seen:
            report(("hub_services", index, "name"), f"{service['name']!r} is used twice")
        seen.add(service["name"])
        scopes = ("hub_services", index, "oauth_client_allowed_scopes")
        check_scopes(hub, scopes, service["oauth_client_allowed_scopes"] or (), report)
        for key in ("environment", "user") if not service["command"] else ():
            if service[key]:
                report(("hub_services", index, key), "is only for a service with a command, which the hub starts")
        # JupyterHub does not start with a service that has the one, even if it is false, and not the other.
        for key in OAUTH_KEYS if not (service["url"] or service["oauth_redirect_uri"]) else ():
            if service[key] is not None:
                report(("hub_services", index, key), "requires url or oauth_redirect_uri, where users log in")
