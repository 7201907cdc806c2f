# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What JupyterHub is told: options as traits, checked against the classes that take them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.traits import (
    hub_traits,
    profile_list,
    secret_traits,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.authenticators import (
    ALLOW_RULES,
    AUTHENTICATORS,
    BY_NAME,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.cross_checks import SHORTEST_IDLE_TIMEOUT
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Hub
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.schema.sound import SOUND, hub_of

CLIENT = {"client_id": "abc", "client_secret": "hunter2"}
URLS = {
    "authorize_url": "https://id.example.org/authorize",
    "token_url": "https://id.example.org/token",
    "userdata_url": "https://id.example.org/userinfo",
}
PROVIDER = "https://login.microsoftonline.com/"
#: Every setting and rule of every authenticator: (settings, variables).
EVERYTHING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "github": ({**CLIENT, "scope": ["user:email"]}, {"hub_allowed_organizations": ["uni:team"]}),
    "google": (
        {**CLIENT, "login_service": "Google", "strip_domain": True},
        {"hub_allowed_domains": ["example.org"], "hub_allowed_users": []},
    ),
    "cilogon": (
        {**CLIENT, "username_claim": "eppn"},
        {"hub_allowed_identity_providers": [PROVIDER], "hub_allowed_domains": ["example.org"]},
    ),
    "generic-oauth": (
        {
            **CLIENT,
            **URLS,
            "username_claim": "sub",
            "groups_claim": "groups",
            "login_service": "Uni",
            "scope": ["openid"],
        },
        {"hub_allowed_groups": ["students"]},
    ),
    "lti": (
        {
            "issuer": "https://lms.example.org",
            "authorize_url": "https://lms.example.org/authorize",
            "jwks_endpoint": "https://lms.example.org/keys",
            "client_id": ["abc"],
            "username_key": "sub",
        },
        {},
    ),
    "ldap": (
        {
            "server_address": "ldap.example.org",
            "server_port": 636,
            "tls_strategy": "on_connect",
            "certificate_authority": "/etc/ssl/own.pem",
            "bind_dn_template": ["uid={username},ou=people,dc=example,dc=org"],
            "user_search_base": "ou=people,dc=example,dc=org",
            "user_attribute": "cn",
            "lookup_dn_search_user": "cn=search,dc=example,dc=org",
            "lookup_dn_search_password": "hunter2",
        },
        {"hub_allowed_groups": ["cn=staff,ou=groups,dc=example,dc=org"]},
    ),
    "native": (
        {"open_signup": True, "minimum_password_length": 10, "failed_logins": 3},
        {"hub_allow_everyone": True, "hub_allowed_users": []},
    ),
    "pam": (
        {"service": "jupyterhub", "create_users": True},
        {"hub_allowed_groups": ["staff"], "hub_admins": ["ada"]},
    ),
    "shared-password": ({}, {}),
    "tmp": ({}, {"hub_demonstration": True}),
    "dummy": ({}, {"hub_demonstration": True}),
}
CLASSES = {
    "github": "oauthenticator.github",
    "google": "oauthenticator.google",
    "cilogon": "oauthenticator.cilogon",
    "generic-oauth": "oauthenticator.generic",
    "lti": "ltiauthenticator.lti13.auth",
    "ldap": "ldapauthenticator",
    "native": "nativeauthenticator",
    "pam": "jupyterhub.auth",
    "shared-password": "jupyterhub.authenticators.shared",
    "tmp": "tmpauthenticator",
    "dummy": "jupyterhub.auth",
}


def hub_with(authenticator: str, **variables: Any) -> Hub:
    """Return a hub with everything of an authenticator set."""
    settings, rules = EVERYTHING[authenticator]
    return hub_of(
        **{
            "hub_domain": "hub.example.org",
            "hub_authenticator": authenticator,
            "hub_authenticator_settings": settings,
            "hub_admins": ["root"],
            "hub_blocked_users": ["eve"],
            **rules,
            **variables,
        }
    )


def all_traits(hub: Hub) -> dict[str, dict[str, Any]]:
    """Return plain and secret traits together, as the hub's configuration sees them."""
    traits = hub_traits(hub)
    for name, values in secret_traits(hub).items():
        traits[name] = {**traits.get(name, {}), **values}
    return traits


def test_nothing_is_left_out_here() -> None:
    """The table above has every authenticator, setting and rule."""
    assert EVERYTHING.keys() == BY_NAME.keys()
    for name, (settings, variables) in EVERYTHING.items():
        assert settings.keys() == {setting.name for setting in BY_NAME[name].settings}
        assert variables.keys() >= set(BY_NAME[name].rules)
    assert {rule for _settings, rules in EVERYTHING.values() for rule in rules} >= {rule.name for rule in ALLOW_RULES}


@pytest.mark.parametrize("name", BY_NAME)
def test_traits_exist(name: str) -> None:
    """The real class takes every trait, of the type that it wants, and keeps its value."""
    pytest.importorskip("jupyterhub", reason="JupyterHub is not installed here: traits are not compared with its own")
    module = pytest.importorskip(CLASSES[name], reason=f"the authenticator {name} is not installed here")
    from traitlets.config import Config

    hub = hub_with(name)
    traits = all_traits(hub)
    config_class = getattr(module, BY_NAME[name].config_class)
    wanted = {**traits["Authenticator"], **traits.get(BY_NAME[name].config_class, {})}
    assert set(wanted) <= set(config_class.class_trait_names(config=True))
    no_database = {"add_new_table": False} if name == "native" else {}
    instance = config_class(config=Config({key: dict(value) for key, value in traits.items()}), **no_database)
    for trait, value in wanted.items():
        kept = getattr(instance, trait)
        assert (sorted(kept) if isinstance(kept, set) else kept) == value


@pytest.mark.parametrize("name", BY_NAME)
def test_entry_points_exist(name: str) -> None:
    """JupyterHub finds the class by the name that it is told."""
    auth = pytest.importorskip("jupyterhub.auth", reason="JupyterHub is not installed here")
    pytest.importorskip(CLASSES[name], reason=f"the authenticator {name} is not installed here")
    from jupyterhub.traitlets import EntryPointType

    trait = EntryPointType(klass=auth.Authenticator, entry_point_group="jupyterhub.authenticators")
    entry_point = BY_NAME[name].entry_point
    names = {point.name for point in trait.load_entry_points().values()}
    assert entry_point in names or f"{CLASSES[name]}.{BY_NAME[name].config_class}" == entry_point


def test_traits_of_jupyterhub_exist() -> None:
    app = pytest.importorskip("jupyterhub.app", reason="JupyterHub is not installed here")
    spawner = pytest.importorskip("jupyterhub.spawner")
    traits = hub_traits(hub_of())
    assert set(traits["JupyterHub"]) <= set(app.JupyterHub.class_trait_names(config=True))
    assert set(traits["Spawner"]) <= set(spawner.Spawner.class_trait_names(config=True))


@pytest.mark.parametrize("name", BY_NAME)
def test_secrets_stand_apart(name: str) -> None:
    """No secret among the plain traits, and every secret among the others."""
    hub = hub_with(name)
    secrets = {setting.name for setting in BY_NAME[name].settings if setting.secret}
    assert "hunter2" not in repr(hub_traits(hub))
    assert {trait for values in secret_traits(hub).values() for trait in values} == secrets


@pytest.mark.parametrize("authenticator", [a for a in AUTHENTICATORS if a.callback], ids=lambda a: a.name)
def test_callback(authenticator: Any) -> None:
    hub = hub_with(authenticator.name, hub_domain=None, hub_url="https://hub.example.org/team")
    assert hub_traits(hub)[authenticator.config_class]["oauth_callback_url"] == (
        "https://hub.example.org/team/hub/oauth_callback"
    )


def test_a_rule_never_lets_in_more() -> None:
    """Users beside domains: only these users, and only from these domains."""
    google = hub_with("google", hub_allowed_users=["ada"])
    traits = hub_traits(google)
    assert traits["GoogleOAuthenticator"]["allow_all"] is False
    assert traits["GoogleOAuthenticator"]["hosted_domain"] == ["example.org"]
    rules = [
        ({}, {"allowed_domains": ["example.org"]}),
        ({"hub_allowed_domains": []}, {}),
        ({"hub_allowed_domains": [], "hub_allowed_users": []}, {"allow_all": True}),
    ]
    for variables, rule in rules:
        provider = hub_traits(hub_with("cilogon", **variables))["CILogonOAuthenticator"]["idps"][PROVIDER]
        assert provider == {"username_derivation": {"username_claim": "eppn"}, **rule}


def test_the_first_identity_provider_is_preselected() -> None:
    """Also where Helm sorts them."""
    selected = pytest.importorskip("oauthenticator.cilogon")._get_select_idp_param
    providers = ["https://z.example.org/idp", "https://a.example.org/idp"]
    for listed in (providers, providers[::-1]):
        made = hub_traits(hub_with("cilogon", hub_allowed_identity_providers=listed))["CILogonOAuthenticator"]["idps"]
        assert selected(dict(sorted(made.items()))) == ",".join(listed)


def test_nobody_beyond_the_rule() -> None:
    """allow_all is said only where the inventory says everyone."""
    assert "allow_all" not in hub_traits(hub_of())["Authenticator"]
    everyone = hub_of(hub_allow_everyone=True, hub_allowed_users=[])
    assert hub_traits(everyone)["Authenticator"]["allow_all"] is True


def test_profile_list() -> None:
    """One profile per environment, in order, the first one preselected; sizes are its choices."""
    hub = hub_of(
        hub_environments=[
            "python",
            {"name": "maps", "title": "Maps", "interface": "notebook", "variables": {"A": "1"}},
        ],
        hub_sizes=["small", {"name": "large", "memory": "4G", "memory_guarantee": "1G", "cpu": 2}],
        hub_interface="/voila",
    )
    profiles = profile_list(hub)
    assert [(p["slug"], p["display_name"], p["default"]) for p in profiles] == [
        ("python", "python", True),
        ("maps", "Maps", False),
    ]
    assert profiles[0]["kubespawner_override"] == {"image": "python", "default_url": "/voila"}
    assert profiles[1]["kubespawner_override"] == {"image": "maps", "default_url": "/tree", "environment": {"A": "1"}}
    choices = profiles[0]["profile_options"]["size"]["choices"]
    assert list(choices) == ["small", "large"]
    assert [choice["default"] for choice in choices.values()] == [True, False]
    assert choices["small"]["kubespawner_override"] == {"mem_limit": 2**30}
    assert choices["large"]["kubespawner_override"] == {
        "mem_limit": 4 * 2**30,
        "mem_guarantee": 2**30,
        "cpu_limit": 2.0,
    }


def test_profile_list_suits_kubespawner(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same list and the same user options work on the other platform that JupyterHub runs on."""
    module = pytest.importorskip("kubespawner.spawner", reason="KubeSpawner is not installed here")
    for name in ("load_config", "shared_client"):
        monkeypatch.setattr(module, name, lambda *_args, **_kwargs: None)
    hub = hub_of()
    environment, size = hub.environments[-1], hub.sizes[-1]
    spawner = module.KubeSpawner(_mock=True, profile_list=profile_list(hub))
    spawner.user_options = {"profile": environment.name, "size": size.name}
    asyncio.run(spawner.load_user_options())
    assert (spawner.image, spawner.mem_limit) == (environment.name, size.memory)


def test_order_of_names_changes_nothing() -> None:
    """Rules are sets: who comes first does not restart a hub."""
    one, other = (hub_of(hub_allowed_users=users, hub_admins=users) for users in (["ada", "ben"], ["ben", "ada"]))
    assert hub_traits(one) == hub_traits(other)
    assert SOUND["hub_allowed_users"] == ["ada"]


@pytest.mark.parametrize("variables", [{}, {"hub_idle_timeout": "never"}, {"hub_idle_timeout": "2m"}])
def test_an_idle_timeout_can_be_lowered_while_servers_run(variables: dict[str, Any]) -> None:
    """A server reports in the interval that it started with, which must fit the shortest timeout as well."""
    interval = int(hub_traits(hub_of(**variables))["Spawner"]["environment"]["JUPYTERHUB_ACTIVITY_INTERVAL"])
    # jupyterhub.singleuser adds up to a tenth; the hub ignores a report within 30 s of the last activity that it knows
    assert 30 + interval * 1.1 + 30 < SHORTEST_IDLE_TIMEOUT


def test_the_operator_may_set_the_interval() -> None:
    hub = hub_of(hub_environment_variables={"JUPYTERHUB_ACTIVITY_INTERVAL": "20"})
    assert hub_traits(hub)["Spawner"]["environment"]["JUPYTERHUB_ACTIVITY_INTERVAL"] == "20"


def test_teams_of_github_are_known_where_something_is_for_groups() -> None:
    sizes = [{"name": "small", "memory": "1G", "allowed_groups": ["uni:gpu"]}]
    section = hub_traits(hub_with("github", hub_sizes=sizes))["GitHubOAuthenticator"]
    assert section["enable_auth_state"] and section["populate_teams_in_auth_state"]
    assert section["scope"] == ["read:org", "user:email"]
    assert "populate_teams_in_auth_state" not in hub_traits(hub_with("github"))["GitHubOAuthenticator"]
