# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The right of a hub's admins to become root of its machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..common.text import abbreviated
from .authenticators import BY_NAME as AUTHENTICATORS
from .model import Hub, ValuePath
from .option import SERVER, Option
from .user_names import written_names

VARIABLE = "hub_admin_sudo"
#: The isolation in which users have accounts that sudo knows.
ACCOUNTS = "system-users"
OPTION = Option(
    VARIABLE,
    "bool",
    (
        "Whether O(hub_admins) can become root of the machine with C(sudo), without a password.",
        "Whoever gets into the account of an admin then has the machine, with all hubs on it.",
        "Requires C(cluster_isolation=system-users).",
    ),
    default=False,
    platforms=(SERVER,),
)


def check_admin_sudo(hub: Hub, report: Callable[[ValuePath, str], None]) -> None:
    """Report where nobody, or everybody, would get the right, and where users have no accounts."""
    if not hub[VARIABLE]:
        return
    isolation, authenticator = hub.cluster["cluster_isolation"], AUTHENTICATORS.get(hub["hub_authenticator"])
    if not hub["hub_admins"]:
        report((VARIABLE,), "has no effect without hub_admins")
    elif authenticator and authenticator.demonstration:
        report((VARIABLE,), f"cannot be set with the authenticator {authenticator.name!r}: everybody could become root")
    elif isolation not in ("auto", ACCOUNTS):
        report((VARIABLE,), f"requires accounts of users; cluster_isolation is {isolation!r}, not {ACCOUNTS!r}")


def sudo_notices(hubs: Iterable[Hub]) -> list[str]:
    """Return who can become root, for each hub where somebody can."""
    return [
        f"{hub.name}: {abbreviated(written_names(hub['hub_admins']), 5)} can become root of the machine ({VARIABLE})"
        for hub in hubs
        if hub[VARIABLE] and hub["hub_admins"]
    ]
