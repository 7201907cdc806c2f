# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface between the spawner and isolation backends. Standard library only."""

from __future__ import annotations

import abc
import contextlib
import os
import resource
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from hubfleet_runtime import names
from hubfleet_runtime.shared import Grant, SharedDirectory

#: User ids that systemd allocates for DynamicUser=. Source: https://systemd.io/UIDS-GIDS/
_DYNAMIC_UIDS = range(0xEF00, 0xFFF0)
#: Of a directory for runtime directories: jupyter_client makes USER/kernel-UUID-ipc-N below it, and the path of
#: a socket has at most 107 characters. Source: unix(7)
_MAX_RUNTIME_PATH = 107 - len("/0123456789abcdef") - len("/kernel--ipc-9") - 36


class IsolationError(Exception):
    """Why a server cannot be isolated."""


@dataclass(frozen=True)
class HubContext:
    """A hub and its paths. directory: the hub's own.

    slice: systemd slice for servers that run as units; "" if servers are child processes of the hub.
    shared_directories: what users share. sudo_accounts: system accounts that may become root (hub_admin_sudo).
    """

    directory: Path
    name: str
    homes: Path
    runtime_directory: Path
    slice: str = ""
    shared_directories: tuple[SharedDirectory, ...] = ()
    sudo_accounts: frozenset[str] = frozenset()

    @property
    def state(self) -> str:
        """Return the state directory, which tells this fleet from others on the machine."""
        return str(self.directory.parent.parent)

    @property
    def shared(self) -> Path:
        """Return the directory of what users share; no home has such a name."""
        return self.homes / ".shared"

    @property
    def home_files(self) -> Path:
        """Return the file with the files that every home gets; users read it."""
        return self.shared / ".files.json"


@dataclass(frozen=True)
class ServerContext:
    """The account and the directories of a server. server_id: see names.server_id(). shared: what its user may use."""

    server_id: str
    home: Path
    account: str
    runtime_directory: str
    uid: int | None = None
    gid: int | None = None
    shared: tuple[Grant, ...] = ()

    @property
    def groups(self) -> list[int]:
        """Return the groups that give access to what the user may use."""
        return [grant.gid for grant in self.shared if grant.gid is not None]


@dataclass(frozen=True)
class Unit:
    """The systemd unit that runs a server."""

    name: str
    slice: str
    description: str
    properties: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Limits:
    """What a server may use; None for no limit.

    memory: bytes for all processes of a server together if the backend can limit them so, else for each process.
    cpu, cpu_guarantee: processors, at most and when all processors are busy. processes: processes and threads.
    """

    memory: int | None = None
    cpu: float | None = None
    cpu_guarantee: float | None = None
    processes: int | None = None

    def apply(self) -> None:
        """Limit this process and each of its children. Called between fork and exec."""
        disable_core_files()
        if self.memory:
            # over this limit, Python raises MemoryError
            _lower(resource.RLIMIT_DATA, self.memory)

    def apply_to_account(self) -> None:
        """Limit the number of processes of this process's account."""
        if self.processes:
            _lower(resource.RLIMIT_NPROC, self.processes)


def disable_core_files() -> None:
    """Prevent core files of this process and its children, which would fill homes."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _lower(limit: int, value: int) -> None:
    hard = resource.getrlimit(limit)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (value, value))


class Isolation(abc.ABC):
    """An isolation backend. All methods block, and raise IsolationError."""

    name = ""
    #: Whether accounts and groups of the machine decide who can use a shared directory.
    unix_groups = False

    def __init__(self, hub: HubContext) -> None:
        self.hub = hub

    @abc.abstractmethod
    def check(self) -> None:
        """Check that the backend can work on this machine. Called when the hub starts."""

    @abc.abstractmethod
    def prepare(self, user: str, server: str) -> ServerContext:
        """Create the account and the directories of a server, unless they exist."""

    def command(self, context: ServerContext, environment: Path, command: list[str], limits: Limits) -> list[str]:
        """Return the command that runs ``command`` isolated. environment: directory of the software."""
        return command

    def popen_arguments(self, context: ServerContext, limits: Limits) -> dict[str, Any]:
        """Return arguments of subprocess.Popen that set account, working directory and limits."""
        apply: Callable[[], None] = limits.apply
        return {"cwd": str(context.home), "preexec_fn": apply}

    def unit(self, context: ServerContext, environment: Path, limits: Limits) -> Unit | None:
        """Return the systemd unit that runs the server; None if it is started by subprocess.Popen."""
        return None

    def after_start(self, context: ServerContext, limits: Limits) -> None:  # noqa: B027  most backends do nothing
        """Apply limits that would slow down a start. Called when the server answers."""

    def kills_over_memory_limit(self) -> bool:
        """Return whether the kernel kills processes of servers over their memory limit."""
        return False

    def oom_kills(self, user: str, server: str) -> int:
        """Return how many processes of a server were killed because of its memory limit."""
        return 0

    def end_server(self, user: str, server: str) -> None:  # noqa: B027  most backends do nothing
        """End what a stopped server left behind."""

    def end_user_processes(self, user: str) -> None:  # noqa: B027  most backends do nothing
        """End what a user's servers left behind. Called when none of them runs any more."""

    def remove(self, user: str) -> None:
        """Remove everything of a check user."""
        require_check_user(user)
        self.end_user_processes(user)
        shutil.rmtree(self.home(user), ignore_errors=True)

    def rename_problem(self, user: str, new_name: str) -> str:
        """Return why what belongs to a user cannot follow a new name; "" if it can."""
        home = self.home(new_name)
        return f"{home} exists already, which may belong to somebody else" if os.path.lexists(home) else ""

    def rename(self, user: str, new_name: str) -> None:
        """Let the home follow the new name of its user, who has no running server."""
        try:
            os.rename(self.home(user), self.home(new_name))
        except FileNotFoundError:
            pass  # no server has started yet
        except OSError as error:
            raise IsolationError(f"{self.home(user)} cannot be moved: {error.strerror}") from error

    def server_id(self, user: str, server: str) -> str:
        """Return the name of a server that is unique on the machine."""
        return names.server_id(self.hub.directory, user, server)

    def home(self, user: str) -> Path:
        """Return the user's home directory."""
        return self.hub.homes / names.slug(user)


def check_runtime_path(path: Path) -> None:
    """Raise IsolationError if the sockets of kernels below this directory would have too long paths."""
    if len(str(path)) > _MAX_RUNTIME_PATH:
        raise IsolationError(
            f"the path {path} is too long for the sockets of kernels: "
            f"it has {len(str(path))} characters, at most {_MAX_RUNTIME_PATH} are possible"
        )


def require_check_user(user: str) -> None:
    """Raise IsolationError if something of a person is to be removed."""
    if not names.is_check_user(user):
        raise IsolationError(f"the hub never removes the account and the files of user {user!r}")


def private_directory(path: Path, uid: int, gid: int, mode: int = 0o700) -> None:
    """Create a directory with that owner and mode. Raises IsolationError if it belongs to somebody else.

    The parent must not be writable by others, or they could put a link there first.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    found = os.lstat(path)
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() != uid and not os.listdir(path):
        os.chown(path, uid, gid)  # created just now, or by a hub that was killed before this line
        found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid:
        raise IsolationError(f"{path} is not a directory of user id {uid}; it is not changed")
    if stat.S_IMODE(found.st_mode) != mode:
        os.chmod(path, mode)


def change_owner(path: Path, uid: int, gid: int) -> None:
    """Change the owner of a directory, and of what its present owner has in it. Links are not followed.

    The directory itself comes last, so that an interrupted change is repeated. Raises IsolationError.
    """
    owner = os.lstat(path).st_uid
    command = ["chown", "--recursive", "--no-dereference", f"--from={owner}", f"{uid}:{gid}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise IsolationError(f"the owner of {path} cannot be changed to user id {uid}: {done.stderr.strip()}")


def private_home(path: Path, uid: int, gid: int) -> None:
    """Create a user's home; keep a mode that the user has set. Raises IsolationError.

    The home of a dynamic user of systemd is given to the new user id.
    """
    if path.is_dir() and not path.is_symlink() and os.lstat(path).st_uid in _DYNAMIC_UIDS:
        change_owner(path, uid, gid)
    mode = 0o700 if not path.exists() else stat.S_IMODE(os.lstat(path).st_mode)
    private_directory(path, uid, gid, mode)


def create_runtime_root(path: Path, mode: int) -> None:
    """Create the parent of the users' runtime directories, which may vanish at a reboot. Raises IsolationError."""
    private_directory(path, os.geteuid(), os.getegid(), mode)
