# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remarks on hubs whose users may be able to choose the name of somebody who is listed, or can become root.

docs/security.md has a table of all authenticators.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..common.text import abbreviated
from .admin_sudo import sudo_notices
from .model import Hub

#: Claims of OpenID Connect that a provider need not keep unique, or that users may change (OpenID Connect Core, 5.7).
CHANGEABLE_CLAIMS = ("email", "name", "nickname", "preferred_username")


def login_notices(hubs: Iterable[Hub]) -> list[str]:
    """Return the remarks, each once with the hubs that it is about; and whose admins can become root."""
    hubs = list(hubs)
    found: dict[str, list[str]] = {}
    for hub in hubs:
        if hub["hub_admins"] or hub["hub_allowed_users"]:
            text = _notice(hub["hub_authenticator"], hub["hub_authenticator_settings"] or {}, hub)
            if text:
                found.setdefault(text, []).append(hub.name)
    return [*(f"{abbreviated(names, 1)}: {text}" for text, names in found.items()), *sudo_notices(hubs)]


def _notice(authenticator: str | None, settings: dict[str, Any], hub: Hub) -> str:
    if authenticator == "generic-oauth" and settings.get("username_claim") in CHANGEABLE_CLAIMS:
        claim = settings["username_claim"]
        return (
            f"names are the claim {claim}; if the provider lets people change it, they can take a listed name. "
            "See docs/security.md"
        )
    if authenticator == "lti" and settings.get("username_key") == "email":
        return (
            "names are the email addresses of the learning management system; if it lets people change theirs, they "
            "can take a listed name. See docs/security.md"
        )
    several = len(hub["hub_allowed_identity_providers"] or ()) > 1
    if authenticator == "cilogon" and several and settings.get("username_claim") in CHANGEABLE_CLAIMS:
        return "each of the identity providers decides alone who has a listed name. See docs/security.md"
    if authenticator == "google" and hub["hub_allow_everyone"]:
        return "Google does not verify all addresses of accounts outside of hub_allowed_domains. See docs/security.md"
    return ""
