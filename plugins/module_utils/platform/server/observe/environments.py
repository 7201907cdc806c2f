# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the environments of a machine: what was built, and who uses it."""

from __future__ import annotations

import datetime
import json
import os
import re
import sqlite3
from collections.abc import Iterator

from ....environments.build.model import COMPLETE
from ....environments.build.space import size_of
from ....fleet.environments import BuiltEnvironment, FoundEnvironments, LastUse
from ..layout import Layout
from ..revisions import history
from ..revisions.database import reading
from .access import CHECK_PREFIX

_BUILT = re.compile(r"(.+)-[0-9a-f]{12}")
#: Source: JupyterHub's jupyterhub/orm.py; dates are in UTC.
_USES = (
    "SELECT users.name, COALESCE(spawners.last_activity, spawners.started), spawners.user_options"
    " FROM spawners JOIN users ON users.id = spawners.user_id"
)


def environments(layout: Layout, hubs: list[str]) -> FoundEnvironments:
    """Return the environments of a machine, by name and age, and what the databases of hubs say of their use."""
    folder = os.path.join(layout.root, "environments")
    records = {hub: history.records(layout.hub(hub)) for hub in hubs}
    current = {hub: set(found[0].builds) if found else set() for hub, found in records.items()}
    earlier = {hub: {build for record in found for build in record.builds} for hub, found in records.items()}
    sessions, built = _sessions(), []
    for directory in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        path, name = os.path.join(folder, directory), _BUILT.fullmatch(directory)
        marker = os.path.join(path, COMPLETE)
        if not name or not os.path.exists(marker):
            continue
        offering = [hub for hub in hubs if directory in current[hub]]
        built.append(
            BuiltEnvironment(
                name[1],
                directory,
                _utc(os.stat(marker).st_mtime),
                size_of(path),
                sorted(user for user, command in sessions if f"/{directory}/" in command),
                offering,
                [hub for hub in hubs if directory in earlier[hub] and hub not in offering],
            )
        )
    return FoundEnvironments(
        sorted(built, key=lambda each: (each.name, each.built)), [use for hub in hubs for use in _uses(layout, hub)]
    )


def _sessions() -> list[tuple[str, str]]:
    """Return user and command line of every server of a user that this account sees. Source: proc(5)."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                command = file.read().decode(errors="replace")
            if "jupyterhub-singleuser" not in command:
                continue
            with open(f"/proc/{pid}/environ", "rb") as file:
                entries = file.read().decode(errors="replace").split("\0")
        except OSError:  # it has ended, or belongs to another account
            continue
        user = dict(entry.partition("=")[::2] for entry in entries).get("JUPYTERHUB_USER", "")
        if user and not user.startswith(CHECK_PREFIX):
            found.append((user, command))
    return sorted(set(found))


def _uses(layout: Layout, hub: str) -> Iterator[LastUse]:
    """Yield the last use of each server of a hub; nothing if its database cannot be read now."""
    try:
        with reading(layout.hub(hub)) as database:
            rows = list(database.execute(_USES))
    except sqlite3.Error:
        return
    for user, when, options in rows:
        if not when or user.startswith(CHECK_PREFIX):
            continue
        try:
            chosen = (json.loads(options or "{}") or {}).get("profile") or ""
        except ValueError:
            chosen = ""
        yield LastUse(hub, user, str(chosen), f"{str(when)[:19].replace(' ', 'T')}Z")


def _utc(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
