# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read which accounts of NativeAuthenticator belong to people who signed up themselves."""

from __future__ import annotations

import sqlite3

from ..layout import HubLayout
from ..revisions.database import reading

#: Source: nativeauthenticator/orm.py, and hubfleet_runtime/native_login/accounts.py for the accounts of other origin.
_SIGNED_UP = "SELECT username FROM users_info WHERE username NOT IN (SELECT username FROM hubfleet_accounts)"


def signed_up(layout: HubLayout) -> list[str]:
    """Return the sorted names; none if the database cannot be read now, or the hub has no such accounts."""
    try:
        with reading(layout) as database:
            return sorted(name for (name,) in database.execute(_SIGNED_UP))
    except sqlite3.Error:
        return []
