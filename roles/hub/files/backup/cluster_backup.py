# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Save and restore a hub on Kubernetes, in pods that mount its volumes.

    cluster_backup.py COMMAND REQUEST     the request is JSON without secrets; see COMMANDS

The last line that it prints is the answer, as JSON, for an archive among its errors. The pods are made by
plugins/module_utils/platform/kubernetes/backup/pods.py. What is saved of a hub is like on a machine: database, secrets
and configuration in one snapshot of restic. Homes are snapshots of their own, since volumes are mounted by several
pods; a tag says which of them belong together.
"""

from __future__ import annotations

import contextlib
import datetime
import gzip
import hashlib
import json
import os
import shutil
import sys
import tarfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, Callable, cast

# as a script, this file's own folder would come first and hide modules of the standard library
sys.path[0] = str(Path(__file__).resolve().parent)

from hubfleet_runtime import files, names  # noqa: E402
from hubfleet_runtime.backup import content  # noqa: E402
from hubfleet_runtime.backup.restic import BackupError, Repository, Saved, Settings, Snapshot  # noqa: E402

#: Mounts of the pods: from the Secret of a backup, a private directory, the claim of the database, and homes.
GIVEN, WORK, DATABASE = Path("/hubfleet/given"), Path("/hubfleet/work"), Path("/hubfleet/database")
HOMES = Path("/homes")
#: Where homes are mounted when they are restored: restic creates all parents of a directory below its target.
TREE = Path("/hubfleet/tree")
#: Files in GIVEN: the settings, and what the manifest says of the hub, which is too long for arguments of a program.
SETTINGS, FACTS = "settings.json", "facts.json.gz"
#: In a home while it is restored: from which backup.
RESTORING = ".hubfleet-restoring"
#: Tag of a backup that was made before a restore replaced the hub; it is only used by its id.
REPLACED = "replaced"
#: Seconds that a pod holds what was asked for.
PATIENCE = 300.0
#: A directory that file systems make at the top of a volume, and which only root can read.
_LOST = "lost+found"

Request = dict[str, Any]
Answer = dict[str, Any]


def repository() -> Repository:
    """Return the repository of the cluster's backups."""
    return Repository(Settings.from_json(files.read_json(GIVEN / SETTINGS)), WORK)


def save_homes(request: Request) -> Answer:
    """Save directories of homes. hub, backup: of which backup they are part. folders: below HOMES."""
    found, tag = repository(), _homes_tag(request["hub"])
    found.open_or_create()
    paths = [str(HOMES / folder) for folder in request["folders"] if (HOMES / folder).is_dir()]
    if not paths:
        return {"id": "", "new": 0, "total": 0, "unread": [], "folders": {}}
    skipped = [f"--exclude={path}/{name}" for path in paths for name in (_LOST, f"{names.CHECK_PREFIX}*")]
    parent = _parent(found.tagged(tag), paths)
    options = [*skipped, *([f"--parent={parent}"] if parent else [])]
    saved = found.save_paths(paths, [tag, _backup_tag(request["backup"])], options)
    return {**_saved(saved), "folders": {path[len(f"{HOMES}/") :]: _count(Path(path)) for path in paths}}


def _parent(saved: Iterable[Snapshot], paths: list[str]) -> str:
    """Return the snapshot that has most of the same directories; whose files are not read again."""
    best = max(reversed(list(saved)), key=lambda each: len(set(paths) & set(each.paths)), default=None)
    return best.id if best and set(paths) & set(best.paths) else ""


def save(request: Request) -> Answer:
    """Save everything else of a hub, remove backups that are not to be kept, and those homes that belong to none."""
    hub, found = request["hub"], repository()
    staged = WORK / "backup" / "hubs" / hub
    manifest = stage(staged, request)
    found.open_or_create()
    tags = [f"hub={hub}", _backup_tag(request["backup"]), *([REPLACED] if request["replaced"] else [])]
    saved = found.save_paths([str(staged)], tags)
    found.forget(hub, prune=False)
    kept = {tag for each in found.snapshots(hub) for tag in each.tags}
    found.remove(each.id for each in found.tagged(_homes_tag(hub)) if not kept & {*each.tags} - {_homes_tag(hub)})
    return {**_saved(saved), "when": manifest["when"], "users": len(manifest["users"])}


def stage(target: Path, request: Request) -> dict[str, Any]:
    """Copy what is saved of a hub, but homes, to a new directory; return the manifest. The hub may run."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=0o700, parents=True)
    for name in request["given"]:
        place = target / name
        place.parent.mkdir(mode=0o700, exist_ok=True)
        files.write_private(place, (GIVEN / name.replace("/", "-")).read_text(encoding="utf-8"))
    users = content.copy_database(DATABASE / content.DATABASE, target / content.DATABASE)
    manifest = {
        "format": content.FORMAT,
        "when": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "homes": "",
        "users": users,
        **_facts(request["facts"]),
        "files": content.digests(target),
    }
    files.write_private(target / content.MANIFEST, json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    return manifest


def _facts(digest: str) -> dict[str, Any]:
    """Return what the manifest says of the hub; wait until the file is what was given last: nodes keep an older one."""
    deadline = time.monotonic() + PATIENCE
    while True:
        packed = (GIVEN / FACTS).read_bytes()
        if hashlib.sha256(packed).hexdigest() == digest:
            return dict(json.loads(gzip.decompress(packed)))
        if time.monotonic() > deadline:
            raise BackupError("the Secret with what is to be saved does not arrive in the pod")
        time.sleep(0.5)


def list_backups(request: Request) -> Answer:
    """Return the backups of a hub, the newest last, and a summary if there are none."""
    found = repository()
    backups = found.snapshots(request["hub"])
    none = {} if backups else {"summary": found.settings.no_backups}
    return {"backups": [{"id": each.id, "when": each.when} for each in backups], **none}


def fetch(request: Request) -> Answer:
    """Fetch what was saved of a hub, but homes, and compare it with its manifest; hold it for a while.

    The answer names the directory with it: secrets must not be in the log, and lines of a log are not long.
    """
    snapshot, folder, _manifest = _fetched(request)
    answer = {"id": snapshot.id, "when": snapshot.when, "backup": _backup_of(snapshot), "held": str(folder)}
    print(json.dumps(answer), flush=True)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:  # the pod is removed as soon as everything was read
        time.sleep(1)
    return answer


def place(request: Request) -> Answer:
    """Put the database of a backup into its claim, without running servers."""
    _snapshot, folder, _manifest = _fetched(request)
    source = folder / content.DATABASE
    if not source.exists():
        return {"servers": 0}
    servers = content.forget_servers(source)
    for leftover in DATABASE.glob(f"{content.DATABASE}-*"):  # of another database
        leftover.unlink()
    fresh = DATABASE / f".{content.DATABASE}.new"
    shutil.copyfile(source, fresh)
    os.replace(fresh, DATABASE / content.DATABASE)
    return {"servers": servers}


def place_homes(request: Request) -> Answer:
    """Restore directories of homes into their volumes; return those that held files already, which stay as they are.

    backup: which one. folders: path below HOMES -> number of files that were saved. over: those of them that hold
    nothing but what an interrupted restore left. replace: whether to remove what is in the others.
    """
    os.umask(0o022)  # directories above homes are for everybody, as Kubernetes makes them
    found = repository()
    saved = [each for each in found.tagged(_homes_tag(request["hub"])) if _backup_of(each) == request["backup"]]
    left = []
    for folder, wanted in request["folders"].items():
        path, target = str(HOMES / folder), TREE / str(HOMES).lstrip("/") / folder
        snapshot = next((each for each in saved if path in each.paths), None)
        if snapshot is None:
            raise BackupError(f"the backup does not contain {path}")
        mark = target / RESTORING
        known = folder in request["over"] or (mark.exists() and mark.read_text(encoding="utf-8") == request["backup"])
        if not known and request["replace"]:
            _empty(target)
        elif not known and _has_files(target):
            left.append(folder)
            continue
        target.mkdir(parents=True, exist_ok=True)
        mark.write_text(request["backup"], encoding="utf-8")
        found.restore_content(snapshot, path, TREE)
        mark.unlink()
        count = content.count(target)[0]
        if count < wanted * 0.99 - 10:
            raise BackupError(f"the backup has {count} files in {path}, its manifest says {wanted}")
    return {"left": left}


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(each.name != _LOST for each in folder.iterdir())


def _empty(folder: Path) -> None:
    for each in folder.iterdir() if folder.is_dir() else ():
        if each.name != _LOST:
            shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()


def hold(_request: Request) -> Answer:
    """Run, so that commands can be run in the pod; it is removed afterwards."""
    while True:
        time.sleep(60)


def archive(request: Request) -> Answer:
    """Print an archive of what is saved of a hub, or of homes; the answer has its SHA-256."""
    if request["folders"]:
        parts = [(HOMES / folder, f"homes/{folder}") for folder in request["folders"] if (HOMES / folder).is_dir()]
    else:
        staged = WORK / "archive"
        stage(staged, request)
        parts = [(staged, request["hub"])]
    output = _Output(sys.stdout.buffer)
    with tarfile.open(fileobj=cast(IO[bytes], output), mode="w|gz") as writer:
        for path, name in parts:
            writer.add(path, name, filter=_without_foreign)
    sys.stdout.flush()
    return {"sha256": output.digest.hexdigest()}


class _Output:
    """A stream whose SHA-256 is known at the end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Write all of it."""
        self.digest.update(data)
        self._stream.write(data)
        return len(data)


def _without_foreign(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if entry.name.rpartition("/")[2] == _LOST else entry


def _fetched(request: Request) -> tuple[Snapshot, Path, dict[str, Any]]:
    found, folder = repository(), WORK / "fetched"
    snapshot = _find(found, request["hub"], request["from"])
    shutil.rmtree(folder, ignore_errors=True)
    found.restore_files(request["hub"], snapshot, folder)
    manifest = content.check(folder)
    if "volumes" not in manifest:
        raise BackupError(f"the backup {snapshot.id} is of a hub on a machine, and cannot be restored on Kubernetes")
    return snapshot, folder, manifest


def _find(found: Repository, hub: str, wanted: str) -> Snapshot:
    """Return the backup with this id, or the ``latest``, which is none that was made before a restore."""
    if wanted == "latest":
        usual = [each for each in found.snapshots(hub) if REPLACED not in each.tags]
        if usual:
            return usual[-1]
    return found.find(hub, wanted)


def _count(path: Path) -> dict[str, int]:
    """Return number and size of the files of a directory that are saved, as far as it can be read."""
    count = size = 0
    for each in path.iterdir() if os.access(path, os.R_OK | os.X_OK) else ():
        if each.name == _LOST or names.is_check_user(each.name):
            continue
        is_folder = each.is_dir() and not each.is_symlink()
        inside, space = content.count(each) if is_folder else (0, each.lstat().st_size)
        count += inside + 1
        size += space
    return {"files": count, "size": size}


def _saved(saved: Saved) -> Answer:
    return {"id": saved.id, "new": saved.new, "total": saved.total, "unread": list(saved.unread[:10])}


def _homes_tag(hub: str) -> str:
    return f"homes-of={hub}"


def _backup_tag(name: str) -> str:
    return f"backup={name}"


def _backup_of(snapshot: Snapshot) -> str:
    return next((tag.partition("=")[2] for tag in snapshot.tags if tag.startswith("backup=")), "")


COMMANDS: dict[str, Callable[[Request], Answer]] = {
    "save-homes": save_homes,
    "save": save,
    "list": list_backups,
    "fetch": fetch,
    "place": place,
    "place-homes": place_homes,
    "hold": hold,
    "archive": archive,
}


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code."""
    os.umask(0o077)
    if len(arguments) != 2 or arguments[0] not in COMMANDS:
        print(__doc__, file=sys.stderr)
        return 2
    command, request = arguments
    try:
        answer = COMMANDS[command](json.loads(request))
    except (BackupError, OSError, ValueError, KeyError) as error:
        answer = {"error": str(error) or type(error).__name__}
    with contextlib.suppress(BrokenPipeError):
        # an archive is the output of its command
        print(json.dumps(answer), file=sys.stderr if command == "archive" else sys.stdout, flush=True)
    return 1 if "error" in answer else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
