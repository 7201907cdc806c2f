# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do not count time in which the hub did not run as idle time of servers, when the hub starts.

Nobody could report activity to it then, and the idle culler looks at servers at once: it would stop those in use.

A subclass of the configured authenticator does it in check_allow_config(), as access.py does.

Hubs on Kubernetes run the text of this file as configuration, so it imports nothing else of this package.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from jupyterhub import orm
from jupyterhub.app import JupyterHub
from jupyterhub.auth import Authenticator
from sqlalchemy import func
from traitlets.config import Config

#: The proxy is asked for activity once in a minute: what the hub knows may be so old, and news take as long again.
UNKNOWN = timedelta(minutes=2)


def exempt(db: Any, now: datetime) -> None:
    """Move the last activity of servers that run by the time since the hub last knew anything, and by UNKNOWN.

    now: in UTC, without a time zone, as in the database.
    """
    # every report of a server, and every look of the idle culler, comes with a token
    times = [db.query(func.max(column)).scalar() for column in (orm.Spawner.last_activity, orm.APIToken.last_activity)]
    known = max((time for time in times if time), default=now)
    for server in db.query(orm.Spawner).filter(orm.Spawner.server_id.isnot(None)):
        active = server.last_activity or server.started
        if active:
            server.last_activity = min(now, active + (now - known) + UNKNOWN)
    db.commit()


def exempting(base: type[Authenticator]) -> type[Authenticator]:
    """Return a subclass of an authenticator that does it; it takes the configuration of ``base``."""

    class ExemptingAuthenticator(base):  # type: ignore[misc, valid-type]
        """The configured authenticator."""

        def check_allow_config(self) -> None:
            super().check_allow_config()
            exempt(self.parent.db, datetime.now(timezone.utc).replace(tzinfo=None))

    ExemptingAuthenticator.__name__ = ExemptingAuthenticator.__qualname__ = base.__name__
    ExemptingAuthenticator.__module__ = base.__module__
    return ExemptingAuthenticator


def configure(c: Config) -> None:
    """Do it whenever the hub starts; after everything that may set an authenticator."""
    configured = c.JupyterHub.get("authenticator_class")
    # JupyterHub itself resolves names of classes and entry points
    hub = JupyterHub(authenticator_class=configured) if configured else JupyterHub()
    c.JupyterHub.authenticator_class = exempting(hub.authenticator_class)
