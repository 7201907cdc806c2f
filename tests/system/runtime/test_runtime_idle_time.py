# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub that did not run for long starts again: servers that were in use are not stopped as idle."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone

from hub_client import wait_for
from runtime_rig import Hub


def let_time_pass(hub: Hub, hours: float, **idle: float) -> None:
    """Change the database as if the hub had been stopped hours ago, after so many hours without activity of users."""
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    with closing(sqlite3.connect(hub.directory / "jupyterhub.sqlite")) as database:
        database.execute("update api_tokens set last_activity = ?", [str(now - timedelta(hours=hours))])
        for name, idle_hours in idle.items():
            time = str(now - timedelta(hours=hours + idle_hours))
            whose = "user_id = (select id from users where name = ?)"
            database.execute(f"update spawners set last_activity = ?, started = ? where {whose}", [time, time, name])
        database.commit()


def test_time_without_the_hub_is_not_idle_time(make_user_hub: Callable[..., Hub]) -> None:
    hub = make_user_hub("idle", isolation="none")
    hub.start("proxy", "hub")
    assert hub.start_server("ada").get("ready") and hub.start_server("ben").get("ready")
    hub.kill("hub")
    # the culler of the rig allows one hour
    let_time_pass(hub, 2, ada=0.01, ben=1.5)
    hub.start("hub", "culler")
    wait_for("the culler to stop ben's server", lambda: not hub.api("GET", "users/ben")[1]["servers"])
    server = hub.api("GET", "users/ada")[1]["servers"][""]
    assert server["ready"] and server["pending"] is None
    hub.stop()
