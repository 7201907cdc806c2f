# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every authenticator with its settings and rules: what the chart's hub.config becomes, and what takes it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.config_classes import chosen_authenticator
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.recorded import (
    read,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.validation.hub_config import (
    check_config,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.validation.login_rules import (
    check_login,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.layers import (
    over_defaults,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.authenticators import BY_NAME
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.option import KUBERNETES
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.kubernetes_hubs import (  # noqa: E501
    CHARTS,
    values_of,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.test_traits import (
    CLASSES,
    EVERYTHING,
)

VERSIONS = ("4.4.0", "4.3.3")
DEFAULTS = ("collection", "chart")
NAMES = [name for name, authenticator in BY_NAME.items() if authenticator.works_on(KUBERNETES)]


def variables_of(name: str) -> dict[str, Any]:
    """Return a hub's variables with everything of an authenticator set."""
    settings, rules = EVERYTHING[name]
    rules = {rule: value for rule, value in rules.items() if value != []}
    allowed = {} if {"hub_allow_everyone", *BY_NAME[name].rules} & rules.keys() else {"hub_allowed_users": ["ada"]}
    people = {"hub_admins": ["root"], "hub_blocked_users": ["eve"], **allowed}
    return {"hub_domain": "hub.example.org", "hub_authenticator": name, "hub_authenticator_settings": settings} | {
        **people,
        **rules,
    }


def config_of(version: str = VERSIONS[0], **variables: Any) -> dict[str, Any]:
    """Return hub.config as the chart's hub sees it."""
    defaults = read(CHARTS, version).defaults
    config: dict[str, Any] = over_defaults(defaults, values_of(**variables).merged)["hub"]["config"]
    return config


def wrong(config: dict[str, Any], version: str, demonstration: bool = False) -> list[Any]:
    found: list[Any] = []
    traits = read(CHARTS, version).traits
    check_config(config, traits, lambda path, message: found.append((path, message)))
    check_login(config, traits, lambda path, message: found.append((path, message)), demonstration)
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("defaults", DEFAULTS)
@pytest.mark.parametrize("name", NAMES)
def test_the_hub_understands_everything(name: str, defaults: str, version: str) -> None:
    config = config_of(version, hub_defaults_source=defaults, **variables_of(name))
    assert wrong(config, version, demonstration=BY_NAME[name].demonstration) == []
    assert chosen_authenticator(config, read(CHARTS, version).traits) == BY_NAME[name].config_class


@pytest.mark.parametrize("defaults", DEFAULTS)
@pytest.mark.parametrize("name", NAMES)
def test_the_class_itself_takes_it(name: str, defaults: str) -> None:
    """And keeps every value: none is of a kind that it turns into another."""
    pytest.importorskip("jupyterhub", reason="JupyterHub is not installed here: traits are not compared with its own")
    module = pytest.importorskip(CLASSES[name], reason=f"the authenticator {name} is not installed here")
    from traitlets.config import Config

    config = config_of(hub_defaults_source=defaults, **variables_of(name))
    config_class = getattr(module, BY_NAME[name].config_class)
    wanted = {**config["Authenticator"], **config.get(BY_NAME[name].config_class, {})}
    assert set(wanted) <= set(config_class.class_trait_names(config=True))
    no_database = {"add_new_table": False} if name == "native" else {}
    instance = config_class(config=Config({key: dict(value) for key, value in config.items()}), **no_database)
    for trait, value in wanted.items():
        kept = getattr(instance, trait)
        assert (sorted(kept) if isinstance(kept, set) else kept) == value


@pytest.mark.parametrize("name", NAMES)
def test_settings_that_are_not_set_are_left_to_the_class(name: str) -> None:
    """With the chart's defaults, hub.config holds what the inventory says, and nothing else."""
    variables: dict[str, Any] = {"hub_authenticator": name, "hub_demonstration": True, "hub_defaults_source": "chart"}
    config = values_of(**variables).merged["hub"]["config"]
    assert config == {"JupyterHub": {"authenticator_class": BY_NAME[name].entry_point}}


@pytest.mark.parametrize("defaults", DEFAULTS)
def test_providers_have_a_claim_whatever_is_set(defaults: str) -> None:
    """CILogon refuses to start without one."""
    provider = "https://login.microsoftonline.com/"
    variables: dict[str, Any] = {"hub_authenticator": "cilogon", "hub_allowed_identity_providers": [provider]}
    config = config_of(hub_defaults_source=defaults, **variables)["CILogonOAuthenticator"]
    assert config["idps"] == {provider: {"username_derivation": {"username_claim": "email"}, "allow_all": True}}


def test_without_an_address_the_hub_finds_its_own() -> None:
    assert "oauth_callback_url" not in config_of(hub_authenticator="github").get("GitHubOAuthenticator", {})


@pytest.mark.parametrize(
    ("name", "problem"),
    [("github", "nobody"), ("native", "nobody"), ("dummy", "anybody")],
)
def test_the_checks_can_fail(name: str, problem: str) -> None:
    config = config_of(hub_authenticator=name, hub_demonstration=True)
    assert problem in str(wrong(config, VERSIONS[0]))


def test_every_trait_is_told_with_where_it_comes_from() -> None:
    """What is wrong with a trait is to be looked for in the option that made it."""
    own = {"hub_authenticator", "hub_authenticator_settings", "hub_defaults_source"}
    for name in NAMES:
        variables = variables_of(name)
        values = values_of(**variables)
        config = [item for item in values.settings if item.path[:2] == ("hub", "config") and item.path[2] != "Spawner"]
        told = {item.source[0] for item in config}
        people = {"hub_admins", "hub_blocked_users", "hub_allowed_users", "hub_allow_everyone"} & variables.keys()
        rules = {rule for rule in BY_NAME[name].rules if rule in variables}
        if name == "cilogon":
            rules.remove("hub_allowed_domains")  # part of what the identity providers are told
        assert told - own - {"hub_domain"} == people | rules


def test_names_stand_as_they_are_written_where_jupyterhub_normalizes_them() -> None:
    """Imported hubs do not change. JupyterHub does not normalize blocked users, which must be normalized to work."""
    people: dict[str, Any] = {"hub_admins": ["Ada"], "hub_allowed_users": ["Ben"], "hub_blocked_users": ["Mallory"]}
    roles = [{"name": "lookers", "scopes": ["list:users"], "users": ["Ada"]}]
    values = values_of(hub_authenticator="tmp", hub_demonstration=True, hub_roles=roles, **people).merged["hub"]
    traits = {"admin_users": ["Ada"], "allowed_users": ["Ben"], "blocked_users": ["mallory"]}
    assert values["config"]["Authenticator"] == traits
    assert values["loadRoles"]["lookers"]["users"] == ["Ada"]
    # Not a subclass, which YAML could not write.
    assert {type(name) for names in traits for name in values["config"]["Authenticator"][names]} == {str}


def test_blocked_users_of_another_authenticator_stand_as_they_are_written() -> None:
    """MediaWiki's, for example, does not change names to lower case."""
    assert values_of(hub_blocked_users=["Mallory"]).merged["hub"]["config"]["Authenticator"]["blocked_users"] == [
        "Mallory"
    ]
