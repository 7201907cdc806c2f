# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a hub back: first everything into places of its own, checked and given to its owners, then by renaming.

What is interrupted in the first half starts again, in the second half goes on. A deploy does the rest.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubfleet_runtime import isolation, processes
from hubfleet_runtime.backup import content, owners
from hubfleet_runtime.backup.repository import BackupError, Repository

#: What a restored hub says of itself until it is deployed, and after.
NOTE = "restored.json"
_WAITING = ".restoring"


@dataclass(frozen=True)
class Target:
    """Where a hub is brought back to. shared_homes: users pass through the directory of homes to their own."""

    state: Path
    hub: str
    homes: Path
    isolation: str
    runtime_directory: Path
    shared_homes: bool = False
    replace: bool = False

    @classmethod
    def of(cls, request: dict[str, Any]) -> Target:
        """The target that a request names."""
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
        """The hub's directory."""
        return self.state / "hubs" / self.hub

    @property
    def waiting(self) -> Path:
        """Where the hub's files wait until everything is there."""
        return self.state / "restoring" / self.hub

    @property
    def waiting_homes(self) -> Path:
        """Where the homes wait, on the file system that they belong on."""
        return self.homes / _WAITING


def examine(target: Target, repository: Repository, wanted: str) -> dict[str, Any]:
    """What would be brought back; BackupError where it must not be. Touches nothing."""
    if _deployed(target) and not target.replace:
        _refuse_present(target)  # without asking the repository
    snapshot = repository.find(target.hub, wanted)
    done = _note(target.directory).get("id") == snapshot.id and not _deployed(target)
    if not done and not target.replace:
        _refuse_present(target)
    return {"id": snapshot.id, "when": snapshot.when, "done": done, "there": _deployed(target)}


def fetch(target: Target, repository: Repository, wanted: str) -> dict[str, Any]:
    """Brings everything of a backup next to where it belongs, checks it, and gives homes to their owners."""
    found = examine(target, repository, wanted)
    if found["done"]:
        return {**found, "changed": False}
    if _note(target.waiting).get("id") == found["id"]:
        return {**found, "changed": False, **_counts(_note(target.waiting))}
    discard(target)
    snapshot = repository.find(target.hub, found["id"])
    _private(target.waiting)
    _passable(target.homes, 0o711 if target.shared_homes else 0o700)
    _private(target.waiting_homes)
    repository.fetch(target.hub, snapshot, target.waiting / "hub")
    manifest = content.check(target.waiting / "hub")
    if manifest["homes"]:
        homes = target.waiting_homes / "homes"
        repository.fetch_homes(target.hub, snapshot, manifest["homes"], homes)
        _check_homes(manifest, homes)
        if os.geteuid() == 0:
            _give(target, manifest, homes)
    database = target.waiting / "hub" / content.DATABASE
    note = {
        "id": snapshot.id,
        "when": snapshot.when,
        "users": len(manifest["users"]),
        "files": sum(about["files"] for about in manifest["folders"].values()),
        "size": sum(about["size"] for about in manifest["folders"].values()),
        "servers": content.forget_servers(database) if database.exists() else 0,
    }
    processes.write_private(target.waiting / NOTE, json.dumps(note) + "\n")
    return {**found, "changed": True, **_counts(note)}


def place(target: Target, wanted: str) -> dict[str, Any]:
    """Moves what was fetched to where it belongs; what was there before is kept and named."""
    note = _note(target.waiting)
    if not note or wanted not in ("latest", note["id"]):
        done = _note(target.directory)
        if done and not _deployed(target) and wanted in ("latest", done["id"]):
            return {"changed": False, **done, "kept": "", "left": []}
        raise BackupError(f"nothing of hub {target.hub} was fetched that could be put in its place")
    if _note(target.directory).get("id") == note["id"] and not _deployed(target):
        shutil.rmtree(target.waiting)  # interrupted before this
        return {"changed": True, **note, "kept": "", "left": []}
    kept = _set_aside(target, note) if target.replace else ""
    if not target.replace:
        _refuse_present(target)
        shutil.rmtree(target.directory, ignore_errors=True)
    left = _place_homes(target)
    _place_pins(target)
    _place_hub(target, note)
    shutil.rmtree(target.waiting)
    return {"changed": True, **note, "kept": kept, "left": left}


def discard(target: Target) -> None:
    """Removes what an earlier run fetched and did not use."""
    for directory in (target.waiting, target.waiting_homes):
        shutil.rmtree(directory, ignore_errors=True)


def _note(directory: Path) -> dict[str, Any]:
    try:
        return processes.read_json(directory / NOTE)
    except (OSError, ValueError):
        return {}


def _counts(note: dict[str, Any]) -> dict[str, Any]:
    return {key: note[key] for key in ("users", "files", "size", "servers")}


def _deployed(target: Target) -> bool:
    return (target.directory / "config" / "hub.json").exists()


def _refuse_present(target: Target) -> None:
    """What was restored, but not deployed yet, has no data of its own; everything else has."""
    if _deployed(target) or (target.directory.exists() and not (target.directory / NOTE).exists()):
        raise BackupError(f"hub {target.hub} is there already; it is not overwritten")


def _private(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True)


def _passable(directory: Path, mode: int) -> None:
    """Makes the directory of homes as a deploy would; one that is there stays as it is."""
    if not directory.is_dir():
        directory.mkdir(mode=mode, parents=True)
        directory.chmod(mode)


def _check_homes(manifest: dict[str, Any], homes: Path) -> None:
    """Every home that was there came back, with what was in it but for what users removed meanwhile."""
    for name in manifest["folders"]:
        if not (homes / name).is_dir():
            raise BackupError(f"the home {name} is missing in the backup")
    wanted = sum(about["files"] for about in manifest["folders"].values())
    found = sum(content.count(homes / name).files for name in manifest["folders"])
    if found < wanted * 0.99 - 10:
        raise BackupError(f"the backup has {found} files of users; the manifest says {wanted}")


def _give(target: Target, manifest: dict[str, Any], homes: Path) -> None:
    where = isolation.Where(target.directory, target.hub, target.homes, target.runtime_directory)
    try:
        way = isolation.create(target.isolation, where)

        def account(user: str) -> tuple[int, int]:
            place = way.prepare(user, "")
            return (0, 0) if place.uid is None or place.gid is None else (place.uid, place.gid)

        owners.give(homes, manifest["folders"], account)
    except isolation.IsolationError as error:
        raise BackupError(str(error)) from None


def _set_aside(target: Target, note: dict[str, Any]) -> str:
    """Moves the hub that is there out of the way, on its file systems; gives where it is kept."""
    kept = target.state / "replaced" / f"{target.hub}-before-{note['id']}"
    if target.directory.exists() and not (kept / "hub").exists():
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.directory.rename(kept / "hub")
    # homes in a directory of the operator's may be on another file system
    own = target.state in target.homes.parents
    aside = kept / "homes" if own else target.homes / f".replaced-before-{note['id']}"
    coming = target.waiting_homes / "homes"
    for home in list(target.homes.iterdir()) if target.homes.is_dir() else []:
        if (coming / home.name).is_dir() and any(home.iterdir()):
            aside.mkdir(mode=0o700, parents=True, exist_ok=True)
            home.rename(aside / home.name)
    return str(kept) if kept.exists() else ""


def _place_homes(target: Target) -> list[str]:
    """Moves homes in; gives the names of those that were there already, and stay."""
    coming, left = target.waiting_homes / "homes", []
    for home in sorted(coming.iterdir()) if coming.is_dir() else []:
        place = target.homes / home.name
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            left.append(home.name)
        else:
            home.rename(place)  # also onto an empty directory, which was made with the account
    shutil.rmtree(target.waiting_homes, ignore_errors=True)
    return left


def _place_pins(target: Target) -> None:
    """Lets environments be built as they were: the builder looks for pins under the name of what it builds."""
    for pins in (target.waiting / "hub" / "environments").glob("*.txt"):
        place = target.state / "environments" / f"{pins.stem}.pins"
        if place.parent.is_dir() and not place.exists():
            shutil.copyfile(pins, place)


def _place_hub(target: Target, note: dict[str, Any]) -> None:
    """Moves the hub's own files in, at once: its secrets, its database, and one record of what it was.

    Its configuration is not among them: that is the inventory's.
    """
    coming = target.waiting / "hub"
    made = target.waiting / "made"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(mode=0o700)
    shutil.copytree(coming / "secrets", made / "secrets")
    if (coming / content.DATABASE).exists():
        shutil.copyfile(coming / content.DATABASE, made / content.DATABASE)
        (made / content.DATABASE).chmod(0o600)
    if (coming / "record.json").exists():
        record = processes.read_json(coming / "record.json")
        # nothing to go back to: its programs and paths are those of another place
        record.update(result="restored", services=[], builds=[], files={}, database="", back_to=0)
        folder = made / "history" / str(record["number"])
        folder.mkdir(mode=0o700, parents=True)
        processes.write_private(folder / "record.json", json.dumps(record, indent=1) + "\n")
    processes.write_private(made / NOTE, json.dumps(note) + "\n")
    target.directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made.rename(target.directory)
