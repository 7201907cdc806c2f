# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""hub_* options as JupyterHub's own configuration, the same on every platform.

A result is ``{class: {trait: value}}`` in JSON types, as in the ``hub.config`` of the
zero-to-jupyterhub chart.
"""

from __future__ import annotations

from typing import Any

from ..schema.authenticators import BY_NAME as AUTHENTICATORS
from ..schema.cross_checks import ACTIVITY_INTERVAL_VARIABLE, SHORTEST_IDLE_TIMEOUT
from ..schema.model import Environment, Hub, Size
from .start_page import shown_of

Traits = dict[str, dict[str, Any]]

#: hub_authenticator_settings keys whose trait has another name, by authenticator.
_RENAMED = {
    "native": {"failed_logins": "allowed_failed_logins"},
    "pam": {"create_users": "create_system_users"},
}
#: Settings that are turned into traits one by one below.
_SPECIAL = {
    "cilogon": {"username_claim"},
    "generic-oauth": {"groups_claim"},
    "ldap": {"certificate_authority"},
}
#: ssl.CERT_REQUIRED as a number: without it, LDAPAuthenticator accepts any certificate.
_VERIFY = 2


#: Seconds between two reports of a server that it is in use; 300 by JupyterHub's default, with which an idle timeout
#: below six minutes stops servers in use. A third of the shortest timeout that is allowed, because a server keeps the
#: interval that it started with when the timeout is lowered.
ACTIVITY_INTERVAL = SHORTEST_IDLE_TIMEOUT // 3


def culling_interval(hub: Hub) -> int:
    """Return the seconds between two looks for servers that are idle or too old."""
    limits = [limit for limit in (hub["hub_idle_timeout"], hub["hub_maximum_age"]) if limit]
    shortest: int = min(limits, default=3600)
    return max(10, min(300, shortest // 2))


def hub_traits(hub: Hub) -> Traits:
    """Return the traits of a hub that hold no secret and know nothing of the platform."""
    traits: Traits = {
        "JupyterHub": {
            "authenticator_class": AUTHENTICATORS[hub["hub_authenticator"]].entry_point,
            "active_server_limit": hub["hub_active_server_limit"],
            "concurrent_spawn_limit": hub["hub_concurrent_spawn_limit"],
            "allow_named_servers": hub["hub_named_servers"] or hub["hub_named_server_limit"] > 0,
            "named_server_limit_per_user": hub["hub_named_server_limit"],
            "redirect_to_server": hub["hub_redirect_to_server"],
        },
        "Authenticator": _allow_traits(hub),
        "Spawner": {
            "default_url": interface_path(hub["hub_interface"]),
            "environment": {
                ACTIVITY_INTERVAL_VARIABLE: str(ACTIVITY_INTERVAL),
                **dict(sorted((hub["hub_environment_variables"] or {}).items())),
            },
            "start_timeout": hub["hub_start_timeout"],
            "http_timeout": hub["hub_start_timeout"],
        },
    }
    settings, _secrets = _settings(hub)
    offered: list[Environment | Size] = [*hub.environments, *hub.sizes]
    if hub["hub_authenticator"] == "github" and any(entry.allowed_groups for entry in offered):
        settings.update(_github_teams(settings))
    if settings:
        traits[AUTHENTICATORS[hub["hub_authenticator"]].config_class] = settings
    return traits


def secret_traits(hub: Hub) -> Traits:
    """Return the traits of a hub that hold secrets."""
    _settings_, secrets = _settings(hub)
    return {AUTHENTICATORS[hub["hub_authenticator"]].config_class: secrets} if secrets else {}


def load_groups(hub: Hub) -> dict[str, Any]:
    """Return JupyterHub.load_groups; properties are always given, since JupyterHub keeps those that are not."""
    return {
        name: {"users": list(group["users"] or ()), "properties": group["properties"] or {}}
        for name, group in sorted((hub["hub_groups"] or {}).items())
    }


def interface_path(interface: str) -> str:
    """Return the path that opens first: ``lab`` -> ``/lab``."""
    return {"lab": "/lab", "notebook": "/tree"}.get(interface, interface)


def profile_list(hub: Hub) -> list[dict[str, Any]]:
    """Return the environments × sizes in KubeSpawner's ``profile_list`` schema.

    One profile per environment, its size an option; ``image`` is the environment's name, which
    each platform makes into what it starts from.
    """
    return [_profile(hub, environment, index == 0) for index, environment in enumerate(hub.environments)]


def _profile(hub: Hub, environment: Environment, default: bool) -> dict[str, Any]:
    override: dict[str, Any] = {
        "image": environment.name,
        "default_url": interface_path(environment.interface or hub["hub_interface"]),
    }
    if environment.variables:
        override["environment"] = dict(environment.variables)
    choices = {size.name: _choice(size, index == 0) for index, size in enumerate(hub.sizes)}
    return {
        "slug": environment.name,
        "display_name": environment.title,
        "description": environment.description,
        "default": default,
        "kubespawner_override": override,
        "profile_options": {"size": {"display_name": "Size", "choices": choices}},
        **shown_of(environment),
        **_for_groups(environment),
    }


def _choice(size: Size, default: bool) -> dict[str, Any]:
    override = {
        "mem_limit": _bytes(size.memory),
        "mem_guarantee": _bytes(size.memory_guarantee),
        "cpu_limit": size.cpu,
        "cpu_guarantee": size.cpu_guarantee,
    }
    return {
        "display_name": size.title,
        "description": size.description,
        "default": default,
        "kubespawner_override": {key: value for key, value in override.items() if value is not None},
        **_for_groups(size),
    }


def _for_groups(entry: Environment | Size) -> dict[str, Any]:
    return {} if entry.allowed_groups is None else {"allowed_groups": list(entry.allowed_groups)}


def _bytes(memory: int | None) -> int | None:
    return None if memory is None else int(memory)


def _allow_traits(hub: Hub) -> dict[str, Any]:
    traits: dict[str, Any] = {"admin_users": sorted(hub["hub_admins"] or ())}
    if hub["hub_allow_everyone"]:
        traits["allow_all"] = True
    for option, trait in (
        ("hub_allowed_users", "allowed_users"),
        ("hub_blocked_users", "blocked_users"),
    ):
        if hub[option]:
            traits[trait] = sorted(hub[option])
    return traits


def derived_traits(hub: Hub) -> dict[str, Any]:
    """Return the authenticator's traits that follow from allow rules and the hub's address, not from a setting."""
    authenticator = AUTHENTICATORS[hub["hub_authenticator"]]
    traits = {"oauth_callback_url": f"{hub.url}hub/oauth_callback"} if authenticator.callback else {}
    given = hub["hub_authenticator_settings"] or {}
    return {**traits, **_RULES.get(authenticator.name, lambda _hub, _given: {})(hub, given)}


def trait_name(authenticator: str, setting: str) -> str | None:
    """Return the trait that a setting is; None for settings that :func:`derived_traits` works in."""
    if setting in _SPECIAL.get(authenticator, ()):
        return None
    return _RENAMED.get(authenticator, {}).get(setting, setting)


def _settings(hub: Hub) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the authenticator's traits: (plain, secret)."""
    authenticator = AUTHENTICATORS[hub["hub_authenticator"]]
    given = hub["hub_authenticator_settings"] or {}
    plain: dict[str, Any] = {}
    secrets: dict[str, Any] = {}
    for setting in authenticator.settings:
        value, trait = given.get(setting.name), trait_name(authenticator.name, setting.name)
        if value is not None and trait:
            (secrets if setting.secret else plain)[trait] = value
    plain.update(derived_traits(hub))
    return plain, secrets


def _github(hub: Hub, _given: dict[str, Any]) -> dict[str, Any]:
    organizations = hub["hub_allowed_organizations"]
    if not organizations:
        return {}
    # Membership is not visible without this scope (OAuthenticator's documentation of GitHub).
    scope = sorted({*(_given.get("scope") or ()), "read:org"})
    return {"allowed_organizations": sorted(organizations), "scope": scope}


def _github_teams(settings: dict[str, Any]) -> dict[str, Any]:
    """Return what makes teams known to hubfleet_runtime/allowed_groups.py, which takes them for groups."""
    scope = sorted({*(settings.get("scope") or ()), "read:org"})
    return {"enable_auth_state": True, "populate_teams_in_auth_state": True, "scope": scope}


def _google(hub: Hub, _given: dict[str, Any]) -> dict[str, Any]:
    domains = hub["hub_allowed_domains"]
    if not domains:
        return {}
    # hosted_domain only restricts (OAuthenticator 17); who of these may log in is said apart.
    return {"hosted_domain": sorted(domains), "allow_all": not hub["hub_allowed_users"]}


def _cilogon(hub: Hub, given: dict[str, Any]) -> dict[str, Any]:
    domains = sorted(hub["hub_allowed_domains"] or ())
    rule: dict[str, Any] = {"allow_all": True}
    if domains:
        rule = {"allowed_domains": domains}
    elif hub["hub_allowed_users"]:
        rule = {}
    # Each provider needs a claim, also where settings come without their defaults.
    defaults = {setting.name: setting.default for setting in AUTHENTICATORS["cilogon"].settings}
    derivation = {"username_claim": given.get("username_claim") or defaults["username_claim"]}
    providers = {
        provider: {"username_derivation": derivation, **rule}
        for provider in hub["hub_allowed_identity_providers"] or ()
    }
    if len(providers) > 1:
        # Not by their order, since Helm sorts mappings by key.
        next(iter(providers.values()))["default"] = True
    return {"idps": providers} if providers else {}


def _generic(hub: Hub, given: dict[str, Any]) -> dict[str, Any]:
    claim, groups = given.get("groups_claim"), hub["hub_allowed_groups"]
    traits: dict[str, Any] = {}
    if claim:
        # GenericOAuthenticator keeps the user's claims under this key of its auth state.
        traits.update(manage_groups=True, auth_state_groups_key=f"oauth_user.{claim}")
    if groups:
        traits["allowed_groups"] = sorted(groups)
    return traits


def _ldap(hub: Hub, given: dict[str, Any]) -> dict[str, Any]:
    tls: dict[str, Any] = {"validate": _VERIFY}
    if given.get("certificate_authority"):
        tls["ca_certs_file"] = given["certificate_authority"]
    traits: dict[str, Any] = {"tls_kwargs": tls}
    if given.get("user_search_base"):
        # The name as the directory has it, so that nobody has two names.
        attribute = given.get("user_attribute") or "uid"
        traits.update(lookup_dn=True, lookup_dn_user_dn_attribute=attribute, use_lookup_dn_username=True)
    if hub["hub_allowed_groups"]:
        traits["allowed_groups"] = sorted(hub["hub_allowed_groups"])
    return traits


def _native(hub: Hub, _given: dict[str, Any]) -> dict[str, Any]:
    # Where only listed people may log in, an account of anybody else is of no use.
    return {
        "check_common_password": True,
        "enable_signup": bool(hub["hub_allow_everyone"]),
        "seconds_before_next_try": 600,
    }


def _pam(hub: Hub, given: dict[str, Any]) -> dict[str, Any]:
    traits: dict[str, Any] = {}
    if given.get("create_users"):
        # only to check passwords: servers run as accounts of their own
        traits["add_user_cmd"] = ["useradd", "--no-create-home", "--user-group", "--shell", "/usr/sbin/nologin"]
    if hub["hub_allowed_groups"]:
        traits["allowed_groups"] = sorted(hub["hub_allowed_groups"])
    return traits


_RULES = {
    "github": _github,
    "google": _google,
    "cilogon": _cilogon,
    "generic-oauth": _generic,
    "ldap": _ldap,
    "native": _native,
    "pam": _pam,
}
