# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell whose account of NativeAuthenticator gets a new password, since anybody could have signed up for it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ...redaction.redactor import Redactor
from .access_changes import Named


def accounts_taken_over(
    before: dict[str, Any], after: dict[str, Any], signed_up: Collection[str], redactor: Redactor
) -> str:
    """Return a sentence with the names that are listed now and were not; "" if there are none.

    before, after: hub.json. signed_up: names of accounts whose users signed up themselves.
    """
    if ((after.get("traits") or {}).get("JupyterHub") or {}).get("authenticator_class") != "native":
        return ""
    names = (Named(after).listed - Named(before).listed) & set(signed_up)
    if not names:
        return ""
    shown = ", ".join(sorted(redactor.mask(list(names))))
    return f"login: somebody signed up as {shown} before the name was listed; the account gets a new password"
