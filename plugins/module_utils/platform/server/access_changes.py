# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell by name who loses access by a deploy, and what people changed in JupyterHub's admin panel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...redaction.redactor import Redactor
from .observe.access import PanelChanges

#: Names that are shown of a longer list.
SHOWN = 5

#: Traits of authenticators that allow users who are not named; hub_options have no others.
OTHER_RULES = {"allowed_organizations", "allowed_groups", "allowed_domains"}


def inventory_changes(before: dict[str, Any], after: dict[str, Any], redactor: Redactor) -> list[str]:
    """Return who loses what, and what is for other groups, if a hub's hub.json is replaced by another one."""
    old, new = Named(before), Named(after)
    found: list[tuple[Iterable[str], str]] = []
    if not new.everyone:
        what = "no longer allowed by name" if new.by_other_rules else "no longer allowed to log in"
        found.append((old.users - new.users - new.blocked, what))
    found.append((new.blocked - old.blocked, "blocked now"))
    found.append((old.admins - new.admins, "no longer admin"))
    for group, members in sorted(old.groups.items()):
        found.append((members - new.groups.get(group, set()), f"no longer in the group {group}"))
    old_roots = old.admins if before.get("admin_sudo") else set()
    new_roots = new.admins if after.get("admin_sudo") else set()
    found.append((new_roots - old_roots, "allowed to become root of the machine now"))
    found.append((old_roots - new_roots, "no longer allowed to become root of the machine"))
    return _sentences(found, redactor) + _offer_changes(before, after, redactor)


def _offer_changes(before: dict[str, Any], after: dict[str, Any], redactor: Redactor) -> list[str]:
    """Return for which groups environments and sizes are, as far as that changes."""
    old, new = _offers(before), _offers(after)
    found = []
    for offer, groups in new.items():
        if offer in old and groups != old[offer]:
            who = "all users" if groups is None else f"members of {', '.join(sorted(groups)) or 'no group'} only"
            found.append(f"{offer} is for {who} now")
    return [str(redactor.mask(sentence)) for sentence in found]


def _offers(config: dict[str, Any]) -> dict[str, set[str] | None]:
    """Return the environments and sizes of a hub.json, with the groups that they are for; None for all users."""
    found: dict[str, set[str] | None] = {}
    for profile in config.get("profile_list") or ():
        sizes = ((profile.get("profile_options") or {}).get("size") or {}).get("choices") or {}
        offers = {f"environment {profile.get('slug')}": profile}
        offers.update((f"size {name}", choice) for name, choice in sizes.items())
        for offer, entry in offers.items():
            groups = entry.get("allowed_groups")
            found[offer] = None if groups is None else set(map(str, groups))
    return found


def panel_sentences(changes: PanelChanges, redactor: Redactor) -> list[str]:
    """Return what the next start of the hub takes back or restores in its database."""
    found = [] if changes.keep else _grants(changes, "to be taken back")
    found += [
        (changes.tokens, "not allowed to log in; tokens are to be revoked"),
        (changes.lost_users, "deleted in the admin panel; to be restored"),
        (changes.lost_admins, "made an ordinary user in the admin panel; to be restored"),
    ]
    for group, members in changes.lost_members.items():
        found.append((members, f"removed from the group {group} in the admin panel; to be restored"))
    return _sentences(found, redactor)


def kept_sentences(changes: PanelChanges) -> list[str]:
    """Return what was granted in the admin panel and stays; none of it is in the inventory, or secret."""
    return _sentences(_grants(changes, "kept"), Redactor()) if changes.keep else []


def _grants(changes: PanelChanges, end: str) -> list[tuple[Iterable[str], str]]:
    found: list[tuple[Iterable[str], str]] = [(changes.admins, f"made admin in the admin panel; {end}")]
    for group, members in changes.members.items():
        found.append((members, f"added to the group {group} in the admin panel; {end}"))
    return found


class Named:
    """Whom a hub.json names. everyone: all others may log in, too. by_other_rules: some others may.

    listed: everybody whom it gives rights to, as hubfleet_runtime/native_login/authenticator.py has them.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        sections = config.get("traits") or {}
        traits = sections.get("Authenticator") or {}
        self.admins = _names(traits.get("admin_users"))
        self.users = _names(traits.get("allowed_users")) | self.admins
        self.blocked = _names(traits.get("blocked_users"))
        self.groups = {name: _names(group.get("users")) for name, group in (config.get("groups") or {}).items()}
        roles = (_names(role.get("users")) for role in config.get("roles") or ())
        self.listed = self.users.union(*self.groups.values(), *roles)
        rules = {rule for section in sections.values() for rule, value in section.items() if value}
        for provider in (sections.get("CILogonOAuthenticator") or {}).get("idps", {}).values():
            rules |= {rule for rule, value in provider.items() if value}
        self.everyone = "allow_all" in rules
        self.by_other_rules = bool(rules & OTHER_RULES)


def _names(values: Iterable[str] | None) -> set[str]:
    return {str(value).lower() for value in values or ()}


def _sentences(found: list[tuple[Iterable[str], str]], redactor: Redactor) -> list[str]:
    """Return sentences such as "ben and eve are no longer admin"; none where there are no names."""
    return [_sentence(sorted(redactor.mask(list(names))), what) for names, what in found if names]


def _sentence(names: list[str], what: str) -> str:
    more = len(names) - SHOWN
    shown = [*names[:SHOWN], f"{more} more"] if more > 0 else names
    who = " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
    return f"{who} {'is' if len(names) == 1 else 'are'} {what}"
