# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rename users of a hub on a machine, where homes can follow.

    GET  hub/api/hubfleet/users/USER/name?new=NAME    ->  {"problem": ""}, or why the user cannot have this name
    POST hub/api/hubfleet/users/USER/name?new=NAME    ->  {}, 409 with a message if the user cannot have this name

Only the service of the playbook users may do this; see users_api.py.
"""

from __future__ import annotations

from typing import Any

from jupyterhub.utils import maybe_future
from tornado import web

from hubfleet_runtime.isolation import IsolationError
from hubfleet_runtime.users_api import UserHandler


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
    return [(r"/api/hubfleet/users/([^/]+)/name", NameHandler)]
