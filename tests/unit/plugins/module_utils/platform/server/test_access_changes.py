# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan tells by name who loses access, and what people changed in the admin panel."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import DRIFTED, UNCHANGED
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.access_changes import (
    inventory_changes,
    kept_sentences,
    panel_sentences,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import HubLayout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.access import (
    PanelChanges,
    panel_changes,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.hub import ObservedHub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.redaction.redactor import Redactor
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.diffs import diff_of, texts
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.test_diff import (
    GITHUB,
    desired,
    hub_of,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.test_drift import deployed

NAMES = {"hub_allowed_users": ["ada", "ben", "eve"], "hub_admins": ["ada"]}
DOMAINS = {**GITHUB, "hub_authenticator": "google", "hub_allowed_users": None, "hub_allowed_domains": ["example.org"]}


@pytest.mark.parametrize(
    "before, after, told",
    [
        ({}, {"hub_allowed_users": ["ada", "ben"]}, "eve is no longer allowed to log in"),
        ({}, {"hub_allowed_users": ["ada"]}, "ben and eve are no longer allowed to log in"),
        ({}, {"hub_admins": ["ben"]}, "ada is no longer admin"),
        ({}, {"hub_admin_sudo": True}, "ada is allowed to become root of the machine now"),
        ({"hub_admin_sudo": True}, {}, "ada is no longer allowed to become root of the machine"),
        ({}, {"hub_allowed_users": ["ADA", "ben", "eve"]}, ""),
        ({}, {"hub_blocked_users": ["ben"]}, "ben is blocked now"),
        ({}, {"hub_allowed_users": None, "hub_allow_everyone": True}, ""),
        (
            {**GITHUB, "hub_allowed_organizations": ["uni"]},
            {**GITHUB, "hub_allowed_organizations": ["uni"], "hub_allowed_users": ["ada", "ben"]},
            "eve is no longer allowed by name",
        ),
        ({**DOMAINS, "hub_admins": ["ada"]}, {**DOMAINS, "hub_admins": []}, "ada is no longer admin"),
        (
            {"hub_groups": {"staff": {"users": ["ada", "ben"]}, "old": {"users": ["eve"]}}},
            {"hub_groups": {"staff": {"users": ["ada"]}}},
            "eve is no longer in the group old; ben is no longer in the group staff",
        ),
    ],
)
def test_the_inventory_takes_access_away(before: dict[str, Any], after: dict[str, Any], told: str) -> None:
    configs = [desired(hub_of(**{**NAMES, **given})).config for given in (before, after)]
    assert "; ".join(inventory_changes(configs[0], configs[1], Redactor())) == told


def offering(groups: list[str] | None) -> dict[str, Any]:
    """Return the hub.json of a hub whose only environment and size are for groups."""
    environment = {"name": "python", "allowed_groups": groups}
    size = {"name": "small", "memory": "1G", "allowed_groups": groups}
    given = {key: [{name: value for name, value in entry.items() if value is not None}] for key, entry in (
        ("hub_environments", environment), ("hub_sizes", size))}  # fmt: skip
    return desired(hub_of(**given)).config


@pytest.mark.parametrize(
    "before, after, told",
    [
        (None, ["b", "a"], "members of a, b only"),
        (["a"], ["a", "b"], "members of a, b only"),
        (["a"], [], "members of no group only"),
        (["a"], None, "all users"),
        (["a"], ["a"], ""),
    ],
)
def test_what_is_for_other_groups_is_told(before: list[str] | None, after: list[str] | None, told: str) -> None:
    found = inventory_changes(offering(before), offering(after), Redactor())
    assert found == ([f"{offer} is for {told} now" for offer in ("environment python", "size small")] if told else [])


def test_a_long_list_of_names_is_cut() -> None:
    many = [f"user-{number}" for number in range(9)]
    before, after = (desired(hub_of(hub_allowed_users=names)).config for names in (["ada", *many], ["ada"]))
    expected = "user-0, user-1, user-2, user-3, user-4 and 4 more are no longer allowed to log in"
    assert inventory_changes(before, after, Redactor()) == [expected]


def test_an_encrypted_name_is_masked() -> None:
    before, after = (desired(hub_of(hub_allowed_users=names)).config for names in (["ada", "hidden-person"], ["ada"]))
    told = inventory_changes(before, after, Redactor(secret_texts=lambda: frozenset({"hidden-person"})))
    assert told == ["*** is no longer allowed to log in"]


def seen(**changes: Any) -> ObservedHub:
    """Return a hub that was deployed, then changed in its admin panel."""
    return replace(deployed(desired(hub_of())), panel=PanelChanges(**changes))


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"admins": ["carol"]}, "carol is made admin in the admin panel; to be taken back"),
        ({"members": {"staff": ["ben"]}}, "ben is added to the group staff in the admin panel; to be taken back"),
        ({"tokens": ["ben"]}, "ben is not allowed to log in; tokens are to be revoked"),
        ({"lost_users": ["ada"]}, "ada is deleted in the admin panel; to be restored"),
        ({"keep": True, "lost_admins": ["ada"]}, "ada is made an ordinary user in the admin panel; to be restored"),
    ],
)
def test_changes_of_the_admin_panel_are_drift(changes: dict[str, Any], told: str) -> None:
    diff = diff_of(desired(hub_of()), seen(**changes), [])
    assert diff.action == DRIFTED and texts(diff) == [f"access: {told}"]
    assert PanelChanges(**changes).restart


def test_what_is_kept_is_no_change_but_told() -> None:
    kept = {"keep": True, "admins": ["carol"], "members": {"staff": ["ben"]}}
    assert diff_of(desired(hub_of()), seen(**kept), []).action == UNCHANGED
    changes = PanelChanges(**kept)
    assert not changes.restart and panel_sentences(changes, Redactor()) == []
    assert kept_sentences(changes) == [
        "carol is made admin in the admin panel; kept",
        "ben is added to the group staff in the admin panel; kept",
    ]


def test_a_hub_comes_back_from_another_machine_with_its_changes() -> None:
    hub = seen(admins=["carol"], lost_members={"staff": ["ben"]})
    assert ObservedHub.from_dict(hub.as_dict()) == hub


@pytest.mark.parametrize("content", [None, b"", b"no database at all", b"SQLite format 3\0"])
def test_a_database_that_cannot_be_read_does_not_matter(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "jupyterhub.sqlite").write_bytes(content)
    assert panel_changes(HubLayout(str(tmp_path))) == PanelChanges()


def test_a_locked_database_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions.database.READ_TIMEOUT",
        0.1,
    )
    with closing(sqlite3.connect(tmp_path / "jupyterhub.sqlite", isolation_level=None)) as database:
        database.execute("CREATE TABLE hubfleet_access (record TEXT)")
        database.execute("BEGIN EXCLUSIVE")
        assert panel_changes(HubLayout(str(tmp_path))) == PanelChanges()
