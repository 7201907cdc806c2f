# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of users, as JupyterHub compares them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any
from urllib.parse import unquote

from .model import EncryptedValue, UserName, ValuePath

#: Lists of users that JupyterHub creates accounts for, and so refuses to start with a name that is not valid.
_CREATED = ("hub_allowed_users", "hub_admins")
#: How the names of temporary users of checks begin, whose homes are removed (module_utils/check/users.py).
CHECK_PREFIX = "hubfleet-check-"
#: Characters that NativeAuthenticator.validate_username refuses.
_REFUSED_BY_NATIVE = {",": "a comma", " ": "a space"}

Report = Callable[[ValuePath, str], None]


def parse_user_name(text: str) -> UserName:
    """Return a name as JupyterHub normalizes it: in lower case.

    Every authenticator that the schema knows does this (Authenticator.normalize_username), and compares blocked users
    with the result. Raises ValueError for names that JupyterHub refuses (Authenticator.validate_username), and for
    those of checks.
    """
    if not text.strip():
        raise ValueError("is empty")
    if "/" in text:
        raise ValueError(f"{text!r} contains '/', which JupyterHub does not allow in the name of a user")
    if set(unquote(text)) == {"."}:
        raise ValueError(f"{text!r} consists of dots, which JupyterHub does not allow as the name of a user")
    if text.lower().startswith(CHECK_PREFIX):
        raise ValueError(f"{text!r} begins with {CHECK_PREFIX!r}, which is reserved for temporary users of checks")
    return UserName(text.lower(), text)


def written_names(names: Iterable[str] | None) -> list[str]:
    """Return names as they stand in the inventory, as plain text."""
    return [name.written if isinstance(name, UserName) else str(name) for name in names or ()]


def check_created_users(authenticator: str, options: dict[str, Any], report: Report, broken: Collection[str]) -> None:
    """Report names of users that the authenticator does not allow, although JupyterHub itself does."""
    for path, name in _created_users(options, broken):
        refused = "" if isinstance(name, EncryptedValue) else refused_by_authenticator(authenticator, name)
        if refused:
            report(path, refused)


def refused_by_authenticator(authenticator: str, name: str) -> str:
    """Return why an authenticator does not allow the name of a user, although JupyterHub itself does; "" if it does."""
    refused = next(filter(name.__contains__, _REFUSED_BY_NATIVE), "") if authenticator == "native" else ""
    written = written_names([name])[0]
    return f"{written!r} contains {_REFUSED_BY_NATIVE[refused]}, which 'native' does not allow" if refused else ""


def _created_users(options: dict[str, Any], broken: Collection[str]) -> Iterator[tuple[ValuePath, str]]:
    for variable in _CREATED:
        if variable not in broken:
            yield from (((variable, index), name) for index, name in enumerate(options[variable] or ()))
    if "hub_roles" not in broken:
        for index, role in enumerate(options["hub_roles"] or ()):
            for place, name in enumerate(role["users"] or ()):
                yield ("hub_roles", index, "users", place), name


def check_blocked_admins(options: dict[str, Any], report: Report) -> None:
    """Report admins who may not log in."""
    admins = dict(zip(options["hub_admins"] or (), written_names(options["hub_admins"])))
    blocked = options["hub_blocked_users"] or ()
    for name, written in zip(blocked, written_names(blocked)):
        if name in admins:
            other = "" if admins[name] == written else f", as {admins[name]!r}"
            report(("hub_blocked_users",), f"{written!r} is also in hub_admins{other}")
