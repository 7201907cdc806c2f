# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NativeAuthenticator that gives nobody a name by being the first to sign up for it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nativeauthenticator import NativeAuthenticator
from traitlets import Any as AnyValue
from traitlets import Unicode, default

from hubfleet_runtime import names
from hubfleet_runtime.native_login import handlers
from hubfleet_runtime.native_login.accounts import Accounts
from hubfleet_runtime.native_login.spelling import is_plain, skeleton

#: bcrypt ignores, or refuses, what is longer.
LONGEST_PASSWORD = 72

NOT_ALLOWED = "Only users whom the configuration of this hub allows may log in. Ask those who run it."


class FleetNativeAuthenticator(NativeAuthenticator):
    """Accounts of users that the configuration names are created when the hub starts, with first passwords.

    Others may sign up, but not with the name of a user, a service, or somebody who is listed or blocked.
    """

    first_passwords = Unicode(
        "first-passwords", config=True, help="File that first passwords are written to until they are changed."
    )
    accounts = AnyValue(help="The accounts that the configuration knows of.")

    @default("accounts")
    def _default_accounts(self) -> Accounts:
        return Accounts(
            self.db, self.parent.cookie_secret, Path(self.first_passwords), self.minimum_password_length, self._tell
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        admins, blocked = self._normalized(self.admin_users), self._normalized(self.blocked_users)
        self.accounts.reconcile(self._listed(), admins, blocked, self.open_signup)

    def add_user(self, user: Any) -> Any:
        """Create the account of a user that an admin or a service adds."""
        result = super().add_user(user)
        self.accounts.ensure(user.name)
        return result

    def delete_user(self, user: Any) -> Any:
        """Remove the account, but keep the name of a user of the hub: its home may still be there."""
        result = super().delete_user(user)
        self.accounts.removed(user.name)
        return result

    def create_user(self, username: str, password: str, **kwargs: Any) -> Any:
        """Create the account of somebody who signs up, unless the name is refused."""
        return None if self.refusal(username) else super().create_user(username, password, **kwargs)

    def change_password(self, username: str, new_password: str) -> Any:
        """Change a password; a first password leaves its file."""
        changed = super().change_password(username, new_password)
        if changed:
            self.accounts.password_changed(self.normalize_username(username))
        return changed

    def reset_password(self, username: str) -> None:
        """Give a user a new first password, also if wrong passwords were tried too often."""
        self.accounts.reset(username)
        self.login_attempts.pop(username, None)

    def rename_user(self, username: str, new_name: str) -> None:
        """Let an account follow the new name of its user; the caller commits."""
        self.accounts.rename(username, new_name)

    def name_problem(self, new_name: str, username: str) -> str:
        """Return why a user cannot get a name; "" if nothing prevents it."""
        others = (name for name in self.accounts.present_names() if name != username)
        taken = skeleton(new_name) in map(skeleton, others)
        return f"{new_name} is the name of another account, or too similar to one" if taken else ""

    def is_password_strong(self, password: str) -> bool:
        """Refuse passwords that bcrypt cannot take as a whole, too."""
        return len(password.encode()) <= LONGEST_PASSWORD and super().is_password_strong(password)

    async def authenticate(self, handler: Any, data: dict[str, str]) -> Any:
        """Return the name of the user, None with a wrong password."""
        if len(data["password"].encode()) > LONGEST_PASSWORD:
            return None
        return await super().authenticate(handler, data)

    def check_allowed(self, username: str, authentication: Any = None) -> Any:
        """Allow whom an admin authorized, too, where grants of admins are kept (hub_keep_panel_grants)."""
        if super().check_allowed(username, authentication):
            return True
        account = self.get_user(username)
        return bool(self.allow_existing_users and account and account.is_authorized)

    def can_be_allowed(self, username: str) -> bool:
        """Return whether a user may log in once the account is authorized."""
        return bool(self.allow_all or self.allow_existing_users or username in self.allowed_users)

    def login_error(self, username: str, password: str) -> str:
        """Return why somebody could not log in; only who knows the password is told about the account."""
        name = self.normalize_username(username)
        account = self.get_user(username)
        if account is None or len(password.encode()) > LONGEST_PASSWORD or not account.is_valid_password(password):
            return "Invalid username or password."
        if not (self.check_blocked_users(name) and self.can_be_allowed(name)):
            return NOT_ALLOWED
        if not account.is_authorized:
            return "An admin of this hub has not authorized your account yet."
        if self.allowed_failed_logins and self.is_blocked(name):
            return "You tried wrong passwords too often: try again in some minutes."
        return "Invalid code of the two-factor authentication." if account.has_2fa else "Your login was refused."

    def refusal(self, username: str) -> str:
        """Return why nobody may sign up with a name, in any of its spellings; "" if somebody may."""
        name = self.normalize_username(username)
        if not is_plain(username) or not self.validate_username(name):
            return "A user name must not contain white space, invisible characters, commas or slashes."
        wanted = skeleton(name)
        reserved = [*self._listed(), *self._normalized(self.blocked_users), *self.accounts.service_names()]
        if wanted.startswith(names.CHECK_PREFIX) or wanted in map(skeleton, reserved):
            return (
                "This name is reserved. If it is yours, ask those who run this hub for your first password; "
                "otherwise choose another name."
            )
        if wanted in map(skeleton, self.accounts.known_names()):
            return "This name is taken, or too similar to another user's. Choose another name."
        return "" if self.can_be_allowed(name) else NOT_ALLOWED

    def get_handlers(self, app: Any) -> list[tuple[str, Any]]:
        """Return the handlers of NativeAuthenticator, with ours in the place of some."""
        ours = dict(handlers.HANDLERS)
        return [(path, ours.get(path, handler)) for path, handler in super().get_handlers(app)]

    def _listed(self) -> set[str]:
        """Return the names that the configuration gives rights to: admins, allowed users, those of roles and groups."""
        found = {*self.admin_users, *self.allowed_users}
        for role in self.parent.load_roles:
            found.update(role.get("users") or ())
        for group in self.parent.load_groups.values():
            found.update(group.get("users") or () if isinstance(group, dict) else group)
        return self._normalized(found)

    def _normalized(self, users: Iterable[str]) -> set[str]:
        return {self.normalize_username(user) for user in users}

    def _tell(self, text: str) -> None:
        self.log.warning("Native login: %s", text)
