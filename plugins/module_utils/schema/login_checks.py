# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about settings of single authenticators: who could get the name of somebody who is listed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .model import ValuePath

Report = Callable[[ValuePath, str], None]
SETTINGS = "hub_authenticator_settings"
#: Names that useradd(8) takes on every system.
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


def check_login_settings(name: str, options: dict[str, Any], settings: dict[str, Any], report: Report) -> None:
    """Check the settings of an authenticator beside the hub's allow rules; all of them are sound by themselves."""
    check = {
        "cilogon": _check_cilogon,
        "generic-oauth": _check_generic,
        "google": _check_google,
        "ldap": _check_ldap,
        "native": _check_native,
        "pam": _check_pam,
    }.get(name)
    if check:
        check(options, settings, report)


def _check_cilogon(options: dict[str, Any], settings: dict[str, Any], report: Report) -> None:
    providers, domains = options["hub_allowed_identity_providers"] or (), options["hub_allowed_domains"]
    if not providers and (domains or options["hub_allowed_users"]):
        report(
            ("hub_authenticator",),
            "'cilogon' requires hub_allowed_identity_providers; otherwise anyone could claim any user name",
        )
    claim = settings.get("username_claim")
    listed = next((option for option in ("hub_admins", "hub_allowed_users") if options[option]), None)
    if len(providers) > 1 and not domains and listed and claim in ("email", "preferred_username"):
        report(
            (SETTINGS, "username_claim"),
            f"{claim!r} can be the same for users of several identity providers, who could take a name in {listed}; "
            "use eppn or sub, set hub_allowed_domains, or allow one provider only",
        )


def _check_generic(options: dict[str, Any], settings: dict[str, Any], report: Report) -> None:
    if options["hub_allowed_groups"] and not settings.get("groups_claim"):
        report(("hub_allowed_groups",), "requires groups_claim in hub_authenticator_settings")


def _check_google(options: dict[str, Any], settings: dict[str, Any], report: Report) -> None:
    if settings.get("strip_domain") and len(options["hub_allowed_domains"] or []) != 1:
        report(
            (SETTINGS, "strip_domain"),
            "requires exactly one domain in hub_allowed_domains; otherwise two accounts could get the same user name",
        )


def _check_ldap(options: dict[str, Any], settings: dict[str, Any], report: Report) -> None:
    template, base = settings.get("bind_dn_template"), settings.get("user_search_base")
    if not template and not base:
        report((SETTINGS,), "requires bind_dn_template, or user_search_base to search users")
    user, password = settings.get("lookup_dn_search_user"), settings.get("lookup_dn_search_password")
    if bool(user) != bool(password):
        present, absent = ("user", "password") if user else ("password", "user")
        report((SETTINGS, f"lookup_dn_search_{present}"), f"requires lookup_dn_search_{absent}")
    elif user and not base:
        report((SETTINGS, "lookup_dn_search_user"), "requires user_search_base")


def _check_native(options: dict[str, Any], settings: dict[str, Any], report: Report) -> None:
    if settings.get("open_signup") and not options["hub_allow_everyone"]:
        report((SETTINGS, "open_signup"), "allows everyone who signs up; it requires hub_allow_everyone: true")


def _check_pam(options: dict[str, Any], settings: dict[str, Any], report: Report) -> None:
    for option in ("hub_allowed_users", "hub_admins"):
        for index, name in enumerate(options[option] or ()):
            if name == "root":
                report((option, index), "'root' cannot log in with 'pam': its password could be guessed from outside")
            elif settings.get("create_users") and not _ACCOUNT.fullmatch(name):
                report(
                    (option, index),
                    f"{name!r} cannot be the name of an account, which create_users would create; accounts have 1 to "
                    "32 lower-case letters, digits, '_' and '-', and begin with a letter or '_'",
                )
