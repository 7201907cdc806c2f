# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub's database: copied while it is written to, put back, and upgraded by the real JupyterHub."""

from __future__ import annotations

import importlib.util
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import HubLayout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions import database
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions.database import (
    DatabaseError,
)

needs_jupyterhub = pytest.mark.skipif(
    importlib.util.find_spec("jupyterhub") is None or importlib.util.find_spec("alembic") is None,
    reason="JupyterHub is not installed beside the tests",
)


@pytest.fixture
def layout(tmp_path: Path) -> HubLayout:
    """A hub's directory, with a character in its path that means something in addresses."""
    directory = tmp_path / "hub #1?"
    directory.mkdir()
    return HubLayout(str(directory))


def path_of(layout: HubLayout) -> str:
    return layout.path(database.DATABASE)


def make(layout: HubLayout, pairs: int = 0) -> None:
    """Make a database with a table whose rows come in pairs."""
    with closing(sqlite3.connect(path_of(layout), isolation_level=None)) as connection:
        connection.execute("CREATE TABLE rows (value INTEGER)")
        connection.executemany("INSERT INTO rows VALUES (?)", [(number // 2,) for number in range(2 * pairs)])


def values(path: str) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [int(row[0]) for row in connection.execute("SELECT value FROM rows ORDER BY rowid")]


# --- Copies


def test_copy(layout: HubLayout, tmp_path: Path) -> None:
    make(layout, 100)
    target = str(tmp_path / "copy")
    assert database.copy(layout, target) is True
    assert values(target) == values(path_of(layout))
    assert os.stat(target).st_mode & 0o777 == 0o600, "it holds tokens, whatever the umask is"
    assert sorted(os.listdir(tmp_path)) == ["copy", "hub #1?"]


def test_no_database_yet(layout: HubLayout, tmp_path: Path) -> None:
    assert database.copy(layout, str(tmp_path / "copy")) is False
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_copy_while_another_writes(journal: str, layout: HubLayout, tmp_path: Path) -> None:
    """No copy catches half of a transaction."""
    make(layout)
    with closing(sqlite3.connect(path_of(layout))) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
    written = threading.Event()
    done = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(path_of(layout), timeout=60)) as connection:
            for number in range(100000):
                with connection:
                    connection.execute("INSERT INTO rows VALUES (?)", (number,))
                    connection.execute("INSERT INTO rows VALUES (?)", (number,))
                written.set()
                if done.wait(0.002):
                    return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written.wait(30)
        seen = []
        for number in range(5):
            target = str(tmp_path / f"copy{number}")
            assert database.copy(layout, target)
            found = values(target)
            assert found == [row // 2 for row in range(len(found))] and len(found) % 2 == 0
            seen.append(len(found))
    finally:
        done.set()
        writer.join()
    assert seen == sorted(seen)
    assert values(path_of(layout))[: seen[-1]] == values(target)


def test_copy_of_what_a_killed_hub_left(layout: HubLayout, tmp_path: Path) -> None:
    """A transaction that was being written when the hub was killed never happened."""
    make(layout, 3000)
    killed = (
        "import os, sqlite3, sys; connection = sqlite3.connect(sys.argv[1]);"
        "connection.execute('PRAGMA cache_size = 1');"
        "connection.execute('UPDATE rows SET value = -1');"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed, path_of(layout)], check=False)
    assert os.path.getsize(f"{path_of(layout)}-journal") > 0, "the transaction was written in part"
    assert database.copy(layout, str(tmp_path / "copy"))
    assert values(str(tmp_path / "copy")) == [number // 2 for number in range(6000)]


def test_copy_that_fails(layout: HubLayout, tmp_path: Path) -> None:
    """One sentence, and what was there before stays."""
    Path(path_of(layout)).write_bytes(b"no database at all" * 1000)
    (tmp_path / "copy").write_text("older")
    with pytest.raises(DatabaseError, match="could not be copied: file is not a database"):
        database.copy(layout, str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_text() == "older"
    with pytest.raises(DatabaseError, match="could not be copied"):
        database.copy(layout, str(tmp_path / "nowhere" / "copy"))


# --- Put back


def test_restore(layout: HubLayout, tmp_path: Path) -> None:
    make(layout, 1)
    copy, aside = str(tmp_path / "copy"), str(tmp_path / "aside")
    database.copy(layout, copy)
    with closing(sqlite3.connect(path_of(layout), isolation_level=None)) as connection:
        connection.execute("INSERT INTO rows VALUES (7)")
    database.restore(layout, copy, aside)
    assert values(path_of(layout)) == values(copy) == [0, 0]
    assert values(aside) == [0, 0, 7]
    assert os.stat(path_of(layout)).st_mode & 0o777 == os.stat(aside).st_mode & 0o777 == 0o600


def test_restore_a_second_time(layout: HubLayout, tmp_path: Path) -> None:
    """A run that was interrupted does not cost what was replaced first."""
    make(layout, 1)
    copy, aside = str(tmp_path / "copy"), str(tmp_path / "aside")
    database.copy(layout, copy)
    with closing(sqlite3.connect(path_of(layout), isolation_level=None)) as connection:
        connection.execute("INSERT INTO rows VALUES (7)")
    database.restore(layout, copy, aside)
    database.restore(layout, copy, aside)
    assert values(aside) == [0, 0, 7]
    assert values(path_of(layout)) == [0, 0]


def test_restore_beside_a_log_of_what_is_replaced(layout: HubLayout, tmp_path: Path) -> None:
    """SQLite would write the log of the replaced database into the one that is put back."""
    make(layout, 1)
    copy, aside = str(tmp_path / "copy"), str(tmp_path / "aside")
    database.copy(layout, copy)
    killed = (
        "import os, sqlite3, sys; connection = sqlite3.connect(sys.argv[1]);"
        "connection.execute('PRAGMA journal_mode = wal');"
        "connection.execute('INSERT INTO rows VALUES (7)'); connection.commit(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed, path_of(layout)], check=False)
    assert os.path.exists(f"{path_of(layout)}-wal")
    database.restore(layout, copy, aside)
    assert values(path_of(layout)) == [0, 0]
    assert values(aside) == [0, 0, 7], "what stood in the log only is kept as well"


def test_restore_where_there_is_none(layout: HubLayout, tmp_path: Path) -> None:
    make(layout, 1)
    database.copy(layout, str(tmp_path / "copy"))
    os.unlink(path_of(layout))
    database.restore(layout, str(tmp_path / "copy"), str(tmp_path / "aside"))
    assert values(path_of(layout)) == [0, 0]
    assert not (tmp_path / "aside").exists()


def test_restore_what_is_gone(layout: HubLayout, tmp_path: Path) -> None:
    make(layout, 1)
    with pytest.raises(DatabaseError, match="could not be restored from .*copy: "):
        database.restore(layout, str(tmp_path / "copy"), str(tmp_path / "aside"))
    assert values(path_of(layout)) == [0, 0]


# --- The real JupyterHub


def revision(path: str) -> str:
    """Return the revision of the schema, as alembic notes it."""
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


#: Makes a database with a user, and the schema before the newest one, by JupyterHub's own migrations.
_OLDER = """
import subprocess, sys
from jupyterhub import dbutil, orm
url = f"sqlite:///{sys.argv[1]}"
session = orm.new_session_factory(url)()
session.add(orm.User(name="ada"))
session.commit()
session.close()
with dbutil._temp_alembic_ini(url) as ini:
    subprocess.run([sys.executable, "-m", "alembic", "-c", ini, "downgrade", "-1"], check=True)
"""


@needs_jupyterhub
def test_upgrade(layout: HubLayout, tmp_path: Path) -> None:
    """An older database gets the schema that a new one has; its users stay; a second time changes nothing."""
    from jupyterhub import orm

    directory = tmp_path / "hub"  # JupyterHub's own command takes no question mark in an address
    directory.mkdir()
    layout = HubLayout(str(directory))
    newest = HubLayout(str(tmp_path))
    orm.new_session_factory(f"sqlite:///{path_of(newest)}")().close()
    done = subprocess.run([sys.executable, "-c", _OLDER, path_of(layout)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    older = revision(path_of(layout))
    assert older != revision(path_of(newest))
    database.upgrade(layout, sys.executable)
    assert revision(path_of(layout)) == revision(path_of(newest))
    with closing(sqlite3.connect(path_of(layout))) as connection:
        assert connection.execute("SELECT name FROM users").fetchall() == [("ada",)]
    before = Path(path_of(layout)).read_bytes()
    database.upgrade(layout, sys.executable)
    assert Path(path_of(layout)).read_bytes() == before


@needs_jupyterhub
def test_upgrade_of_a_newer_database(tmp_path: Path) -> None:
    """No JupyterHub goes back; one sentence says which step failed."""
    from jupyterhub import orm

    layout = HubLayout(str(tmp_path))
    orm.new_session_factory(f"sqlite:///{path_of(layout)}")().close()
    with closing(sqlite3.connect(path_of(layout), isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    with pytest.raises(DatabaseError) as raised:
        database.upgrade(layout, sys.executable)
    assert str(raised.value).startswith("jupyterhub upgrade-db failed: ")
    assert "Can't locate revision identified by 'ffffffffffff'" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_upgrade_that_fails(layout: HubLayout, tmp_path: Path) -> None:
    """The last line of what was said tells why."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho much before >&2\necho the reason >&2\nexit 3\n")
    python.chmod(0o700)
    with pytest.raises(DatabaseError, match="^jupyterhub upgrade-db failed: the reason$"):
        database.upgrade(layout, str(python))


def test_upgrade_finds_programs_beside_its_python(layout: HubLayout, tmp_path: Path) -> None:
    """JupyterHub runs alembic by name; no other one may be found first."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {"python": "exec alembic", "alembic": f'echo "$@" "$PWD" > "{tmp_path}/said"'}.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o700)
    database.upgrade(layout, str(programs / "python"))
    assert (tmp_path / "said").read_text().strip() == layout.directory


@needs_jupyterhub
def test_known_servers(tmp_path: Path) -> None:
    """Those that run, also without a name; not those that were stopped."""
    from jupyterhub import orm

    layout = HubLayout(str(tmp_path))
    session = orm.new_session_factory(f"sqlite:///{path_of(layout)}")()
    user = orm.User(name="ada@example.org")
    states = {"": {"pid": 7, "born": "x"}, "second": {"unit": "y"}, "stopped": {}, "never": None}
    session.add_all([user, *(orm.Spawner(name=name, user=user, state=state) for name, state in states.items())])
    session.commit()
    session.close()
    assert database.known_servers(layout) == {("ada@example.org", ""): 7, ("ada@example.org", "second"): 0}


def test_known_servers_of_something_else(layout: HubLayout) -> None:
    make(layout)
    with pytest.raises(DatabaseError, match="could not be read: no such table: spawners"):
        database.known_servers(layout)
