# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may be able to choose the name of somebody else is said, once for all hubs that it is about."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.login_notices import login_notices
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.test_traits import (
    PROVIDER,
    hub_with,
)

EVERYONE = {"hub_allow_everyone": True}
SECOND = "https://idp.example.com/shibboleth"


def settings(authenticator: str, **changed: Any) -> dict[str, Any]:
    """Return a hub's variables with changed settings of its authenticator."""
    hub = hub_with(authenticator)
    return {"hub_authenticator_settings": {**hub["hub_authenticator_settings"], **changed}}


@pytest.mark.parametrize(
    ("authenticator", "variables", "part"),
    [
        ("generic-oauth", settings("generic-oauth", username_claim="preferred_username"), "claim preferred_username;"),
        ("generic-oauth", settings("generic-oauth", username_claim="email"), "claim email;"),
        (
            "lti",
            {**settings("lti", username_key="email"), **EVERYONE},
            "email addresses of the learning management system",
        ),
        (
            "cilogon",
            {**settings("cilogon", username_claim="email"), "hub_allowed_identity_providers": [PROVIDER, SECOND]},
            "each of the identity providers",
        ),
        (
            "google",
            {**settings("google", strip_domain=False), **EVERYONE, "hub_allowed_domains": []},
            "does not verify all addresses",
        ),
    ],
)
def test_names_that_people_may_choose(authenticator: str, variables: dict[str, Any], part: str) -> None:
    variables = {"hub_allowed_users": [], **variables}
    (notice,) = login_notices([hub_with(authenticator, **variables)] * 3)
    assert part in notice and notice.startswith("alpha and 2 more: ")
    variables = {**variables, "hub_admins": []}
    assert login_notices([hub_with(authenticator, **variables)]) == []


def test_who_can_become_root_is_said() -> None:
    sudo = {"hub_admins": ["ada", "Ben"], "hub_admin_sudo": True}
    said = "alpha: ada, Ben can become root of the machine (hub_admin_sudo)"
    assert login_notices([hub_with("github", **sudo)]) == [said]


@pytest.mark.parametrize("authenticator", ["github", "google", "cilogon", "generic-oauth", "lti", "native"])
def test_nothing_to_say(authenticator: str) -> None:
    assert login_notices([hub_with(authenticator)]) == []
