# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbook users needs beyond JupyterHub's API, the same on machines and on Kubernetes.

    POST   hub/api/hubfleet/users/USER/sign-out       ->  {"revoked": 2}
    POST   hub/api/hubfleet/users/USER/password       ->  {}, the password is in the file of first passwords
    DELETE hub/api/hubfleet/users/USER                ->  {}, 409 with a message while a server of the user runs

Only the service of the playbook may do this: with the scope admin:users alone, people who are no admins could take over
admins. On a machine only the account of the hub can read its token, on Kubernetes who can read the hub's Secret.

Hubs on Kubernetes have this file without the rest of the package; it imports nothing else but access.py.
"""

from __future__ import annotations

import json
from typing import Any

from jupyterhub import orm
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.utils import maybe_future
from tornado import web

from hubfleet_runtime import access

#: Name of the service on machines.
SERVICE = "users"


class UserHandler(APIHandler):
    """Base of the handlers, which all are about one user."""

    def initialize(self, service: str = SERVICE) -> None:
        """Take the name of the service that may do this; called by tornado."""
        self.service = service

    def user_asked_for(self, user_name: str) -> Any:
        """Return the user. Raises HTTPError: 403 for everybody but the service, 404 for an unknown user."""
        self.require_service()
        user = self.find_user(user_name)
        if user is None:
            raise web.HTTPError(404, f"No such user: {user_name}")
        return user

    def require_service(self) -> None:
        """Raise HTTPError (403) for everybody but the service."""
        asking = self.current_user
        if not isinstance(asking, orm.Service) or asking.name != self.service:
            raise web.HTTPError(403, f"Only the service {self.service} may do this")

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


class RemovalHandler(UserHandler):
    """Remove a user, and keep the home: where JupyterHub's API deletes a user, KubeSpawner deletes the volume."""

    async def delete(self, user_name: str) -> None:
        """Remove the user from the database, with tokens and sessions. A user who is gone already is no error."""
        self.require_service()
        user = self.find_user(user_name)
        if user is not None:
            if user.active:
                raise web.HTTPError(409, f"a server of {user.name} runs")
            await maybe_future(self.authenticator.delete_user(user))
            self.users.delete(user)
            self.log.warning("%s is removed; the home is kept", user_name)
        self.answer()


def handlers(service: str = SERVICE) -> list[tuple[str, Any, dict[str, str]]]:
    """Return the handlers for JupyterHub.extra_handlers. service: name of the service that may use them."""
    paths = {"": RemovalHandler, "/sign-out": SignOutHandler, "/password": PasswordHandler}
    return [(rf"/api/hubfleet/users/([^/]+){path}", handler, {"service": service}) for path, handler in paths.items()]
