# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of users, as JupyterHub compares them."""

from __future__ import annotations

import copy
import pickle

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.traits import hub_traits
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.user_names import (
    parse_user_name,
    written_names,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.schema.sound import hub_of


def test_names_are_compared_as_jupyterhub_does() -> None:
    name = parse_user_name("Ada.Lovelace@Example.org")
    assert name == "ada.lovelace@example.org"
    assert written_names([name, "ben"]) == ["Ada.Lovelace@Example.org", "ben"]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda name: pickle.loads(pickle.dumps(name))])
def test_copies_keep_what_is_written(copied: object) -> None:
    assert copied(parse_user_name("Ada")).written == "Ada"  # type: ignore[operator]


@pytest.mark.parametrize("name", ["a/b", ".", "..", "%2E%2e", " "])
def test_refused(name: str) -> None:
    with pytest.raises(ValueError, match="dots|contains '/'|is empty"):
        parse_user_name(name)


def test_a_machine_gets_them_in_lower_case() -> None:
    """JupyterHub does not normalize blocked users itself."""
    people = ["Mallory", "O'Brien"]
    hub = hub_of(hub_blocked_users=people, hub_admins=["Ada"], hub_allowed_users=["Ben"])
    traits = hub_traits(hub)["Authenticator"]
    assert traits["blocked_users"] == ["mallory", "o'brien"]
    assert (traits["admin_users"], traits["allowed_users"]) == (["ada"], ["ben"])
