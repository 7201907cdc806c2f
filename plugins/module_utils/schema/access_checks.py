# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about groups and roles: their groups exist, and their users may log in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .authenticators import ALLOW_RULES
from .model import Hub, ValuePath
from .problems import nearest
from .user_names import written_names

Report = Callable[[ValuePath, str], None]


def check_groups_of_roles(hub: Hub, report: Report) -> None:
    """Report groups that nobody can be in, and groups that only the authenticator may fill."""
    if (hub["hub_authenticator_settings"] or {}).get("groups_claim"):
        if hub["hub_groups"]:
            report(("hub_groups",), "is set, but groups_claim in hub_authenticator_settings decides about groups")
        return
    known = hub["hub_groups"] or {}
    for index, role in enumerate(hub["hub_roles"] or ()):
        for group in role["groups"] or ():
            if group not in known:
                report(
                    ("hub_roles", index, "groups"),
                    f"{group!r} is not in hub_groups{nearest(group, known)}",
                )


def check_allowed_groups(
    options: dict[str, Any], groups: Sequence[str] | None, path: ValuePath, report: Report
) -> None:
    """Report groups of the list at ``path`` that are not in hub_groups, if the inventory decides about groups.

    options: the hub's, with defaults. Case does not matter to what enforces the list (allowed_groups.py).
    """
    known = options["hub_groups"] or {}
    if not known:
        return  # the authenticator, or the admin panel, decides
    names = {name.casefold() for name in known}
    for group in groups or ():
        team = options["hub_authenticator"] == "github" and ":" in group
        if not team and group.casefold() not in names:
            report(path, f"{group!r} is not in hub_groups{nearest(group, known)}")


def check_users_may_log_in(hub: Hub, report: Report) -> None:
    """Report users of roles and groups who may not log in, where only users who are named may."""
    others = [rule.name for rule in ALLOW_RULES if rule.name != "hub_allowed_users"]
    if hub["hub_keep_panel_grants"] or hub["hub_allow_everyone"] or any(hub[rule] for rule in others):
        return
    named = {*(hub["hub_allowed_users"] or ()), *(hub["hub_admins"] or ())}
    for path, user in _users(hub):
        if user not in named:
            written = written_names([user])[0]
            report(path, f"{written!r} may not log in: not in hub_allowed_users or hub_admins{nearest(user, named)}")


def named_users(hub: Hub) -> dict[str, ValuePath]:
    """Return the users whom the inventory gives any rights on a hub -> the first place that names them."""
    found: dict[str, ValuePath] = {}
    for option in ("hub_allowed_users", "hub_admins"):
        for index, user in enumerate(hub[option] or ()):
            found.setdefault(user, (option, index))
    for path, user in _users(hub):
        found.setdefault(user, path)
    return found


def _users(hub: Hub) -> Iterator[tuple[ValuePath, str]]:
    for name, group in (hub["hub_groups"] or {}).items():
        for user in group["users"] or ():
            yield ("hub_groups", name, "users"), user
    for index, role in enumerate(hub["hub_roles"] or ()):
        for user in role["users"] or ():
            yield ("hub_roles", index, "users"), user
