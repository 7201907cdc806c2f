# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of hubs: who they are, what an operator asks for, and what follows from it on each hub."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..common.text import plural
from ..schema.access_checks import named_users
from ..schema.authenticators import ALLOW_RULES
from ..schema.model import Hub, ValuePath
from ..schema.problems import Problems, nearest
from ..schema.user_names import refused_by_authenticator
from ..schema.written import invisible_characters

LIST, ADD, REMOVE, RENAME, PASSWORD, SIGN_OUT = "list", "add", "remove", "rename", "password", "sign-out"
ACTIONS = (LIST, ADD, REMOVE, RENAME, PASSWORD, SIGN_OUT)

#: The extra variables that people know the parts of a request by.
ACTION, NAMES, NEW_NAME, END_SESSIONS = "users_action", "users_names", "users_new_name", "users_end_sessions"

#: What is said of a user after a change, after "is" or "would be".
_WORDS = {
    ADD: "added",
    REMOVE: "removed; the home is kept",
    RENAME: "renamed to {new_name}",
    PASSWORD: "given a new first password, and signed out",
    SIGN_OUT: "signed out everywhere",
}


@dataclass(frozen=True)
class HubUser:
    """A user as the hub knows it. last_activity: in ISO format, "" if never. servers: name -> state, of those there."""

    name: str
    admin: bool = False
    groups: list[str] = field(default_factory=list)
    last_activity: str = ""
    servers: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the user as JSON-able data."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class FoundUsers:
    """The users of hubs, sorted by name. problems: hub -> why it could not be asked."""

    users: dict[str, list[HubUser]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the same as JSON-able data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> FoundUsers:
        """Return what :meth:`as_dict` returned."""
        found = {hub: [HubUser(**user) for user in users] for hub, users in values["users"].items()}
        return cls(found, values["problems"])


@dataclass(frozen=True)
class Request:
    """What an operator asks for. names: as the hub has them. end_sessions: servers may be stopped."""

    action: str
    names: list[str] = field(default_factory=list)
    new_name: str = ""
    end_sessions: bool = False


@dataclass(frozen=True)
class UserChange:
    """A change of one user of a hub. servers: names of those to stop first; the default server is ""."""

    action: str
    user: str
    new_name: str = ""
    servers: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the change as JSON-able data."""
        return dataclasses.asdict(self)

    def text(self, done: bool) -> str:
        """Return a sentence about the change, which was done or would be."""
        words = _WORDS[self.action].format(new_name=self.new_name)
        stopped = f"; {plural(len(self.servers), 'server')} stopped" if self.servers else ""
        return f"{self.user} {'is' if done else 'would be'} {words}{stopped}"


def refuse(request: Request, hub: Hub, locate: Callable[[ValuePath], str], problems: Problems) -> None:
    """Add why the inventory does not allow a request on a hub; no hub is asked.

    locate: place in the inventory -> "file:line".
    """

    def report(path: ValuePath, message: str) -> None:
        problems.add(path, message, locate(path) if path else "", hub.name)

    if request.action == PASSWORD and hub["hub_authenticator"] != "native":
        report(
            ("hub_authenticator",),
            f"{hub['hub_authenticator']!r} has no passwords that this hub could reset; only 'native' has",
        )
    places = named_users(hub)
    listed = [name for name in request.names if name in places] if request.action in _ADVICE else []
    for name in listed:
        report(places[name], f"{name!r} is listed here; {_ADVICE[request.action].format(new_name=request.new_name)}")
    new_names = {ADD: request.names, RENAME: [] if listed else [request.new_name]}.get(request.action, [])
    by_rules = request.action == RENAME and _has_other_rules(hub)
    for name in new_names:
        _refuse_new(name, hub, name in places or by_rules, report)


#: What to do first with a name that the inventory lists.
_ADVICE = {
    REMOVE: "take the name out and deploy, which ends the access; then the user can be removed",
    RENAME: "write {new_name!r} there, rename the user, then deploy",
}


def _refuse_new(name: str, hub: Hub, may_log_in: bool, report: Callable[[ValuePath, str], None]) -> None:
    """Report why a hub should not get a user of this name. may_log_in: by the inventory."""
    refused = refused_by_authenticator(hub["hub_authenticator"], name) or invisible_characters(name, repr(name))
    if "\n" in name:
        refused = f"{name!r} contains a line break"
    if refused:
        report((), refused)
    if name in (hub["hub_blocked_users"] or ()):
        report(("hub_blocked_users",), f"{name!r} is listed here, and may not log in")
    elif not (may_log_in or hub["hub_keep_panel_grants"] or hub["hub_allow_everyone"]):
        report(
            ("hub_allowed_users",),
            f"{name!r} is not listed, so this user could not log in; put the name into hub_allowed_users and deploy, "
            "or let the hub keep users who were added with hub_keep_panel_grants: true",
        )


def _has_other_rules(hub: Hub) -> bool:
    """Return whether rules allow users whom the inventory does not name."""
    return any(hub[rule.name] for rule in ALLOW_RULES if rule.name != "hub_allowed_users")


def changes_of(request: Request, hub: Hub, users: list[HubUser], problems: Problems) -> list[UserChange]:
    """Return what a request changes on a hub with these users; add why it must not to ``problems``."""
    found, known = [], {user.name: user for user in users}
    for name in request.names:
        user = known.get(name)
        if (user is None) != (request.action == ADD):
            continue  # nothing to do here
        servers = sorted(user.servers) if user else []
        if servers and request.action in (REMOVE, RENAME) and not request.end_sessions:
            problems.add(
                (NAMES,),
                f"{name!r} has a running server; -e {END_SESSIONS}=true stops it, with its kernels",
                "",
                hub.name,
            )
        if request.action == RENAME and request.new_name in known:
            problems.add((NEW_NAME,), f"{request.new_name!r} is another user of this hub", "", hub.name)
        stop = servers if request.end_sessions else []
        found.append(UserChange(request.action, name, request.new_name, stop))
    return found


def refuse_unknown(request: Request, users: dict[str, list[HubUser]], problems: Problems) -> None:
    """Add the names that no hub has."""
    known = {user.name for found in users.values() for user in found}
    for name in request.names if request.action != ADD else ():
        if name not in known:
            problems.add((NAMES,), f"no hub that was selected has a user {name!r}{nearest(name, known)}")
