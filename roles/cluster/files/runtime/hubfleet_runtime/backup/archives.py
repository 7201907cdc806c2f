# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups as archives of GNU tar, encrypted by age for a key that is not on the machine.

A backup of hub H is the folder ``H/ID``: ``hub.tar.gz.age``, ``homes.tar.gz.age`` and, in plain text, ``about.json``
with the digests of both. Homes are incremental: a full archive, then archives of what changed since, each going on
from the one that ``base`` names. Sources: the manual of GNU tar, "Using tar to Perform Incremental Dumps"; age(1).
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from hubfleet_runtime import processes
from hubfleet_runtime.backup.repository import KEEP, BackupError, Repository, Saved, Snapshot, needs

_ID = "%Y%m%dT%H%M%SZ"
#: A full archive after that many incremental ones: all of a chain is needed to bring back its last one.
_LONGEST_CHAIN = 7
_TAR = ["--acls", "--xattrs", "--numeric-owner", "--sparse"]
_CHUNK = 1 << 20


class Archives(Repository):
    """A directory of archives."""

    def save(self, hub: str, staged: Path, homes: Path | None) -> Saved:
        """A new folder, which appears whole or not at all."""
        place = self._place(hub)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        while (place / (name := datetime.datetime.now(datetime.timezone.utc).strftime(_ID))).exists():
            time.sleep(0.1)  # the last one was made within this second
        fresh = place / f".{name}.new"
        for left in place.glob(".*.new"):
            shutil.rmtree(left)
        fresh.mkdir(mode=0o700)
        about: dict[str, Any] = {
            "format": 1,
            "hub": hub,
            "base": "",
            "chain": 0,
            "homes": str(homes or ""),
            "parts": {},
        }
        unread = [] if homes is None else self._save_homes(hub, homes, fresh, about)
        about["parts"]["hub.tar.gz.age"] = self._pack(
            fresh / "hub.tar.gz.age", ["--directory", str(staged), "."], unread
        )
        processes.write_private(fresh / "about.json", json.dumps(about, indent=1) + "\n")
        fresh.rename(place / name)
        if homes is not None:
            self._increments(hub, ".new").rename(self._increments(hub))
        new = sum(part.stat().st_size for part in (place / name).iterdir())
        return Saved(name, new, _size(staged) + (_size(homes) if homes else 0), tuple(unread))

    def _save_homes(self, hub: str, homes: Path, fresh: Path, about: dict[str, Any]) -> list[str]:
        """Saves what changed since the last backup, or everything; gives what could not be read."""
        known, next_known = self._increments(hub), self._increments(hub, ".new")
        known.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        next_known.unlink(missing_ok=True)
        last = next(iter(self._names(hub)[-1:]), "")
        before = self._about(hub, last) if last else {}
        goes_on = before.get("homes") == str(homes) and before["chain"] < _LONGEST_CHAIN
        # of another backup, what tar remembers is that of a run that was interrupted.
        if goes_on and known.exists() and _digest(known) == before["increments"]:
            shutil.copyfile(known, next_known)
            about.update(base=last, chain=before["chain"] + 1)
        next_known.touch(mode=0o600)
        unread: list[str] = []
        options = [f"--listed-incremental={next_known}", "--exclude=./hubfleet-check-*", "--exclude=./.restoring"]
        about["parts"]["homes.tar.gz.age"] = self._pack(
            fresh / "homes.tar.gz.age", [*options, "--directory", str(homes), "."], unread
        )
        about["increments"] = _digest(next_known)
        return unread

    def snapshots(self, hub: str) -> list[Snapshot]:
        """The folders that are whole."""
        found = []
        for name in self._names(hub):
            when = datetime.datetime.strptime(name, _ID).strftime("%Y-%m-%dT%H:%M:%SZ")
            found.append(Snapshot(name, when, (self._about(hub, name)["homes"],)))
        return found

    def fetch(self, hub: str, snapshot: Snapshot, staged: Path) -> None:
        """Unpacks the staged files."""
        staged.mkdir(mode=0o700)
        self._unpack(hub, snapshot.id, "hub.tar.gz.age", staged, [])

    def fetch_homes(self, hub: str, snapshot: Snapshot, homes: str, target: Path) -> None:
        """Unpacks the full archive, then what changed since, one after the other; what was deleted goes as well."""
        target.mkdir(mode=0o700)
        chain = [snapshot.id]
        while base := self._about(hub, chain[0])["base"]:
            chain.insert(0, base)
        for name in chain if homes in snapshot.paths else []:
            self._unpack(hub, name, "homes.tar.gz.age", target, ["--listed-incremental=/dev/null"])

    def forget(self, hub: str) -> None:
        """Removes folders that are neither kept nor needed by one that is."""
        names = self._names(hub)
        needed = set(names[-1:])
        for word, form in zip(KEEP, (_ID, "%Y-%m-%d", "%G-%V", "%Y-%m")):
            newest = {datetime.datetime.strptime(name, _ID).strftime(form): name for name in names}
            count = self.settings.keep.get(word, 0)
            needed.update(list(newest.values())[-count:] if count else [])
        for name in reversed(names):
            if name in needed:
                needed.add(self._about(hub, name)["base"])
            else:
                shutil.rmtree(self._place(hub) / name)

    def _place(self, hub: str) -> Path:
        return Path(self.settings.repository, hub)

    def _increments(self, hub: str, ending: str = "") -> Path:
        """Where tar remembers what it saved."""
        return self.work / "increments" / f"{hub}{ending}"

    def _names(self, hub: str) -> list[str]:
        place = self._place(hub)
        found = [each.name for each in place.iterdir()] if place.is_dir() else []
        return sorted(name for name in found if not name.startswith(".") and (place / name / "about.json").exists())

    def _about(self, hub: str, name: str) -> dict[str, Any]:
        try:
            return processes.read_json(self._place(hub) / name / "about.json")
        except (OSError, ValueError) as error:
            raise BackupError(f"the backup {name} of hub {hub} is damaged: {error}") from None

    def _pack(self, part: Path, arguments: list[str], unread: list[str]) -> str:
        """Writes one encrypted archive; gives its SHA-256, and adds what could not be read."""
        tar = [needs("tar", "tar"), "--create", "--gzip", *_TAR, "--ignore-failed-read", *arguments]
        age = [needs("age", "age"), "--encrypt", "--recipient", self.settings.recipient]
        quiet = {**os.environ, "LC_ALL": "C.UTF-8"}
        with (
            open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
            subprocess.Popen(
                tar, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=quiet
            ) as packing,
        ):
            assert packing.stdout and packing.stderr
            sealing = subprocess.Popen(age, stdin=packing.stdout, stdout=file, stderr=subprocess.PIPE, env=quiet)
            packing.stdout.close()
            # tar says a line per file at most, and only where something is wrong with it
            said = packing.stderr.read().decode(errors="replace").strip().splitlines()
            sealed = sealing.communicate()[1].decode(errors="replace").strip()
            packing.wait()
            os.fsync(file.fileno())
        if sealing.returncode:
            raise BackupError(f"age: {sealed.splitlines()[0] if sealed else sealing.returncode}")
        # 1: files changed while they were read
        if packing.returncode not in (0, 1):
            raise BackupError(f"tar: {(said or ['no reason given'])[0]}")
        unread += [line for line in said if "ermission denied" in line or "annot" in line]
        return _digest(part)

    def _unpack(self, hub: str, name: str, part: str, target: Path, options: list[str]) -> None:
        """Decrypts and unpacks one archive. The key goes in through a pipe; it is never in a file."""
        path = self._place(hub) / name / part
        if not self.settings.identity:
            raise BackupError("archives can only be read with the private key: cluster_backup_identity is not set")
        if not path.exists() or _digest(path) != self._about(hub, name)["parts"][part]:
            raise BackupError(f"the backup {name} of hub {hub} is damaged: {part} is not what was saved")
        age = [needs("age", "age"), "--decrypt", "--identity", "-", str(path)]
        tar = [needs("tar", "tar"), "--extract", "--gzip", *_TAR, "--preserve-permissions", *options]
        with subprocess.Popen(age, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as opening:
            assert opening.stdin and opening.stdout and opening.stderr
            opening.stdin.write(f"{self.settings.identity}\n".encode())
            opening.stdin.close()
            done = subprocess.run(
                [*tar, "--directory", str(target)], stdin=opening.stdout, capture_output=True, check=False
            )
            opening.stdout.close()
            said = opening.stderr.read().decode(errors="replace").strip().splitlines()
        if opening.returncode:
            raise BackupError(f"age: {said[0] if said else opening.returncode}")
        if done.returncode:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            raise BackupError(f"tar: {(lines or ['no reason given'])[0]}")


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def _size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    total = 0
    for place, _folders, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue  # gone meanwhile
    return total
