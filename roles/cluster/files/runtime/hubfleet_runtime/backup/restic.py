# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups by restic: incremental, deduplicated, and encrypted with the operator's password.

Source: restic's manual (restic.readthedocs.io), and its chapter "Scripting" for JSON and exit codes. The
password and the address go through the environment, which other accounts cannot read, never through arguments.
"""

from __future__ import annotations

import glob
import json
import re
import subprocess
from pathlib import Path

from hubfleet_runtime.backup.repository import KEEP, BackupError, Repository, Saved, Snapshot, needs, run

_INCOMPLETE = 3  # exit code: a backup was made, but some files could not be read
_ABSENT = 10  # exit code: there is no repository
_NOTHING = re.compile(r"unable to open config file: .*(no such file|not exist|not found|404)", re.IGNORECASE)
_NEWS = re.compile(r"ignoring error|error:|Fatal:|ciphertext|unable to", re.IGNORECASE)


class Restic(Repository):
    """A restic repository: a directory of the machine, or any place that restic can reach."""

    def save(self, hub: str, staged: Path, homes: Path | None) -> Saved:
        """One snapshot with two paths. Temporary users of the check are left out."""
        self._make()
        paths = [str(path) for path in (staged, homes) if path]
        exclude = ["--exclude", f"{glob.escape(str(homes))}/hubfleet-check-*"] if homes else []
        exclude += ["--exclude", f"{glob.escape(str(homes))}/.restoring"] if homes else []
        done = self._restic("backup", "--quiet", *self._of(hub), *exclude, *paths, allowed=(0, _INCOMPLETE))
        summary = next(
            (line for line in map(json.loads, done.stdout.splitlines()) if line["message_type"] == "summary"), None
        )
        if summary is None:
            raise BackupError(f"restic said nothing about the backup of hub {hub}")
        return Saved(
            str(summary["snapshot_id"])[:8],
            int(summary["data_added"]),
            int(summary["total_bytes_processed"]),
            tuple(line for line in done.stderr.splitlines() if '"error"' in line or line.startswith("error: ")),
        )

    def snapshots(self, hub: str) -> list[Snapshot]:
        """The snapshots that carry the hub's name."""
        done = self._run("snapshots", *self._of(hub))
        if done.returncode and _is_absent(done):
            return []
        found = json.loads(self._answered(done, "snapshots").stdout) or []
        shots = [
            Snapshot(each["short_id"], f"{each['time'][:19]}Z", tuple(each["paths"]))
            for each in sorted(found, key=lambda each: str(each["time"]))
        ]
        return shots

    def fetch(self, hub: str, snapshot: Snapshot, staged: Path) -> None:
        """The path that the hub's files were staged in."""
        ending = f"/backup/hubs/{hub}"
        path = next((path for path in snapshot.paths if path.endswith(ending)), None)
        if path is None:
            raise BackupError(f"the backup {snapshot.id} was not made by this program: it has no {ending}")
        self._fetch(snapshot, path, staged)

    def fetch_homes(self, hub: str, snapshot: Snapshot, homes: str, target: Path) -> None:
        """The path of the homes, where they are part of the snapshot."""
        if homes in snapshot.paths:
            self._fetch(snapshot, homes, target)

    def forget(self, hub: str) -> None:
        """By restic's own rules."""
        keep = [f"--keep-{word}={self.settings.keep[word]}" for word in KEEP if self.settings.keep.get(word)]
        if keep:
            self._restic("forget", *self._of(hub), "--group-by", "host,tags", *keep, "--prune")

    def _of(self, hub: str) -> list[str]:
        # the machine's own name would keep a new machine from going on with the backups of an old one
        return ["--host", self.settings.cluster, "--tag", f"hub={hub}"]

    def _fetch(self, snapshot: Snapshot, path: str, target: Path) -> None:
        """Restores one path: restic makes all folders above it again, below the target."""
        whole = target.with_name(f"{target.name}.tree")
        options = ["--sparse"] if self._version() >= (0, 15) else []
        self._restic(
            "restore", snapshot.id, "--include", glob.escape(path), "--target", str(whole), "--verify", *options
        )
        restored = whole / path.lstrip("/")
        if not restored.is_dir():
            raise BackupError(f"the backup {snapshot.id} has no {path}")
        restored.rename(target)

    def _version(self) -> tuple[int, ...]:
        found = re.search(r"(\d+)\.(\d+)\.\d+", self._restic("version").stdout)
        return tuple(map(int, found.groups())) if found else (0, 0)

    def _make(self) -> None:
        """Makes the repository where there is none."""
        done = self._run("cat", "config")
        if done.returncode == 0:
            # only locks of processes that are gone
            self._restic("unlock")
        elif "wrong password" in done.stderr:
            raise BackupError(self._reason(done))
        else:
            made = self._run("init")
            if made.returncode:
                raise BackupError(f"the repository cannot be opened or made: {self._reason(made)}")

    def _restic(self, *arguments: str, allowed: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        return self._answered(self._run(*arguments), arguments[0], allowed)

    def _answered(
        self, done: subprocess.CompletedProcess[str], command: str, allowed: tuple[int, ...] = (0,)
    ) -> subprocess.CompletedProcess[str]:
        """What restic did; BackupError where that failed."""
        if done.returncode not in allowed:
            raise BackupError(f"restic {command}: {self._reason(done)}")
        return done

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        cached = self.work.is_dir()
        environment = {
            **self.settings.environment,
            "RESTIC_REPOSITORY": self.settings.repository,
            "RESTIC_PASSWORD": self.settings.password,
            "RESTIC_CACHE_DIR": str(self.work / "cache"),
        }
        options = ["--json"] + ([] if cached else ["--no-cache"])
        return run([needs("restic", "restic"), *options, *arguments], environment)

    def _reason(self, done: subprocess.CompletedProcess[str]) -> str:
        """The lines that say why, without what may be a password in the address."""
        lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        telling = [line.removeprefix("Fatal: ") for line in lines if _NEWS.search(line)]
        text = "; ".join(telling[:2]) or (lines[-1] if lines else f"exit code {done.returncode}")
        return self.settings.shown(text)


def _is_absent(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether there is no repository yet; restic before 0.17 has no exit code for that, and each kind of place says
    it in its own words.
    """
    return done.returncode == _ABSENT or bool(_NOTHING.search(done.stderr))
