# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the spawner asks of every way to keep users apart. Standard library only."""

from __future__ import annotations

import abc
import contextlib
import os
import resource
import shutil
import stat
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from hubfleet_runtime import names

_LONGEST_RUNTIME = 107 - len("/0123456789abcdef") - len("/kernel--ipc-9") - 36


#: User ids that systemd gives to DynamicUser=. Source: https://systemd.io/UIDS-GIDS/
DYNAMIC = range(0xEF00, 0xFFF0)


class IsolationError(Exception):
    """Why a user's place cannot be made, or this way does not work here."""


@dataclass(frozen=True)
class Where:
    """The hub that users belong to, and where their things go.

    slice: of systemd, for servers that it runs as units; "" where servers are processes of the hub.
    """

    directory: Path  # of the hub
    hub: str
    homes: Path
    runtime_directory: Path
    slice: str = ""

    @property
    def state(self) -> str:
        """The state directory, which tells this fleet from others on the machine."""
        return str(self.directory.parent.parent)


@dataclass(frozen=True)
class Place:
    """Where a server of a user runs: as whom, and with which directories.

    key: what this server is called machine-wide, see names.server_key().
    """

    key: str
    home: Path
    account: str
    runtime_directory: str
    uid: int | None = None
    gid: int | None = None
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Unit:
    """A server as systemd is to run it: ``properties`` say as whom, where, and limited how."""

    name: str
    slice: str
    description: str
    properties: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Limits:
    """What a server may use; None is no limit.

    memory: bytes, all its processes together where the way can count them so, else each.
    cpu: processors it may keep busy. cpu_guarantee: processors it gets when all are wanted.
    processes: how many processes and threads.
    """

    memory: int | None = None
    cpu: float | None = None
    cpu_guarantee: float | None = None
    processes: int | None = None

    def apply(self) -> None:
        """Limits this process and what it starts, each by itself. Runs between fork and exec."""
        no_core_files()
        if self.memory:
            # over it, Python raises MemoryError instead of the machine running out
            _lower(resource.RLIMIT_DATA, self.memory)

    def apply_to_account(self) -> None:
        """Limits the processes of the account that this process has, together."""
        if self.processes:
            _lower(resource.RLIMIT_NPROC, self.processes)


def no_core_files() -> None:
    """Keeps crashes of this process and of what it starts from filling homes."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _lower(limit: int, value: int) -> None:
    hard = resource.getrlimit(limit)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (value, value))


class Isolation(abc.ABC):
    """One way to keep the users of a hub apart. All methods block: call them in a thread."""

    name = ""

    def __init__(self, where: Where) -> None:
        self.where = where

    @abc.abstractmethod
    def check(self) -> None:
        """IsolationError when this way cannot work here. Called when the hub starts."""

    @abc.abstractmethod
    def prepare(self, user: str, server: str) -> Place:
        """Makes what the user's server needs, unless it is there. IsolationError when it cannot."""

    def command(self, place: Place, environment: Path, command: list[str], limits: Limits) -> list[str]:
        """The command that runs a command isolated, with the software in environment."""
        return command

    def popen(self, place: Place, limits: Limits) -> dict[str, Any]:
        """Arguments for Popen: as whom to run, where, and limited how."""
        apply: Callable[[], None] = limits.apply
        return {"cwd": str(place.home), "preexec_fn": apply}

    def unit(self, place: Place, environment: Path, limits: Limits) -> Unit | None:
        """The unit of systemd that runs the server; None when it is started by Popen."""
        return None

    def answered(self, place: Place, limits: Limits) -> None:  # noqa: B027  most ways have nothing to add
        """Called when the server answers: starting takes more CPU than working does."""

    def ends_over_memory(self) -> bool:
        """Whether Linux ends a process of a server over its memory limit, and kernels see that it did."""
        return False

    def memory_kills(self, user: str, server: str) -> int:
        """How many processes of the server were ended because it reached its memory limit."""
        return 0

    def end_server(self, user: str, server: str) -> None:  # noqa: B027  most ways leave nothing behind
        """Ends what this server left behind. Called whenever it has stopped."""

    def end_processes(self, user: str) -> None:  # noqa: B027  most ways leave nothing behind
        """Ends what the user's servers left behind. Called when none of them runs any more."""

    def remove(self, user: str) -> None:
        """Removes all that a temporary user had. Never called for persons."""
        names_only_checks(user)
        self.end_processes(user)
        shutil.rmtree(self.home(user), ignore_errors=True)

    def key(self, user: str, server: str) -> str:
        """What the server is called machine-wide."""
        return names.server_key(self.where.directory, user, server)

    def home(self, user: str) -> Path:
        """The user's home directory."""
        return self.where.homes / names.slug(user)


def check_runtime(path: Path) -> None:
    """IsolationError when sockets of kernels in there would have too long a path.

    Source: unix(7), at most 107 characters; jupyter_client makes USER/kernel-UUID-ipc-N below it.
    """
    if len(str(path)) > _LONGEST_RUNTIME:
        raise IsolationError(
            f"the path {path} is too long for the sockets of kernels: "
            f"{len(str(path))} characters, possible are {_LONGEST_RUNTIME}"
        )


def names_only_checks(user: str) -> None:
    """Refuses to remove what belongs to a person."""
    if not names.is_check_user(user):
        raise IsolationError(f"the things of user {user!r} are never removed by the hub")


def private_directory(path: Path, uid: int, gid: int, mode: int = 0o700) -> None:
    """Makes a directory of that owner and mode; IsolationError when something else is there.

    The parent must not be writable by others, or they could put a link there first.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    found = os.lstat(path)
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() != uid and not os.listdir(path):
        os.chown(path, uid, gid)  # made just now, or by a hub that was killed before this line
        found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
        raise IsolationError(f"{path} is not a directory of user id {uid}; it is left alone")
    if stat.S_IMODE(found.st_mode) != mode:
        os.chmod(path, mode)


def change_owner(path: Path, uid: int, gid: int) -> None:
    """Gives a directory, with what its present owner has in it, to somebody else.

    The directory itself comes last, so that what was interrupted is done again. Links are not followed.
    """
    owner = os.lstat(path).st_uid
    command = ["chown", "--recursive", "--no-dereference", f"--from={owner}", f"{uid}:{gid}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise IsolationError(f"{path} cannot be given to user id {uid}: {done.stderr.strip()}")


def private_home(path: Path, uid: int, gid: int) -> None:
    """Makes a user's home; a mode that the user gave it later is kept.

    One of a user id that systemd made up (see unit_users.py) is given to the user's own.
    """
    if path.is_dir() and not path.is_symlink() and os.lstat(path).st_uid in DYNAMIC:
        change_owner(path, uid, gid)
    mode = 0o700 if not path.exists() else stat.S_IMODE(os.lstat(path).st_mode)
    private_directory(path, uid, gid, mode)


def runtime_root(path: Path, mode: int) -> None:
    """Makes the folder that holds the users' runtime directories; it may vanish at a reboot."""
    private_directory(path, os.geteuid(), os.getegid(), mode)
