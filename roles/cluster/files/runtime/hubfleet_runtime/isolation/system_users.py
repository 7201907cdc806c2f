# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One system account per user of the hub. Needs root. Standard library only.

Accounts are made by useradd(8) and, for temporary users, removed by userdel(8). The account of a
person is never removed: its number would be given away again, and the files with it.
"""

from __future__ import annotations

import os
import pwd
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable
from urllib.parse import quote

from hubfleet_runtime import names, processes
from hubfleet_runtime.isolation import cgroups
from hubfleet_runtime.isolation.base import (
    Isolation,
    IsolationError,
    Limits,
    Place,
    Where,
    check_runtime,
    names_only_checks,
    no_core_files,
    private_directory,
    private_home,
    runtime_root,
)

_PROGRAMS = {"PATH": "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}
# useradd(8) and userdel(8): cannot update the password, group or subordinate-id file, mostly
# because another program holds its lock
_BUSY = {1, 10, 16, 18}
_EXISTS = 9
_PATIENCE = 60.0
_SHARED_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")
# the threads of one hub; other hubs are kept out by the lock of the account files
_one_at_a_time = threading.Lock()


class SystemUsers(Isolation):
    """Each user of the hub has a system account, made at the first start of a server."""

    name = "system-users"

    def __init__(self, where: Where) -> None:
        super().__init__(where)
        self.groups: cgroups.Groups | None = None

    def check(self) -> None:
        """IsolationError without root, or without the programs that make accounts."""
        if os.geteuid() != 0:
            raise IsolationError("isolation 'system-users' needs a hub that runs as root; use 'bubblewrap'")
        for program in ("useradd", "userdel"):
            if shutil.which(program, path=_PROGRAMS["PATH"]) is None:
                raise IsolationError(f"isolation 'system-users' needs the program {program}")
        check_runtime(self.where.runtime_directory)
        self.groups = cgroups.find()

    def prepare(self, user: str, server: str) -> Place:
        """Makes the account, the home and the runtime directory, whatever of them is missing."""
        with _one_at_a_time:
            entry = self._account(user) or self._create(user)
            home = self.home(user)
            private_home(home, entry.pw_uid, entry.pw_gid)
            runtime_root(self.where.runtime_directory, 0o711)
            runtime = self.where.runtime_directory / str(entry.pw_uid)
            private_directory(runtime, entry.pw_uid, entry.pw_gid)
        return Place(
            key=self.key(user, server),
            home=home,
            account=entry.pw_name,
            runtime_directory=str(runtime),
            uid=entry.pw_uid,
            gid=entry.pw_gid,
        )

    def popen(self, place: Place, limits: Limits) -> dict[str, Any]:
        """Runs as the account, in no other group than its own, and in the server's control group."""
        uid, gid, groups = place.uid, place.gid, self.groups
        if uid is None or gid is None:
            raise IsolationError(f"{place.account} is no account")
        if groups:
            try:
                groups.make(place.key, limits)
            except OSError as error:
                raise IsolationError(f"the control group {place.key} cannot be made: {error}") from error

        def enter() -> None:
            # before the account is taken: it may not put itself into a group, nor out of one
            if groups:
                groups.join(place.key)
                no_core_files()
            else:
                limits.apply()
                limits.apply_to_account()
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)

        return {"cwd": str(place.home), "preexec_fn": enter}

    def answered(self, place: Place, limits: Limits) -> None:
        """Limits the CPU: with less of it, starting takes long."""
        if self.groups and limits.cpu:
            try:
                self.groups.limit_cpu(place.key, limits.cpu)
            except OSError as error:
                raise IsolationError(f"the CPU of {place.key} cannot be limited: {error}") from error

    def ends_over_memory(self) -> bool:
        """Where servers have control groups."""
        return self.groups is not None

    def memory_kills(self, user: str, server: str) -> int:
        """As the server's control group counts them."""
        return self.groups.memory_kills(self.key(user, server)) if self.groups else 0

    def end_server(self, user: str, server: str) -> None:
        """Ends all that is in the server's control group, and removes it."""
        if self.groups:
            self.groups.remove(self.key(user, server))

    def end_processes(self, user: str) -> None:
        """Ends all processes of the account: kernels, terminals, and what detached itself."""
        entry = self._account(user)
        if entry is not None:
            end_all_of(entry.pw_uid, entry.pw_gid)

    def remove(self, user: str) -> None:
        """Removes account, directories and files in shared folders of a temporary user."""
        names_only_checks(user)
        with _one_at_a_time:
            entry = self._account(user)
            if entry is not None:
                self._remove(user, entry)

    def _remove(self, user: str, entry: pwd.struct_passwd) -> None:
        end_all_of(entry.pw_uid, entry.pw_gid)
        shutil.rmtree(self.home(user), ignore_errors=True)
        shutil.rmtree(self.where.runtime_directory / str(entry.pw_uid), ignore_errors=True)
        for folder in _SHARED_FOLDERS:
            remove_owned(Path(folder), entry.pw_uid)
        # last, so that a failure before leaves the mark by which it can be found again
        _run_when_free(["userdel", entry.pw_name], lambda: self._account(user) is None)

    def _mark(self, user: str) -> str:
        """What tells in the account's comment field that it is ours, and whose it is."""
        own = names.account_hash(self.where.state, self.where.hub, user)
        return f"hubfleet {own} hub={quote(self.where.hub)} user={quote(user, safe='@._-')}"

    def _account(self, user: str) -> pwd.struct_passwd | None:
        """The user's account, None when there is none; IsolationError when it is not ours."""
        name = names.account(self.where.state, self.where.hub, user)
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return None
        if entry.pw_gecos != self._mark(user) or entry.pw_uid == 0:
            raise IsolationError(
                f"account {name} was not made for user {user!r} of hub {self.where.hub}; it is left alone"
            )
        return entry

    def _create(self, user: str) -> pwd.struct_passwd:
        name = names.account(self.where.state, self.where.hub, user)
        command = [
            "useradd",
            "--no-create-home",
            "--no-log-init",
            "--user-group",
            "--shell",
            "/usr/sbin/nologin",
            "--home-dir",
            str(self.home(user)),
            "--comment",
            self._mark(user),
            # no ranges for containers, or next to none: thousands of users would use them up; Debian 11 and
            # Ubuntu 22.04 have a useradd that fails with 0
            "--key",
            "SUB_UID_COUNT=1",
            "--key",
            "SUB_GID_COUNT=1",
            name,
        ]
        _run_when_free(command, lambda: self._account(user) is not None)
        entry = self._account(user)
        if entry is None:
            raise IsolationError(f"account {name} was made, but cannot be found")
        return entry


def _run_when_free(command: list[str], done: Callable[[], bool]) -> None:
    """Runs a program that changes accounts; waits while another one holds their lock.

    Ten hubs may make accounts at once, and these programs do not wait for each other long.
    """
    deadline = time.monotonic() + _PATIENCE
    while not done():
        result = subprocess.run(
            command, capture_output=True, text=True, env=_PROGRAMS, stdin=subprocess.DEVNULL, check=False
        )
        if result.returncode == 0 or (result.returncode == _EXISTS and done()):
            return
        busy = result.returncode in _BUSY and "lock" in result.stderr
        if not busy or time.monotonic() > deadline:
            raise IsolationError(
                f"{command[0]} failed for {command[-1]}: {result.stderr.strip() or f'exit code {result.returncode}'}"
            )
        time.sleep(random.uniform(0.05, 0.5))


def end_all_of(uid: int, gid: int) -> None:
    """Kills all processes of a user id; IsolationError when some stay.

    By kill(-1) of a process that has become that user: it reaches all of them at once, so none
    can escape by forking faster than they are looked up, and nobody else's.
    """
    if uid <= 0:
        raise IsolationError(f"refusing to end the processes of user id {uid}")
    program = "import os, signal; os.kill(-1, signal.SIGKILL)"
    deadline = time.monotonic() + 10
    while processes.living_of_user(uid):
        # the program may be killed by one of those it kills; then there is another round
        subprocess.run(
            [sys.executable, "-I", "-S", "-c", program],
            user=uid,
            group=gid,
            extra_groups=[],
            cwd="/",
            env={},
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if time.monotonic() > deadline:
            left = processes.living_of_user(uid)
            if left:
                raise IsolationError(f"processes of user id {uid} do not end: {left}")
            return
        time.sleep(0.02)


def remove_owned(folder: Path, uid: int) -> None:
    """Removes what a user id owns directly in a folder that all users share."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        try:
            if entry.stat(follow_symlinks=False).st_uid != uid:
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)
        except OSError:
            continue  # gone, or a mount
