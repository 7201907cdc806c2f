# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbook users needs beyond JupyterHub's API: sign a user out, reset a password, rename a user.

    POST hub/api/hubfleet/users/USER/sign-out         ->  {"revoked": 2}
    POST hub/api/hubfleet/users/USER/password         ->  {}, the password is in the file of first passwords
    GET  hub/api/hubfleet/users/USER/name?new=NAME    ->  {"problem": ""}, or why the user cannot have this name
    POST hub/api/hubfleet/users/USER/name?new=NAME    ->  {}, 409 with a message if the user cannot have this name

Only the service ``users`` may do this, whose token only the account of the hub can read: with the scope admin:users
alone, people who are no admins could take over admins.
"""

from __future__ import annotations

import json
from typing import Any

from jupyterhub import orm
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.utils import maybe_future
from tornado import web

from hubfleet_runtime import access
from hubfleet_runtime.isolation import IsolationError

SERVICE = "users"


class UserHandler(APIHandler):
    """Base of the handlers, which all are about one user."""

    def user_asked_for(self, user_name: str) -> Any:
        """Return the user. Raises HTTPError: 403 for everybody but the service, 404 for an unknown user."""
        asking = self.current_user
        if not isinstance(asking, orm.Service) or asking.name != SERVICE:
            raise web.HTTPError(403, f"Only the service {SERVICE} may do this")
        user = self.find_user(user_name)
        if user is None:
            raise web.HTTPError(404, f"No such user: {user_name}")
        return user

    def answer(self, **content: Any) -> None:
        """Send JSON."""
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps(content))


class SignOutHandler(UserHandler):
    """End the browser sessions of a user, and all tokens but those of running servers."""

    async def post(self, user_name: str) -> None:
        """Return the number of tokens that were revoked."""
        user = self.user_asked_for(user_name)
        revoked = access.sign_out_user(self.db, user.orm_user)
        self.db.commit()
        self.log.warning("%s is signed out everywhere", user.name)
        self.answer(revoked=revoked)


class PasswordHandler(UserHandler):
    """Give the native account of a user a new first password, and sign the user out."""

    async def post(self, user_name: str) -> None:
        """Return 409 if the hub has no passwords of its own."""
        user = self.user_asked_for(user_name)
        reset = getattr(self.authenticator, "reset_password", None)
        if reset is None:
            raise web.HTTPError(409, "The authenticator of this hub has no passwords of its own")
        reset(user.name)
        access.sign_out_user(self.db, user.orm_user)
        self.db.commit()
        self.answer()


class NameHandler(UserHandler):
    """Rename a user; home, account and password stay with the person."""

    async def get(self, user_name: str) -> None:
        """Return why the user cannot be renamed, "" if nothing but running servers prevents it."""
        user = self.user_asked_for(user_name)
        self.answer(problem=self._problem(user, self._new_name()))

    async def post(self, user_name: str) -> None:
        """Rename the user. Nothing is changed if a step fails."""
        user, new = self.user_asked_for(user_name), self._new_name()
        problem = self._problem(user, new)
        if user.active:
            problem = f"a server of {user.name} runs"
        if problem:
            raise web.HTTPError(409, problem)
        old, backend = user.name, user.spawner.isolation_backend
        try:
            # blocks the hub for a moment: meanwhile, a server of this user could start under the old name
            backend.rename(old, new)
        except IsolationError as error:
            raise web.HTTPError(500, str(error)) from error
        try:
            rename_account = getattr(self.authenticator, "rename_user", None)
            if rename_account:
                rename_account(old, new)
            user.orm_user.name = new
            self.db.commit()
        except Exception:
            self.db.rollback()
            backend.rename(new, old)
            raise
        # the object has addresses with the old name; JupyterHub makes another one when it needs it
        dict.pop(self.users, user.id)
        self.authenticator.allowed_users.discard(old)
        await maybe_future(self.authenticator.add_user(self.users[user.id]))
        self.log.warning("%s has the name %s now", old, new)
        self.answer()

    def _new_name(self) -> str:
        name = self.authenticator.normalize_username(self.get_argument("new"))
        if not self.authenticator.validate_username(name):
            raise web.HTTPError(400, f"{name!r} cannot be the name of a user")
        return str(name)

    def _problem(self, user: Any, new: str) -> str:
        backend = getattr(user.spawner, "isolation_backend", None)
        if backend is None:
            return "the hub has a spawner of its own, and homes that may depend on names"
        if self.find_user(new) is not None:
            return f"{new} is another user of this hub"
        name_problem = getattr(self.authenticator, "name_problem", None)
        try:
            found = name_problem(new, user.name) if name_problem else ""
            return str(found or backend.rename_problem(user.name, new))
        except IsolationError as error:
            return str(error)


def handlers() -> list[tuple[str, Any]]:
    """Return the handlers for JupyterHub.extra_handlers."""
    paths = {"sign-out": SignOutHandler, "password": PasswordHandler, "name": NameHandler}
    return [(rf"/api/hubfleet/users/([^/]+)/{path}", handler) for path, handler in paths.items()]
