# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy, upgrade and restore a hub's database when JupyterHub's version changes.

JupyterHub does not start with a database of another schema, older or newer, and ``upgrade-db`` cannot downgrade.
Source: JupyterHub's documentation, "Upgrading JupyterHub".
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ....common.errors import HubfleetError, reason
from ..layout import HubLayout

DATABASE = "jupyterhub.sqlite"
TIMEOUT = 600
#: Seconds to wait for a database that is locked.
READ_TIMEOUT = 2.0


class DatabaseError(HubfleetError):
    """The database could not be copied, upgraded or restored."""


def copy_name(version: str) -> str:
    """Return the file name of a copy with the schema of a version of JupyterHub."""
    return f"jupyterhub-{version}.sqlite"


def exists(layout: HubLayout) -> bool:
    """Return whether the hub has a database; it has none before its first start."""
    return os.path.exists(layout.path(DATABASE))


def copy(layout: HubLayout, target: str) -> bool:
    """Copy the database, even while the hub uses it; return whether there is one. Raises DatabaseError."""
    source = layout.path(DATABASE)
    if not exists(layout):
        return False
    temporary = f"{target}.new"
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        # SQLite's online backup: a copy of the file could contain half a transaction. Opened for writing, since a
        # transaction that a killed hub left must be rolled back before the database can be read.
        present = f"{Path(source).as_uri()}?mode=rw"
        with closing(sqlite3.connect(present, uri=True)) as reader, closing(sqlite3.connect(temporary)) as writer:
            reader.backup(writer)
        os.replace(temporary, target)
    except (OSError, sqlite3.Error) as error:
        raise DatabaseError(f"the database {source} could not be copied: {error}") from error
    return True


@contextmanager
def reading(layout: HubLayout) -> Iterator[sqlite3.Connection]:
    """Open the database of a hub, which may run, to read only; raises sqlite3.Error if it cannot be read now."""
    uri = f"{Path(layout.path(DATABASE)).as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=READ_TIMEOUT)) as connection:
        yield connection


def known_servers(layout: HubLayout) -> dict[tuple[str, str], int]:
    """Return the running servers according to a database: (user, name of the server) -> pid, 0 if unknown.

    Raises DatabaseError. Source: JupyterHub's jupyterhub/orm.py, tables users and spawners.
    """
    query = "SELECT users.name, spawners.name, spawners.state FROM spawners JOIN users ON users.id = spawners.user_id"
    try:
        with closing(sqlite3.connect(layout.path(DATABASE))) as connection:
            states = [(user, name or "", json.loads(state or "{}")) for user, name, state in connection.execute(query)]
    except (sqlite3.Error, ValueError) as error:
        raise DatabaseError(f"the database {layout.path(DATABASE)} could not be read: {error}") from error
    return {(user, name): int(state.get("pid") or 0) for user, name, state in states if state}


def upgrade(layout: HubLayout, python: str) -> None:
    """Upgrade the database of a stopped hub to the schema of the JupyterHub of ``python``. Raises DatabaseError."""
    # JupyterHub looks for alembic on PATH.
    programs = os.path.dirname(python)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ.get('PATH', '/usr/bin:/bin')}"}
    command = [python, "-m", "jupyterhub", "upgrade-db", f"--db=sqlite:///{layout.path(DATABASE)}"]
    done = subprocess.run(
        command,
        cwd=layout.directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise DatabaseError(f"jupyterhub upgrade-db failed: {_reason(done.stdout + done.stderr)}")


def _reason(output: str) -> str:
    """Return the line with the reason: alembic's, which precedes JupyterHub's traceback, else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    own = [line for line in lines if "FAILED: " in line]
    return (own or lines or ["no error output"])[-1]


def restore(layout: HubLayout, source: str, aside: str) -> None:
    """Replace the database of a stopped hub with the copy ``source``. Raises DatabaseError.

    aside: path for the replaced database; an existing file, from an interrupted run, is kept.
    """
    current = layout.path(DATABASE)
    try:
        if exists(layout) and not os.path.exists(aside):
            _keep_replaced(layout, aside)
        shutil.copyfile(source, f"{current}.new")
        os.chmod(f"{current}.new", 0o600)
        for leftover in (f"{current}-wal", f"{current}-shm", f"{current}-journal"):
            if os.path.exists(leftover):
                os.unlink(leftover)
        os.replace(f"{current}.new", current)
    except OSError as error:
        raise DatabaseError(f"the database could not be restored from {source}: {reason(error)}") from error


def _keep_replaced(layout: HubLayout, aside: str) -> None:
    try:
        copy(layout, aside)
    except DatabaseError:
        # It is damaged, which may be the reason for the restore; keep the file as it is.
        shutil.copyfile(layout.path(DATABASE), aside)
        os.chmod(aside, 0o600)
