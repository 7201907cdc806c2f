# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub's database when JupyterHub's version changes: copied, brought to the new schema, or put back.

JupyterHub refuses to start on a database of another schema, older or newer; ``upgrade-db`` leads
forward only. Source: JupyterHub's documentation, "Upgrading JupyterHub".
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess

from .layout import HubLayout

DATABASE = "jupyterhub.sqlite"
TIMEOUT = 600


class DatabaseError(Exception):
    """The database could not be copied, upgraded or put back; one sentence."""


def copy(layout: HubLayout, target: str) -> bool:
    """Copy the database while the hub may be using it; return whether there is one. Raises DatabaseError."""
    source = layout.path(DATABASE)
    if not os.path.exists(source):
        return False
    temporary = f"{target}.new"
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        # SQLite's own online copy: a plain copy could catch it in the middle of a transaction.
        with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as reader, sqlite3.connect(temporary) as writer:
            reader.backup(writer)
        reader.close()
        writer.close()
        os.replace(temporary, target)
    except (OSError, sqlite3.Error) as error:
        raise DatabaseError(f"the database {source} could not be copied: {error}") from error
    return True


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
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise DatabaseError(f"jupyterhub upgrade-db failed: {' '.join(last)}")


def put_back(layout: HubLayout, source: str) -> str:
    """Replace the database of a hub that does not run by a copy; return where the replaced one was put."""
    current = layout.path(DATABASE)
    aside = f"{current}.replaced"
    try:
        shutil.copy2(source, f"{current}.new")
        os.chmod(f"{current}.new", 0o600)
        if os.path.exists(current):
            os.replace(current, aside)
        for leftover in (f"{current}-wal", f"{current}-shm", f"{current}-journal"):
            if os.path.exists(leftover):
                os.unlink(leftover)
        os.replace(f"{current}.new", current)
    except OSError as error:
        raise DatabaseError(f"the database could not be put back from {source}: {error}") from error
    return aside
