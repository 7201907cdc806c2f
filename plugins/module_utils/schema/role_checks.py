# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about roles: what JupyterHub refuses when it starts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from .model import Hub, ValuePath
from .option import SERVER
from .problems import nearest

Report = Callable[[ValuePath, str], None]

#: Scopes of every supported version (jupyterhub.scopes.scope_definitions).
_SCOPES = frozenset(
    (
        "(no_scope)",
        "self",
        "inherit",
        "admin-ui",
        "admin:users",
        "admin:auth_state",
        "users",
        "users:activity",
        "users:shares",
        "delete:users",
        "list:users",
        "read:users",
        "read:users:name",
        "read:users:groups",
        "read:users:activity",
        "read:users:shares",
        "read:roles",
        "read:roles:users",
        "read:roles:services",
        "read:roles:groups",
        "admin:servers",
        "admin:server_state",
        "servers",
        "read:servers",
        "delete:servers",
        "access:servers",
        "tokens",
        "read:tokens",
        "admin:groups",
        "groups",
        "groups:shares",
        "list:groups",
        "delete:groups",
        "read:groups",
        "read:groups:name",
        "read:groups:shares",
        "admin:services",
        "list:services",
        "read:services",
        "read:services:name",
        "access:services",
        "shares",
        "read:shares",
        "read:hub",
        "read:metrics",
        "proxy",
        "shutdown",
    )
)
#: Version -> its further scopes.
_NEWER_SCOPES = {"6.1": frozenset({"start:servers"})}
#: Source: jupyterhub.scopes.define_custom_scopes; whether one is defined is known only to the hub.
_CUSTOM_SCOPE = re.compile(r"custom:[a-z0-9][a-z0-9_\-*:]+[a-z0-9_*]")
#: Source: jupyterhub.scopes._check_scopes_exist.
_FILTER = re.compile(r"user|service|server|(user|service|group|server)=.+")


def check_roles(hub: Hub, report: Report) -> None:
    """Report roles that JupyterHub does not start with: unknown scopes, and its own role for admins."""
    for index, role in enumerate(hub["hub_roles"] or ()):
        if role["name"] == "admin":
            message = "'admin' is a role of JupyterHub, whose scopes cannot be changed; use hub_admins, or another name"
            report(("hub_roles", index, "name"), message)
        check_scopes(hub, ("hub_roles", index, "scopes"), role["scopes"] or (), report)


def check_scopes(hub: Hub, path: ValuePath, scopes: Sequence[str], report: Report) -> None:
    """Report scopes of a list at ``path`` that JupyterHub does not know."""
    version = hub["hub_jupyterhub_version"] if hub.platform == SERVER else None
    known = _SCOPES.union(*(newer for number, newer in _NEWER_SCOPES.items() if version in (None, number)))
    for place, scope in enumerate(scopes):
        message = _scope_problem(scope, known, version)
        if message:
            report((*path, place), message)


def _scope_problem(scope: str, known: frozenset[str], version: str | None) -> str:
    name, mark, chosen = scope.partition("!")
    if name not in known and not _CUSTOM_SCOPE.fullmatch(name):
        return f"{name!r} is not a scope of JupyterHub{f' {version}' if version else ''}{nearest(name, known)}"
    if mark and not _FILTER.fullmatch(chosen):
        return f"'!{chosen}' is not a filter of scopes, such as !user, !user=ada, !group=staff or !server=ada/"
    kind, _equals, user = chosen.partition("=")
    if kind == "user" and user != user.lower():
        return f"'!{chosen}' is no user, since JupyterHub changes names to lower case; write '!user={user.lower()}'"
    return ""
