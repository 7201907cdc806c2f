# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may log in, and how: ``hub.config`` of the chart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ....schema.authenticators import BY_NAME as AUTHENTICATORS
from ....schema.authenticators import RULE_TRAITS
from ....schema.model import Hub
from ....schema.user_names import written_names
from ...traits import derived_traits, load_groups, trait_name
from .settings import Setting, setting

#: Options that are traits of the class Authenticator.
PEOPLE = {
    "hub_admins": "admin_users",
    "hub_allowed_users": "allowed_users",
    "hub_blocked_users": "blocked_users",
    "hub_allow_everyone": "allow_all",
}

#: Traits that the collection adds where nobody asked; the other derived ones are what an option means.
ADDED = (
    "oauth_callback_url",
    "scope",
    "check_common_password",
    "enable_signup",
    "seconds_before_next_try",
    "tls_kwargs",
    "use_lookup_dn_username",
)

#: Derived traits: the place in the inventory that they follow from.
_FOLLOWS_FROM = {
    "hosted_domain": ("hub_allowed_domains",),
    "allow_all": ("hub_allowed_domains",),
    "idps": ("hub_allowed_identity_providers",),
    "scope": ("hub_allowed_organizations",),
    "manage_groups": ("hub_authenticator_settings", "groups_claim"),
    "auth_state_groups_key": ("hub_authenticator_settings", "groups_claim"),
    "enable_signup": ("hub_allow_everyone",),
    "tls_kwargs": ("hub_authenticator_settings", "certificate_authority"),
    "lookup_dn": ("hub_authenticator_settings", "user_search_base"),
    "lookup_dn_user_dn_attribute": ("hub_authenticator_settings", "user_attribute"),
    "use_lookup_dn_username": ("hub_authenticator_settings", "user_search_base"),
}


def login_settings(hub: Hub) -> Iterator[Setting]:
    """Yield the authenticator, its settings and the allow rules."""
    by_collection = hub["hub_defaults_source"] == "collection"
    authenticator = AUTHENTICATORS.get(hub["hub_authenticator"])
    for option, trait in PEOPLE.items():
        if option in hub.explicit_options and (hub[option] or option != "hub_allow_everyone"):
            yield setting(f"hub.config.Authenticator.{trait}", _people(hub, option), option)
    for name, group in load_groups(hub).items():
        written = {**group, "users": written_names(group["users"])}
        yield Setting(("hub", "config", "JupyterHub", "load_groups", name), written, ("hub_groups", name))
    if authenticator is None:
        return
    yield setting("hub.config.JupyterHub.authenticator_class", authenticator.entry_point, "hub_authenticator")
    section = f"hub.config.{authenticator.config_class}"
    rules = RULE_TRAITS.get(authenticator.name, {})
    asked = {"tls_kwargs"} if "certificate_authority" in (hub["hub_authenticator_settings"] or {}) else set()
    for trait, value in derived_traits(hub).items():
        if (by_collection or trait not in ADDED or trait in asked) and trait not in rules.values():
            yield from _derived(hub, section, trait, value)
    if by_collection:
        known = {item.name: item.default for item in authenticator.settings if item.default is not None}
        for name, value in known.items():
            yield from _setting_of(authenticator.name, section, name, value)
    for option, trait in rules.items():
        if hub[option]:
            yield setting(f"{section}.{trait}", hub[option], option)
    for name, value in (hub["hub_authenticator_settings"] or {}).items():
        yield from _setting_of(authenticator.name, section, name, value)


def _people(hub: Hub, option: str) -> Any:
    """Return the value of a trait of Authenticator.

    JupyterHub normalizes names itself, except for blocked users, which it compares with normalized names. How is known
    only for authenticators of the schema; for others, the values are checked as a whole.
    """
    if option == "hub_allow_everyone":
        return hub[option]
    if option == "hub_blocked_users" and hub["hub_authenticator"]:
        return [str(name) for name in hub[option]]
    return written_names(hub[option])


def _derived(hub: Hub, section: str, trait: str, value: Any) -> Iterator[Setting]:
    if trait != "oauth_callback_url":
        yield setting(f"{section}.{trait}", value, *_FOLLOWS_FROM.get(trait, ("hub_authenticator",)))
    elif hub["hub_domain"] or hub["hub_url"]:
        # Without an address of its own, the hub takes the one that people came by.
        yield setting(f"{section}.{trait}", value, "hub_domain" if hub["hub_domain"] else "hub_url")


def _setting_of(authenticator: str, section: str, name: str, value: Any) -> Iterator[Setting]:
    trait = trait_name(authenticator, name)
    if trait is not None:
        yield Setting((*section.split("."), trait), value, ("hub_authenticator_settings", name))
