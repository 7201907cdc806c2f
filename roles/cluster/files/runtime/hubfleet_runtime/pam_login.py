# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PAMAuthenticator for hubs whose servers do not run as the accounts that log in.

JupyterHub's own asks PAM for the name as it was typed, and lowers it afterwards: the account Ada would become the user
ada. PAM accepts any password for an account without one (pam_unix(8): nullok, which Debian sets), and root's.
"""

from __future__ import annotations

import pwd
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator, PAMAuthenticator
from jupyterhub.utils import maybe_future
from traitlets.config import Config

from hubfleet_runtime import names

#: How JupyterHub.authenticator_class names PAMAuthenticator.
NAMES = ("pam", "jupyterhub.auth.PAMAuthenticator")


class FleetPAMAuthenticator(PAMAuthenticator):
    """Accounts of the machine, by their lower-case names; only those of listed users are created."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._listed = {self.normalize_username(name) for name in (*self.allowed_users, *self.admin_users)}

    async def authenticate(self, handler: Any, data: dict[str, str]) -> Any:
        """Return the name of the account, None with a wrong password, for root, and for accounts without a password."""
        name = self.normalize_username(data["username"])
        if not data["password"] or _user_id(name) == 0 or _has_no_password(name):
            return None
        return await maybe_future(super().authenticate(handler, {**data, "username": name}))

    async def add_user(self, user: Any) -> None:
        """Add a user, and the account of one who is listed. Raises KeyError for others without an account."""
        needs_none = names.is_check_user(user.name)
        if user.name in self._listed and not self.create_system_users and not self.system_user_exists(user):
            self.log.warning("%s is listed, but the machine has no such account", user.name)
            needs_none = True
        await maybe_future(Authenticator.add_user(self, user) if needs_none else super().add_user(user))

    def add_system_user(self, user: Any) -> None:
        """Create the account of a user who is listed."""
        if user.name not in self._listed:
            raise KeyError(f"The machine has no account {user.name}, and this name is not listed")
        super().add_system_user(user)
        self.log.warning("The account %s was created, without a password; set one with passwd", user.name)

    def name_problem(self, new_name: str, _username: str) -> str:
        """Return why a user cannot get a name; "" if nothing prevents it."""
        return "" if _user_id(new_name) else f"the machine has no account {new_name} that may log in"


def _user_id(name: str) -> int | None:
    """Return the user id of an account, None if there is none."""
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def _has_no_password(name: str) -> bool:
    """Return whether an account of the machine's own files has an empty password; see passwd(5) and shadow(5)."""
    for path in ("/etc/passwd", "/etc/shadow"):
        for line in Path(path).read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            if line.startswith(f"{name}::"):
                return True
    return False


def configure(c: Config) -> None:
    """Let the hub use FleetPAMAuthenticator if it is configured to use PAMAuthenticator."""
    if c.JupyterHub.get("authenticator_class") in NAMES:
        c.JupyterHub.authenticator_class = FleetPAMAuthenticator
