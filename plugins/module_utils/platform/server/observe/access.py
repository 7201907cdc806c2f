# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare a hub's database with the hub's configuration at its last start: what people changed in the admin panel.

The hub records at each start who has access by its configuration (hubfleet_runtime/access.py), so that what
hub_jupyterhub_config says counts, too.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from ..layout import HubLayout
from ..revisions.database import reading

#: Start of the names of the check's temporary users, as in check/users.py, which machines cannot import.
CHECK_PREFIX = "hubfleet-check-"

#: Source: JupyterHub's jupyterhub/orm.py. Tokens without a date do not expire; dates are in UTC.
_USERS = "SELECT name, admin FROM users"
_WITH_TOKENS = (
    "SELECT DISTINCT users.name FROM users JOIN api_tokens ON api_tokens.user_id = users.id"
    " WHERE api_tokens.expires_at IS NULL OR api_tokens.expires_at > datetime('now')"
)
_MEMBERS = (
    "SELECT groups.name, users.name FROM user_group_map JOIN groups ON groups.id = user_group_map.group_id"
    " JOIN users ON users.id = user_group_map.user_id"
)


@dataclass(frozen=True)
class PanelChanges:
    """How a hub's database differs from its configuration; all names are sorted.

    keep: the hub keeps what was granted. admins, members (by group): granted. tokens: who has tokens, but no access.
    lost_users, lost_admins, lost_members: what was taken away, which every start of the hub restores.
    """

    keep: bool = False
    admins: list[str] = field(default_factory=list)
    members: dict[str, list[str]] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    lost_users: list[str] = field(default_factory=list)
    lost_admins: list[str] = field(default_factory=list)
    lost_members: dict[str, list[str]] = field(default_factory=dict)

    @property
    def restart(self) -> bool:
        """Whether the next start of the hub changes the database."""
        granted = not self.keep and (self.admins or self.members)
        return bool(granted or self.tokens or self.lost_users or self.lost_admins or self.lost_members)


def panel_changes(layout: HubLayout) -> PanelChanges:
    """Return what differs; nothing if the database cannot be read now, or the hub has not started yet."""
    try:
        with reading(layout) as database:
            (text,) = database.execute("SELECT record FROM hubfleet_access").fetchone() or ("",)
            record = json.loads(text or "{}")
            return _compare(record, database) if record else PanelChanges()
    except (sqlite3.Error, ValueError):
        return PanelChanges()


def _compare(record: dict[str, Any], database: sqlite3.Connection) -> PanelChanges:
    users = {name: bool(admin) for name, admin in database.execute(_USERS) if not name.startswith(CHECK_PREFIX)}
    blocked, named = set(record["blocked"]), set(record["users"])
    allowed = named - blocked if record["by_name_only"] else set(users) - blocked
    found = PanelChanges(
        keep=record["keep"],
        tokens=sorted({name for (name,) in database.execute(_WITH_TOKENS)} & set(users) - allowed),
        lost_users=sorted(named - set(users)),
    )
    admins = {name for name, is_admin in users.items() if is_admin}
    found.lost_admins.extend(sorted(set(record["admins"]) & set(users) - admins))
    if record["only_named_admins"]:
        found.admins.extend(sorted(admins - set(record["admins"])))
    members = list(database.execute(_MEMBERS))
    for group, expected in (record["groups"] or {}).items():
        actual = {user for name, user in members if name == group}
        for there, names in ((found.members, actual - set(expected)), (found.lost_members, set(expected) - actual)):
            if names - blocked:
                there[group] = sorted(names - blocked)
    return found
