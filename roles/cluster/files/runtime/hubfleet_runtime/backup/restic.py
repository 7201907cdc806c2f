# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Call restic, which saves backups incrementally and encrypts them with the operator's password.

Source: restic's manual (restic.readthedocs.io), and its chapter "Scripting" for JSON and exit codes. The
password and the address go through the environment, which other accounts cannot read, never through arguments.
"""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

_KEEP_RULES = ("last", "daily", "weekly", "monthly")
#: As in rest:https://account:password@host/path and sftp:account@host:/path; a path of the machine has none.
_CREDENTIALS = re.compile(r"[a-z0-9]+:(?:[a-z0-9+]+:)?(?://)?(.*@)")
_INCOMPLETE = 3  # exit code: a backup was made, but some files could not be read
_NO_REPOSITORY = 10  # exit code
_NO_REPOSITORY_TEXT = re.compile(r"unable to open config file: .*(no such file|not exist|not found|404)", re.IGNORECASE)
_ERROR_LINE = re.compile(r"ignoring error|error:|Fatal:|ciphertext|unable to", re.IGNORECASE)


class BackupError(Exception):
    """Why a backup was not made or not restored; one line without secrets."""


@dataclass(frozen=True)
class Settings:
    """Where the backups of a cluster are stored.

    repository, password, environment: as restic takes them. keep: how many backups stay, by restic's rules
    (last, daily, weekly, monthly). homes: whether users' homes are included. collection: its version.
    """

    cluster: str
    repository: str
    password: str
    environment: dict[str, str] = field(default_factory=dict)
    keep: dict[str, int] = field(default_factory=dict)
    homes: bool = True
    collection: str = ""

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Settings:
        """Return the settings in JSON data; unknown keys are from another release, and ignored."""
        known = {each.name for each in fields(cls)}
        return cls(**{key: value for key, value in content.items() if key in known})

    @property
    def no_backups(self) -> str:
        """Return what is printed about a hub without backups."""
        return f"has no backups in {self.redact(self.repository)} yet"

    def redact(self, text: str) -> str:
        """Return a text without the credentials in the repository's address."""
        found = _CREDENTIALS.match(self.repository)
        if not found:
            return text
        # restic itself masks the password in addresses that it prints
        account = found[1].removesuffix("@").partition(":")[0]
        return text.replace(found[1], "").replace(f"{account}:***@", "")


@dataclass(frozen=True)
class Snapshot:
    """A backup of a hub. when: UTC, as 2026-11-24T08:15:00Z. paths: the directories that it contains."""

    id: str
    when: str
    paths: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Saved:
    """A backup that was made. new, total: bytes added and bytes read. unread: files that could not be read."""

    id: str
    new: int
    total: int
    unread: tuple[str, ...] = ()


class Repository:
    """The restic repository with the backups of a cluster's hubs. All methods raise BackupError."""

    def __init__(self, settings: Settings, work: Path) -> None:
        """work: private directory for restic's cache."""
        self.settings = settings
        self.work = work

    def save(self, hub: str, staged: Path, homes: Path | None) -> Saved:
        """Back up the staged files of a hub, and its homes without those of check users.

        Create the repository if there is none.
        """
        self.open_or_create()
        paths = [str(path) for path in (staged, homes) if path]
        excluded = [f"{glob.escape(str(homes))}/{name}" for name in ("hubfleet-check-*", ".restoring")] if homes else []
        return self.save_paths(paths, [f"hub={hub}"], [f"--exclude={pattern}" for pattern in excluded])

    def save_paths(self, paths: Iterable[str], tags: Iterable[str], options: Iterable[str] = ()) -> Saved:
        """Save directories with tags; options: of the command ``backup``."""
        marks = ["--host", self.settings.cluster, *(f"--tag={tag}" for tag in tags)]
        done = self._restic("backup", "--quiet", *marks, *options, *paths, allowed=(0, _INCOMPLETE))
        messages = map(json.loads, done.stdout.splitlines())
        summary = next((each for each in messages if each["message_type"] == "summary"), None)
        if summary is None:
            raise BackupError("restic printed no summary of the backup")
        return Saved(
            str(summary["snapshot_id"])[:8],
            int(summary["data_added"]),
            int(summary["total_bytes_processed"]),
            tuple(line for line in done.stderr.splitlines() if '"error"' in line or line.startswith("error: ")),
        )

    def snapshots(self, hub: str) -> list[Snapshot]:
        """Return the backups of a hub, the newest last; none if there is no repository yet."""
        return self.tagged(f"hub={hub}")

    def tagged(self, tag: str) -> list[Snapshot]:
        """Return what was saved with a tag, the newest last; nothing if there is no repository yet."""
        done = self._run("snapshots", "--host", self.settings.cluster, f"--tag={tag}")
        # before 0.17, restic has no exit code of its own for this, and every backend its own words
        if done.returncode == _NO_REPOSITORY or (done.returncode and _NO_REPOSITORY_TEXT.search(done.stderr)):
            return []
        found = json.loads(self._checked(done, "snapshots").stdout) or []
        found.sort(key=lambda each: str(each["time"]))
        return [
            Snapshot(each["short_id"], f"{each['time'][:19]}Z", tuple(each["paths"]), tuple(each.get("tags") or ()))
            for each in found
        ]

    def find(self, hub: str, wanted: str) -> Snapshot:
        """Return the backup with this id, or the ``latest``."""
        found = self.snapshots(hub)
        if not found:
            raise BackupError(f"hub {hub} {self.settings.no_backups}")
        if wanted == "latest":
            return found[-1]
        matching = [snapshot for snapshot in found if snapshot.id.startswith(wanted)]
        if len(matching) != 1:
            newest = ", ".join(f"{snapshot.id} ({snapshot.when})" for snapshot in reversed(found[-5:]))
            raise BackupError(f"hub {hub} has no backup {wanted!r}; the newest are: {newest}")
        return matching[0]

    def restore_files(self, hub: str, snapshot: Snapshot, target: Path) -> None:
        """Restore the staged files of a hub into a new directory."""
        ending = f"/backup/hubs/{hub}"
        path = next((path for path in snapshot.paths if path.endswith(ending)), None)
        if path is None:
            raise BackupError(f"the backup {snapshot.id} was not made by this program: it does not contain {ending}")
        self.restore_directory(snapshot, path, target)

    def restore_directory(self, snapshot: Snapshot, path: str, target: Path) -> None:
        """Restore a directory into a new one, if it is part of the backup."""
        if path not in snapshot.paths:
            return
        # restic creates all parents of the directory again, below its target
        tree = target.with_name(f"{target.name}.tree")
        self._restore(snapshot, glob.escape(path), tree)
        restored = tree / path.lstrip("/")
        if not restored.is_dir():
            raise BackupError(f"the backup {snapshot.id} does not contain {path}")
        restored.rename(target)

    def restore_content(self, snapshot: Snapshot, path: str, tree: Path) -> None:
        """Restore what is in a directory into a tree where the directory exists; its own mode and owner stay."""
        self._restore(snapshot, f"{glob.escape(path)}/*", tree)

    def _restore(self, snapshot: Snapshot, pattern: str, tree: Path) -> None:
        version = re.search(r"(\d+)\.(\d+)\.\d+", self._restic("version").stdout)
        options = ["--sparse"] if version and (int(version[1]), int(version[2])) >= (0, 15) else []
        self._restic("restore", snapshot.id, "--include", pattern, "--target", str(tree), "--verify", *options)

    def forget(self, hub: str, prune: bool = True) -> None:
        """Remove backups of a hub as the settings say; prune: also the data that only they had."""
        keep = self.settings.keep
        rules = [f"--keep-{rule}={keep[rule]}" for rule in _KEEP_RULES if keep.get(rule)]
        if rules:
            options = ["--prune"] if prune else []
            self._restic("forget", *self._filter(hub), "--group-by", "host", *rules, *options)

    def remove(self, snapshots: Iterable[str]) -> None:
        """Remove snapshots, and data that no other snapshot has."""
        ids = list(snapshots)
        self._restic("forget", *ids, "--prune") if ids else self._restic("prune")

    def _filter(self, hub: str) -> list[str]:
        # not the machine's own name: a new machine continues the backups of the old one
        return ["--host", self.settings.cluster, "--tag", f"hub={hub}"]

    def open_or_create(self) -> None:
        """Create the repository if there is none; remove locks that were left behind."""
        done = self._run("cat", "config")
        if done.returncode == 0:
            # removes only locks of processes that no longer run
            self._restic("unlock")
        elif "wrong password" in done.stderr:
            raise BackupError(self._reason(done))
        else:
            created = self._run("init")
            if created.returncode:
                raise BackupError(f"the repository cannot be opened or created: {self._reason(created)}")

    def _restic(self, *arguments: str, allowed: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        return self._checked(self._run(*arguments), arguments[0], allowed)

    def _checked(
        self, done: subprocess.CompletedProcess[str], command: str, allowed: tuple[int, ...] = (0,)
    ) -> subprocess.CompletedProcess[str]:
        if done.returncode not in allowed:
            raise BackupError(f"restic {command}: {self._reason(done)}")
        return done

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        path = f"{os.environ.get('PATH', os.defpath)}:/usr/local/bin:/usr/bin:/bin"
        program = shutil.which("restic", path=path)
        if program is None:
            raise BackupError("restic is not installed on this machine; install the package restic")
        environment = {
            **os.environ,
            **self.settings.environment,
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "RESTIC_REPOSITORY": self.settings.repository,
            "RESTIC_PASSWORD": self.settings.password,
            "RESTIC_CACHE_DIR": str(self.work / "cache"),
        }
        options = ["--json"] if self.work.is_dir() else ["--json", "--no-cache"]
        return subprocess.run(
            [program, *options, *arguments],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )

    def _reason(self, done: subprocess.CompletedProcess[str]) -> str:
        """Return the lines that say why restic failed, without credentials."""
        lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        errors = [line.removeprefix("Fatal: ") for line in lines if _ERROR_LINE.search(line)]
        text = "; ".join(errors[:2]) or (lines[-1] if lines else f"exit code {done.returncode}")
        return self.settings.redact(text)
