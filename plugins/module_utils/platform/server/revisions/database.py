# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub's database when JupyterHub's version changes: copied, brought to the new schema, or put back.

JupyterHub refuses to start on a database of another schema, older or newer; ``upgrade-db`` leads
forward only. Source: JupyterHub's documentation, "Upgrading JupyterHub".
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from ....common.errors import HubfleetError
from ..layout import HubLayout

DATABASE = "jupyterhub.sqlite"
TIMEOUT = 600


class DatabaseError(HubfleetError):
    """The database could not be copied, upgraded or put back; one sentence."""


def copy_name(version: str) -> str:
    """Return what a copy with the schema of a version of JupyterHub is called."""
    return f"jupyterhub-{version}.sqlite"


def exists(layout: HubLayout) -> bool:
    """Tell whether the hub has a database; not so before its first start."""
    return os.path.exists(layout.path(DATABASE))


def copy(layout: HubLayout, target: str) -> bool:
    """Copy the database while the hub may be using it; return whether there is one. Raises DatabaseError."""
    source = layout.path(DATABASE)
    if not exists(layout):
        return False
    temporary = f"{target}.new"
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        # SQLite's own online copy: a plain copy could catch it in the middle of a transaction. Open for writing,
        # since what a killed hub left half done must be undone before it can be read.
        present = f"{Path(source).as_uri()}?mode=rw"
        with closing(sqlite3.connect(present, uri=True)) as reader, closing(sqlite3.connect(temporary)) as writer:
            reader.backup(writer)
        os.replace(temporary, target)
    except (OSError, sqlite3.Error) as error:
        raise DatabaseError(f"the database {source} could not be copied: {error}") from error
    return True


def known_servers(layout: HubLayout) -> dict[tuple[str, str], int]:
    """Return the servers that a database says run: (user, name of the server) -> pid, 0 where it says none.

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
    """Bring the database of a hub that does not run to the schema of the JupyterHub of ``python``."""
    # JupyterHub runs alembic by name.
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
    """Return the line that says why: alembic's own, which JupyterHub's traceback follows, else the last one."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    own = [line for line in lines if "FAILED: " in line]
    return (own or lines or ["it said nothing"])[-1]


def put_back(layout: HubLayout, source: str, aside: str) -> None:
    """Replace the database of a hub that does not run by the copy ``source``. Raises DatabaseError.

    aside: where the replaced one is kept; one that is there already, from a run that was interrupted, stays.
    """
    current = layout.path(DATABASE)
    try:
        if exists(layout) and not os.path.exists(aside):
            _set_aside(layout, aside)
        shutil.copyfile(source, f"{current}.new")
        os.chmod(f"{current}.new", 0o600)
        for leftover in (f"{current}-wal", f"{current}-shm", f"{current}-journal"):
            if os.path.exists(leftover):
                os.unlink(leftover)
        os.replace(f"{current}.new", current)
    except OSError as error:
        raise DatabaseError(f"the database could not be put back from {source}: {error}") from error


def _set_aside(layout: HubLayout, aside: str) -> None:
    try:
        copy(layout, aside)
    except DatabaseError:
        # Broken, which may be why it is replaced: it is kept as it is.
        shutil.copyfile(layout.path(DATABASE), aside)
        os.chmod(aside, 0o600)
