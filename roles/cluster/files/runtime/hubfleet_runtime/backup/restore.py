# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore a hub in two steps; a deploy does the rest.

fetch() restores everything into directories of its own, checks it, and sets the owners; when interrupted, it starts
again. place() moves it into place by renaming; when interrupted, it continues.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubfleet_runtime import files, isolation
from hubfleet_runtime.backup import content, owners
from hubfleet_runtime.backup.restic import BackupError, Repository

#: What is restored, in the fetched files and then in the hub's directory.
NOTE = "restored.json"
_FETCHED_HOMES = ".restoring"


@dataclass(frozen=True)
class Target:
    """Where a hub is restored. shared_homes: users pass through the directory of homes to their own."""

    state: Path
    hub: str
    homes: Path
    isolation: str
    runtime_directory: Path
    shared_homes: bool = False
    replace: bool = False

    @classmethod
    def from_request(cls, request: dict[str, Any]) -> Target:
        """Return the target that a request names."""
        return cls(
            state=Path(request["state"]),
            hub=request["hub"],
            homes=Path(request["homes"]),
            isolation=request["isolation"],
            runtime_directory=Path(request["runtime_directory"]),
            shared_homes=bool(request.get("shared_homes")),
            replace=bool(request.get("replace")),
        )

    @property
    def directory(self) -> Path:
        """Return the hub's directory."""
        return self.state / "hubs" / self.hub

    @property
    def fetched(self) -> Path:
        """Return where the hub's files are until they are placed."""
        return self.state / "restoring" / self.hub

    @property
    def fetched_homes(self) -> Path:
        """Return where the homes are until they are placed, on the same file system."""
        return self.homes / _FETCHED_HOMES


def examine(target: Target, repository: Repository, wanted: str) -> dict[str, Any]:
    """Return what would be restored. Raises BackupError if it must not be."""
    if _deployed(target) and not target.replace:
        _refuse_existing(target)  # without asking the repository
    snapshot = repository.find(target.hub, wanted)
    done = _note(target.directory).get("id") == snapshot.id and not _deployed(target)
    if not done and not target.replace:
        _refuse_existing(target)
    fetched = _note(target.fetched).get("id") == snapshot.id
    return {"id": snapshot.id, "when": snapshot.when, "done": done, "fetched": fetched, "there": _deployed(target)}


def fetch(target: Target, repository: Repository, wanted: str) -> dict[str, Any]:
    """Restore a backup next to the hub, check it, and set the owners of homes. Raises BackupError."""
    found = examine(target, repository, wanted)
    if found["done"]:
        return {**found, "changed": False}
    if found["fetched"]:
        return {**found, "changed": False, **_counts(_note(target.fetched))}
    discard(target)
    snapshot = repository.find(target.hub, found["id"])
    target.fetched.mkdir(mode=0o700, parents=True)
    if not target.homes.is_dir():  # as a deploy creates it
        target.homes.mkdir(parents=True)
        target.homes.chmod(0o711 if target.shared_homes else 0o700)
    target.fetched_homes.mkdir(mode=0o700)
    repository.restore_files(target.hub, snapshot, target.fetched / "hub")
    manifest = content.check(target.fetched / "hub")
    if manifest["homes"]:
        homes = target.fetched_homes / "homes"
        repository.restore_directory(snapshot, manifest["homes"], homes)
        _check_homes(manifest, homes)
        if os.geteuid() == 0:
            _set_owners(target, manifest, homes)
    database = target.fetched / "hub" / content.DATABASE
    note = {
        "id": snapshot.id,
        "when": snapshot.when,
        "users": len(manifest["users"]),
        "files": sum(about["files"] for about in manifest["folders"].values()),
        "size": sum(about["size"] for about in manifest["folders"].values()),
        "servers": content.forget_servers(database) if database.exists() else 0,
    }
    files.write_private(target.fetched / NOTE, json.dumps(note) + "\n")
    return {**found, "changed": True, **_counts(note)}


def place(target: Target, wanted: str) -> dict[str, Any]:
    """Move what was fetched into place; return where a replaced hub is kept, and which homes were left alone.

    Raises BackupError.
    """
    note = _note(target.fetched)
    if not note or wanted not in ("latest", note["id"]):
        done = _note(target.directory)
        if done and not _deployed(target) and wanted in ("latest", done["id"]):
            return {"changed": False, **done, "kept": "", "left": []}
        raise BackupError(f"nothing was fetched that could be restored as hub {target.hub}")
    if _note(target.directory).get("id") == note["id"] and not _deployed(target):
        shutil.rmtree(target.fetched)  # interrupted before this
        return {"changed": True, **note, "kept": "", "left": []}
    kept = _set_aside(target, note) if target.replace else ""
    if not target.replace:
        _refuse_existing(target)
        shutil.rmtree(target.directory, ignore_errors=True)
    left = _place_homes(target)
    _place_pins(target)
    _place_hub(target, note)
    shutil.rmtree(target.fetched)
    return {"changed": True, **note, "kept": kept, "left": left}


def discard(target: Target) -> None:
    """Remove what was fetched and not placed."""
    for directory in (target.fetched, target.fetched_homes):
        shutil.rmtree(directory, ignore_errors=True)


def _note(directory: Path) -> dict[str, Any]:
    try:
        return files.read_json(directory / NOTE)
    except (OSError, ValueError):
        return {}


def _counts(note: dict[str, Any]) -> dict[str, Any]:
    return {key: note[key] for key in ("users", "files", "size", "servers")}


def _deployed(target: Target) -> bool:
    return (target.directory / "config" / "hub.json").exists()


def _refuse_existing(target: Target) -> None:
    """Raise BackupError if there is data of the hub; a hub that was restored and never deployed has none."""
    if _deployed(target) or (target.directory.exists() and not (target.directory / NOTE).exists()):
        raise BackupError(f"hub {target.hub} exists already; it is not overwritten")


def _check_homes(manifest: dict[str, Any], homes: Path) -> None:
    """Check that all homes were restored, with their files but for those that users removed during the backup."""
    for name in manifest["folders"]:
        if not (homes / name).is_dir():
            raise BackupError(f"the backup does not contain the home {name}")
    wanted = sum(about["files"] for about in manifest["folders"].values())
    found = sum(content.count(homes / name)[0] for name in manifest["folders"])
    if found < wanted * 0.99 - 10:
        raise BackupError(f"the backup has {found} files in homes, its manifest says {wanted}")


def _set_owners(target: Target, manifest: dict[str, Any], homes: Path) -> None:
    hub = isolation.HubContext(target.directory, target.hub, target.homes, target.runtime_directory)
    try:
        backend = isolation.create(target.isolation, hub)

        def account(user: str) -> tuple[int, int]:
            place = backend.prepare(user, "")
            return (0, 0) if place.uid is None or place.gid is None else (place.uid, place.gid)

        owners.set_owners(homes, manifest["folders"], account)
    except isolation.IsolationError as error:
        raise BackupError(str(error)) from None


def _set_aside(target: Target, note: dict[str, Any]) -> str:
    """Move the existing hub aside, within its file systems; return where it is kept."""
    kept = target.state / "replaced" / f"{target.hub}-before-{note['id']}"
    if target.directory.exists() and not (kept / "hub").exists():
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.directory.rename(kept / "hub")
    # homes in a directory of the operator's may be on another file system
    own = target.state in target.homes.parents
    aside = kept / "homes" if own else target.homes / f".replaced-before-{note['id']}"
    fetched = target.fetched_homes / "homes"
    for home in list(target.homes.iterdir()) if target.homes.is_dir() else []:
        if (fetched / home.name).is_dir() and any(home.iterdir()):
            aside.mkdir(mode=0o700, parents=True, exist_ok=True)
            home.rename(aside / home.name)
    return str(kept) if kept.exists() else ""


def _place_homes(target: Target) -> list[str]:
    """Move homes into place; return the names of existing ones, which are left alone."""
    fetched, left = target.fetched_homes / "homes", []
    for home in sorted(fetched.iterdir()) if fetched.is_dir() else []:
        place = target.homes / home.name
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            left.append(home.name)
        else:
            home.rename(place)  # also onto an empty directory, which was created with the account
    shutil.rmtree(target.fetched_homes, ignore_errors=True)
    return left


def _place_pins(target: Target) -> None:
    """Put pins where the builder looks for them, so that environments are built with the same versions again."""
    for pins in (target.fetched / "hub" / "environments").glob("*.txt"):
        place = target.state / "environments" / f"{pins.stem}.pins"
        if place.parent.is_dir() and not place.exists():
            shutil.copyfile(pins, place)


def _place_hub(target: Target, note: dict[str, Any]) -> None:
    """Move the hub's own files into place, at once: secrets, database, and the record of the last deploy.

    Its configuration is not among them: that comes from the inventory.
    """
    fetched = target.fetched / "hub"
    prepared = target.fetched / "prepared"
    shutil.rmtree(prepared, ignore_errors=True)
    prepared.mkdir(mode=0o700)
    shutil.copytree(fetched / "secrets", prepared / "secrets")
    if (fetched / content.DATABASE).exists():
        shutil.copyfile(fetched / content.DATABASE, prepared / content.DATABASE)
        (prepared / content.DATABASE).chmod(0o600)
    if (fetched / "record.json").exists():
        record = files.read_json(fetched / "record.json")
        # nothing to roll back to: its programs and paths were those of another machine
        record.update(result="restored", services=[], builds=[], files={}, database="", back_to=0)
        folder = prepared / "history" / str(record["number"])
        folder.mkdir(mode=0o700, parents=True)
        files.write_private(folder / "record.json", json.dumps(record, indent=1) + "\n")
    files.write_private(prepared / NOTE, json.dumps(note) + "\n")
    target.directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    prepared.rename(target.directory)
