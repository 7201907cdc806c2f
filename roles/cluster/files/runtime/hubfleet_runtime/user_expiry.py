# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove users who were not active for long from JupyterHub's database; their homes stay.

jupyterhub-idle-culler (--cull-users) cannot do it: it has one timeout for servers and users, knows nobody who must stay
but admins, and deleting a user through the API makes KubeSpawner delete the volume of the home. So the authenticator,
which knows the configuration, does it inside of the hub.

Hubs on Kubernetes run the text of this file as configuration, so it imports nothing else of this package.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from jupyterhub import orm
from jupyterhub.app import JupyterHub
from jupyterhub.auth import Authenticator
from jupyterhub.utils import maybe_future
from sqlalchemy import func
from tornado.ioloop import IOLoop, PeriodicCallback
from traitlets.config import Config

#: Seconds from the start of the hub to the first look at its users, and between two looks.
FIRST_LOOK, INTERVAL = 10, 3600
#: Users of checks, which remove them themselves.
CHECKS = "hubfleet-check-"
#: Authenticators whose accounts end with the user: somebody else could take the name, and with it the home.
WITH_ACCOUNTS = {"NativeAuthenticator", "FirstUseAuthenticator"}


def named_users(authenticator: Any) -> set[str]:
    """Return everybody whom the configuration names, as the authenticator normalizes names.

    Call it before the hub reads its database, since the authenticator then adds users to what is configured.
    """
    hub = authenticator.parent
    names = {*authenticator.allowed_users, *authenticator.admin_users, *authenticator.blocked_users, *hub.admin_users}
    for content in hub.load_groups.values():
        names.update(content if isinstance(content, (list, tuple)) else content.get("users") or ())
    for role in hub.load_roles:
        names.update(role.get("users") or ())
    return {authenticator.normalize_username(name) for name in names}


def expired(hub: Any, named: set[str], seconds: int) -> list[Any]:
    """Return the users to remove: neither named nor admins, without servers, and not active for ``seconds``."""
    last = func.coalesce(orm.User.last_activity, orm.User.created)
    # the database has UTC without a time zone
    since = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(seconds=seconds)
    return [
        user
        for user in hub.db.query(orm.User).filter(last < since)
        if user.name not in named
        and not user.name.startswith(CHECKS)
        and not user.admin
        and not any(role.name == "admin" for role in user.roles)
        and all(spawner.server is None for spawner in user.orm_spawners.values())
        and not hub.users[user].active
    ]


async def remove_expired(hub: Any, named: set[str], seconds: int) -> None:
    """Remove users who expired, as JupyterHub's API does, but for what belongs to their servers, such as volumes."""
    for user in expired(hub, named, seconds):
        hub.log.info("Removing user %s, who was not active for %d seconds", user.name, seconds)
        await maybe_future(hub.authenticator.delete_user(hub.users[user]))
        hub.users.delete(user)


def expiring(base: type[Authenticator], seconds: int) -> type[Authenticator]:
    """Return a subclass of an authenticator that lets users expire; it takes the configuration of ``base``."""

    class ExpiringAuthenticator(base):  # type: ignore[misc, valid-type]
        """The configured authenticator."""

        def check_allow_config(self) -> None:
            # before a subclass changes what is configured, and before the database is read
            hub, named = self.parent, named_users(self)
            super().check_allow_config()
            if WITH_ACCOUNTS & {each.__name__ for each in base.__mro__}:
                self.log.warning("Users do not expire: somebody else could then take their names, and homes")
                return

            async def look() -> None:
                await remove_expired(hub, named, seconds)

            IOLoop.current().call_later(FIRST_LOOK, look)
            self._expiry = PeriodicCallback(look, INTERVAL * 1000)
            self._expiry.start()

    ExpiringAuthenticator.__name__ = ExpiringAuthenticator.__qualname__ = base.__name__
    ExpiringAuthenticator.__module__ = base.__module__
    return ExpiringAuthenticator


def configure(c: Config, seconds: int) -> None:
    """Let users expire who were not active for ``seconds``; after everything that may set an authenticator."""
    configured = c.JupyterHub.get("authenticator_class")
    hub = JupyterHub(authenticator_class=configured) if configured else JupyterHub()
    c.JupyterHub.authenticator_class = expiring(hub.authenticator_class, seconds)
