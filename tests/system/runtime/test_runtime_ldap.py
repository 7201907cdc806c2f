# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log in with accounts of a real LDAP server; the hub's configuration is what the options become."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.traits import hub_traits, secret_traits
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.schema.sound import hub_of
from ldap_server import PASSWORDS, SEARCH_PASSWORD, SEARCH_USER, SUFFIX, LdapServer, ldap_server
from native_people import log_in
from runtime_rig import Hub
from runtime_tools import needs_root

pytestmark = needs_root


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LdapServer]:
    """The LDAP server of all tests."""
    with ldap_server(tmp_path_factory.mktemp("ldap")) as running:
        yield running


@pytest.fixture(scope="module")
def hub(make_root_hub: Callable[..., Hub]) -> Iterator[Hub]:
    """A hub whose authenticator each test sets."""
    hub = make_root_hub("directory")
    hub.start("proxy")
    yield hub


def traits_of(**variables: Any) -> dict[str, Any]:
    """Return the configuration of a hub with LDAP."""
    hub = hub_of(hub_authenticator="ldap", **variables)
    traits = hub_traits(hub)
    traits["LDAPAuthenticator"] |= secret_traits(hub).get("LDAPAuthenticator", {})
    return {name: traits[name] for name in ("JupyterHub", "Authenticator", "LDAPAuthenticator")}


def start(hub: Hub, **variables: Any) -> None:
    """Start the hub, or start it again."""
    if "hub" in hub.running:
        hub.kill("hub")
    hub.settings["traits"] = traits_of(**variables)
    hub.write()
    hub.start("hub")


def searched(server: LdapServer, **settings: Any) -> dict[str, Any]:
    """Return settings with which users are searched."""
    return {
        "server_address": "localhost",
        "server_port": server.tls_port,
        "tls_strategy": "on_connect",
        "certificate_authority": str(server.certificate),
        "user_search_base": f"ou=people,{SUFFIX}",
        "lookup_dn_search_user": SEARCH_USER,
        "lookup_dn_search_password": SEARCH_PASSWORD,
        **settings,
    }


def test_users_are_searched(hub: Hub, server: LdapServer) -> None:
    """And who is not allowed, or has a wrong or empty password, cannot log in."""
    start(hub, hub_authenticator_settings=searched(server), hub_allowed_users=["ben"], hub_admins=["ada"])
    assert log_in(hub, "ada", PASSWORDS["ada"]) and hub.api("GET", "users/ada")[1]["admin"]
    assert log_in(hub, "ben", PASSWORDS["ben"]) and not hub.api("GET", "users/ben")[1]["admin"]
    for name, password in (("ada", PASSWORDS["ben"]), ("ada", ""), ("eve", PASSWORDS["eve"]), ("*", PASSWORDS["ada"])):
        assert log_in(hub, name, password) is None, name
    assert log_in(hub, "ada)(uid=*", PASSWORDS["ada"]) is None
    assert SEARCH_PASSWORD not in hub.log("hub") and PASSWORDS["ada"] not in hub.log("hub")


def test_members_of_a_group(hub: Hub, server: LdapServer) -> None:
    """With StartTLS and a template."""
    settings = {
        "server_address": "localhost",
        "server_port": server.port,
        "certificate_authority": str(server.certificate),
        "bind_dn_template": [f"uid={{username}},ou=people,{SUFFIX}"],
    }
    group = f"cn=staff,{SUFFIX}"
    start(hub, hub_authenticator_settings=settings, hub_allowed_users=[], hub_allowed_groups=[group])
    assert log_in(hub, "ben", PASSWORDS["ben"]) and log_in(hub, "eve", PASSWORDS["eve"]) is None


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"certificate_authority": None}, id="unknown authority"),
        pytest.param({"server_address": "127.0.0.1"}, id="another name"),
    ],
)
def test_a_server_with_a_wrong_certificate_gets_no_password(
    hub: Hub, server: LdapServer, changed: dict[str, Any]
) -> None:
    settings = {name: value for name, value in searched(server, **changed).items() if value is not None}
    start(hub, hub_authenticator_settings=settings, hub_allowed_users=["ben"])
    assert log_in(hub, "ben", PASSWORDS["ben"]) is None
    assert "certificate" in hub.log("hub")
