# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage what is backed up of a hub in one directory, with a manifest that restored files are compared with.

The homes are not copied: restic reads them where they are.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import pwd
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from hubfleet_runtime import files, names
from hubfleet_runtime.backup.restic import BackupError, Settings

FORMAT = 1
DATABASE = "jupyterhub.sqlite"
MANIFEST = "manifest.json"
_CHUNK = 1 << 20


def stage(directory: Path, target: Path, settings: Settings) -> dict[str, Any]:
    """Copy a hub's files to a new directory; return the manifest. The hub may run. Raises BackupError."""
    config = files.read_json(directory / "config" / "hub.json")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=0o700, parents=True)
    # before the database: a deploy that changes the schema is recorded only after that
    record = newest_record(directory / "history")
    if record:
        files.write_private(target / "record.json", record)
    for folder in ("config", "secrets"):
        shutil.copytree(directory / folder, target / folder)
    users = copy_database(directory / DATABASE, target / DATABASE)
    _copy_pins(config, target / "environments")
    homes = Path(config["homes"])
    manifest = {
        "format": FORMAT,
        "cluster": settings.cluster,
        "hub": config["hub"],
        "collection": settings.collection,
        "when": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "isolation": config["isolation"],
        "homes": str(homes) if settings.homes else "",
        "users": users,
        "folders": folders_of(homes, users) if settings.homes and homes.is_dir() else {},
        "files": digests(target),
    }
    files.write_private(target / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    return manifest


def newest_record(history: Path) -> str:
    """Return the text of the newest record of a deploy that ended; empty if there is none."""
    numbers = [int(each.name) for each in history.iterdir() if each.name.isdigit()] if history.is_dir() else []
    for number in sorted(numbers, reverse=True):
        path = history / str(number) / "record.json"
        try:
            if files.read_json(path).get("result") != "applying":
                return path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
    return ""


def copy_database(source: Path, target: Path) -> list[str]:
    """Copy a database that may be in use, by SQLite's online backup; return the names of its users.

    A hub that was never started has no database. Raises BackupError.
    """
    if not source.exists():
        return []
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        # for writing: a transaction that a killed hub left open must be rolled back before it can be read
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=rw", uri=True)) as reader,
            closing(sqlite3.connect(target)) as writer,
        ):
            reader.backup(writer)
            return [str(name) for (name,) in writer.execute("SELECT name FROM users ORDER BY name")]
    except sqlite3.Error as error:
        raise BackupError(f"the database {source} cannot be copied: {error}") from None


def _copy_pins(config: dict[str, Any], target: Path) -> None:
    """Copy the locks of environments, so that they can be built with the same versions again."""
    target.mkdir(mode=0o700)
    for environment in config["environments"].values():
        directory = Path(environment["directory"])
        lock = directory / "lock.txt"
        if lock.exists():
            shutil.copyfile(lock, target / f"{directory.name}.txt")


def folders_of(homes: Path, users: list[str]) -> dict[str, dict[str, Any]]:
    """Return the homes by directory name: user, numeric owner and group, number and size of files.

    The user is empty if neither the database nor an account of this collection tells whose home it is.
    """
    known = {names.slug(user): user for user in users}
    found = {}
    with os.scandir(homes) as entries:
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False) or names.is_check_user(entry.name) or entry.name[0] == ".":
                continue
            status = entry.stat(follow_symlinks=False)
            files, size = count(Path(entry.path))
            found[entry.name] = {
                "user": known.get(entry.name) or _user_of(status.st_uid, entry.name),
                "uid": status.st_uid,
                "gid": status.st_gid,
                "files": files,
                "size": size,
            }
    return found


def _user_of(uid: int, folder: str) -> str:
    """Return the user of an account that the spawner created; "" for other accounts."""
    try:
        match = re.fullmatch(r"hubfleet \S+ hub=\S+ user=(\S+)", pwd.getpwuid(uid).pw_gecos)
    except KeyError:
        return ""
    user = unquote(match[1]) if match else ""
    return user if user and names.slug(user) == folder else ""


def count(folder: Path) -> tuple[int, int]:
    """Return the number of files, directories and links below a directory, and the size of the files in bytes."""
    files = size = 0
    for place, inner, found in os.walk(folder):
        files += len(inner)
        for name in found:
            try:
                size += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue  # removed meanwhile
            files += 1
    return files, size


def digests(folder: Path) -> dict[str, str]:
    """Return relative path -> SHA-256 of every file below a directory but the manifest."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != folder / MANIFEST:
            digest = hashlib.sha256()
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
            found[str(path.relative_to(folder))] = digest.hexdigest()
    return found


def check(folder: Path) -> dict[str, Any]:
    """Compare restored files with their manifest; return the manifest. Raises BackupError if anything differs."""
    try:
        manifest = files.read_json(folder / MANIFEST)
    except (OSError, ValueError) as error:
        raise BackupError(f"the backup is damaged: {error}") from None
    if manifest.get("format") != FORMAT:
        raise BackupError(f"the backup has format {manifest.get('format')!r}; this release reads format {FORMAT}")
    found = digests(folder)
    wrong = sorted(path for path, _digest in found.items() ^ manifest["files"].items())
    if wrong:
        raise BackupError(f"the backup is damaged: {wrong[0]} differs from what was backed up")
    if DATABASE in found:
        _check_database(folder / DATABASE, manifest["users"])
    return manifest


def _check_database(path: Path, users: list[str]) -> None:
    try:
        with closing(sqlite3.connect(path)) as database:
            (verdict,) = database.execute("PRAGMA integrity_check").fetchone()
            found = [str(name) for (name,) in database.execute("SELECT name FROM users ORDER BY name")]
    except sqlite3.Error as error:
        raise BackupError(f"the database of the backup cannot be read: {error}") from None
    if verdict != "ok":
        raise BackupError(f"the database of the backup is damaged: {verdict}")
    if found != users:
        raise BackupError(f"the database of the backup has {len(found)} users, its manifest says {len(users)}")


def forget_servers(path: Path) -> int:
    """Remove running servers from the database; return how many there were.

    Their processes ran elsewhere or earlier: JupyterHub would kill the process that has the same pid now.
    """
    with closing(sqlite3.connect(path)) as database, database as _transaction:
        (running,) = database.execute("SELECT count(*) FROM spawners WHERE server_id IS NOT NULL").fetchone()
        database.execute("UPDATE spawners SET server_id = NULL, state = '{}'")
        database.execute("UPDATE services SET _server_id = NULL")
        database.execute("DELETE FROM servers")
    return int(running)
