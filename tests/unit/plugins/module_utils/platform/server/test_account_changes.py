# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan tells whose account gets a new password, since somebody signed up for it before the name was listed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.account_changes import (
    accounts_taken_over,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import HubLayout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.observe.accounts import signed_up
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.redaction.redactor import Redactor


def config(authenticator: str = "native", admins: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """Return the parts of a hub.json that matter."""
    people = {"admin_users": list(admins), "allowed_users": ["ada"]}
    return {"traits": {"JupyterHub": {"authenticator_class": authenticator}, "Authenticator": people}, **more}


@pytest.mark.parametrize(
    ("after", "names"),
    [
        (config(admins=("Ben",)), "ben"),
        (config(roles=[{"name": "tutors", "users": ["ben", "eve"]}]), "ben, eve"),
        (config(groups={"staff": {"users": ["eve"]}}), "eve"),
        (config(admins=("carl",)), ""),
        (config(admins=("ada",)), ""),
        (config("github", admins=("ben",)), ""),
    ],
)
def test_names_that_are_listed_now(after: dict[str, Any], names: str) -> None:
    found = accounts_taken_over(config(), after, ["ada", "ben", "eve"], Redactor())
    expected = f"login: somebody signed up as {names} before the name was listed; the account gets a new password"
    assert found == (expected if names else "")


def test_names_that_are_encrypted_are_masked() -> None:
    redactor = Redactor(secret_texts=lambda: {"benjamin"})
    assert "as *** before" in accounts_taken_over(config(), config(admins=("benjamin",)), ["benjamin"], redactor)


def test_who_signed_up(tmp_path: Path) -> None:
    layout = HubLayout(str(tmp_path))
    assert signed_up(layout) == [] and not list(tmp_path.iterdir())
    with closing(sqlite3.connect(tmp_path / "jupyterhub.sqlite")) as database:
        database.execute("CREATE TABLE users_info (username TEXT)")
        database.executemany("INSERT INTO users_info VALUES (?)", [("zoe",), ("ada",), ("ben",)])
        database.commit()
        assert signed_up(layout) == []  # the hub did not start with our code yet
        database.execute("CREATE TABLE hubfleet_accounts (username TEXT)")
        database.execute("INSERT INTO hubfleet_accounts VALUES ('ada')")
        database.commit()
    assert signed_up(layout) == ["ben", "zoe"]
