# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every place for backups can do, and the settings that lead to one."""

from __future__ import annotations

import abc
import os
import re
import subprocess
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

KEEP = ("last", "daily", "weekly", "monthly")
#: As in rest:https://account:password@host/path and sftp:account@host:/path; a path of the machine has none.
_ACCOUNT = re.compile(r"[a-z0-9]+:(?:[a-z0-9+]+:)?(?://)?(.*@)")


class BackupError(Exception):
    """Why something was not saved or not brought back; one line without secrets."""


@dataclass(frozen=True)
class Settings:
    """Where backups of a cluster go, and how they are encrypted.

    repository: what restic takes, or a directory for archives. password: restic's.
    recipient, identity: of age, public and private; the identity is only known while something is brought back.
    keep: how many backups stay, by the words in KEEP. homes: whether users' homes are part of them.
    """

    cluster: str
    repository: str
    password: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    recipient: str = ""
    identity: str = ""
    keep: dict[str, int] = field(default_factory=dict)
    homes: bool = True
    collection: str = ""

    @classmethod
    def of(cls, content: dict[str, Any]) -> Settings:
        """The settings in JSON data; what is not known is from another release, and left out."""
        known = {each.name for each in fields(cls)}
        return cls(**{key: value for key, value in content.items() if key in known})

    @property
    def credentials(self) -> str:
        """What the repository's address has before the host: perhaps a password; "" where there is nothing."""
        found = _ACCOUNT.match(self.repository)
        return found[1] if found else ""

    @property
    def place(self) -> str:
        """The repository for people's eyes."""
        return self.shown(self.repository)

    @property
    def none(self) -> str:
        """What is to be said of a hub without backups."""
        return f"has no backups in {self.place} yet"

    def shown(self, text: str) -> str:
        """A text without the credentials in the repository's address."""
        if not self.credentials:
            return text
        # restic puts stars for the password where it tells an address
        account = self.credentials.partition(":")[0]
        return text.replace(self.credentials, "").replace(f"{account}:***@", "")


@dataclass(frozen=True)
class Snapshot:
    """One backup of a hub. when: UTC, as 2026-11-24T08:15:00Z. paths: what it holds, by where it was."""

    id: str
    when: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Saved:
    """What became of a backup: bytes that were new, all bytes, and what could not be read."""

    id: str
    new: int
    total: int
    unread: tuple[str, ...] = ()


class Repository(abc.ABC):
    """A place for the backups of a cluster's hubs."""

    def __init__(self, settings: Settings, work: Path) -> None:
        """work: a private directory for what makes the next backup faster."""
        self.settings = settings
        self.work = work

    @abc.abstractmethod
    def save(self, hub: str, staged: Path, homes: Path | None) -> Saved:
        """Saves the staged files of a hub and its homes. Makes the repository where there is none."""

    @abc.abstractmethod
    def snapshots(self, hub: str) -> list[Snapshot]:
        """The backups of a hub, the newest last."""

    @abc.abstractmethod
    def fetch(self, hub: str, snapshot: Snapshot, staged: Path) -> None:
        """Brings the staged files of a hub into a new directory."""

    @abc.abstractmethod
    def fetch_homes(self, hub: str, snapshot: Snapshot, homes: str, target: Path) -> None:
        """Brings what was below the directory of homes into a new directory."""

    @abc.abstractmethod
    def forget(self, hub: str) -> None:
        """Removes the backups of a hub that are not to be kept."""

    def find(self, hub: str, wanted: str) -> Snapshot:
        """The backup of that id, or the ``latest``; BackupError where there is none."""
        found = self.snapshots(hub)
        if not found:
            raise BackupError(f"hub {hub} {self.settings.none}")
        if wanted == "latest":
            return found[-1]
        matching = [snapshot for snapshot in found if snapshot.id.startswith(wanted)]
        if len(matching) != 1:
            there = ", ".join(f"{snapshot.id} ({snapshot.when})" for snapshot in reversed(found[-5:]))
            raise BackupError(f"there is no backup {wanted} of hub {hub}; the newest are: {there}")
        return matching[0]


def needs(program: str, package: str) -> str:
    """The path of a program; BackupError names the package that brings it."""
    for folder in os.environ.get("PATH", os.defpath).split(":") + ["/usr/local/bin", "/usr/bin", "/bin"]:
        path = Path(folder, program)
        if os.access(path, os.X_OK):
            return str(path)
    raise BackupError(f"{program} is not on this machine; install the package {package}")


def run(command: list[str], environment: dict[str, str], given: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a program in a plain language, without reading from a terminal."""
    return subprocess.run(
        command,
        env={**os.environ, **environment, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        cwd="/",
        input=given,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
