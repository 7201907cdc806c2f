# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the servers of each user as a system account. Needs root. Standard library only.

Accounts are created by useradd(8) and, for check users, removed by userdel(8). The account of a person is never
removed: its number would be reused, and the new account would own the files.
"""

from __future__ import annotations

import ctypes
import grp
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
    HubContext,
    Isolation,
    IsolationError,
    Limits,
    ServerContext,
    check_runtime_path,
    create_runtime_root,
    disable_core_files,
    private_directory,
    private_home,
    require_check_user,
)

#: Where programs that manage accounts are.
PROGRAM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
_ENVIRONMENT = {"PATH": PROGRAM_PATH, "LC_ALL": "C"}
# Exit codes of useradd(8) and userdel(8): the password, group or subordinate-id file cannot be updated, mostly
# because another program has locked it; the account exists.
_LOCKED = {1, 10, 16, 18}
_EXISTS = 9
_LOCK_TIMEOUT = 60.0
# Source: linux/prctl.h
_PR_SET_NO_NEW_PRIVS = 38
_SHARED_DIRECTORIES = ("/tmp", "/var/tmp", "/dev/shm")
# for the threads of this hub; other hubs wait for the lock of the account files
_account_lock = threading.Lock()


class SystemUsers(Isolation):
    """A system account per user of the hub, created when their first server starts."""

    name = "system-users"
    unix_groups = True

    def __init__(self, hub: HubContext) -> None:
        super().__init__(hub)
        self.control_groups: cgroups.ControlGroups | None = None

    def check(self) -> None:
        """Check for root and the programs that manage accounts, and find control groups."""
        if os.geteuid() != 0:
            raise IsolationError("isolation 'system-users' needs root; without root use 'bubblewrap'")
        for program in ("useradd", "userdel", "usermod", "groupmod"):
            if shutil.which(program, path=PROGRAM_PATH) is None:
                raise IsolationError(f"isolation 'system-users' needs the program {program}")
        check_runtime_path(self.hub.runtime_directory)
        self.control_groups = cgroups.find_control_groups()

    def prepare(self, user: str, server: str) -> ServerContext:
        """Create the account, the home and the runtime directory, unless they exist."""
        with _account_lock:
            entry = self._account(user) or self._create(user)
            home = self.home(user)
            private_home(home, entry.pw_uid, entry.pw_gid)
            create_runtime_root(self.hub.runtime_directory, 0o711)
            runtime = self.hub.runtime_directory / str(entry.pw_uid)
            private_directory(runtime, entry.pw_uid, entry.pw_gid)
        return ServerContext(
            server_id=self.server_id(user, server),
            home=home,
            account=entry.pw_name,
            runtime_directory=str(runtime),
            uid=entry.pw_uid,
            gid=entry.pw_gid,
        )

    def popen_arguments(self, context: ServerContext, limits: Limits) -> dict[str, Any]:
        """Run as the account, in the server's control group, and in no group but its own and of shared directories."""
        uid, gid, groups = context.uid, context.gid, self.control_groups
        shared_groups, gain_nothing = context.groups, not self.may_gain_privileges(context)
        prctl = ctypes.CDLL(None, use_errno=True).prctl  # loaded here, since a fork of threads may not
        if uid is None or gid is None:
            raise IsolationError(f"{context.account} is not an account")
        if groups:
            try:
                groups.create(context.server_id, limits)
            except OSError as error:
                raise IsolationError(f"the control group {context.server_id} cannot be created: {error}") from error

        def enter() -> None:
            # before changing the account, which may not join or leave control groups
            if groups:
                groups.join(context.server_id)
                disable_core_files()
            else:
                limits.apply()
                limits.apply_to_account()
            if gain_nothing and prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), "prctl(PR_SET_NO_NEW_PRIVS)")
            os.setgroups(shared_groups)
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)

        return {"cwd": str(context.home), "preexec_fn": enter}

    def may_gain_privileges(self, context: ServerContext) -> bool:
        """Return whether programs may change user or group, as sudo does.

        Others may not: a user could keep the right to a shared directory in a program of its group (setgid).
        """
        return context.account in self.hub.sudo_accounts

    def after_start(self, context: ServerContext, limits: Limits) -> None:
        """Limit the CPU, which would slow down the start."""
        if self.control_groups and limits.cpu:
            try:
                self.control_groups.limit_cpu(context.server_id, limits.cpu)
            except OSError as error:
                raise IsolationError(f"the CPU of {context.server_id} cannot be limited: {error}") from error

    def kills_over_memory_limit(self) -> bool:
        """Return whether servers have control groups."""
        return self.control_groups is not None

    def oom_kills(self, user: str, server: str) -> int:
        """Return the count of the server's control group."""
        return self.control_groups.oom_kills(self.server_id(user, server)) if self.control_groups else 0

    def end_server(self, user: str, server: str) -> None:
        """End all processes in the server's control group, and remove it."""
        if self.control_groups:
            self.control_groups.remove(self.server_id(user, server))

    def end_user_processes(self, user: str) -> None:
        """End all processes of the account, detached ones as well."""
        entry = self._account(user)
        if entry is not None:
            kill_processes_of(entry.pw_uid, entry.pw_gid)

    def remove(self, user: str) -> None:
        """Remove account, directories, and files in shared directories of a check user."""
        require_check_user(user)
        with _account_lock:
            entry = self._account(user)
            if entry is not None:
                self._remove(user, entry)

    def rename_problem(self, user: str, new_name: str) -> str:
        """Return why neither home nor account can follow; an account of the new name owns files of somebody else."""
        self._account(user)
        name = names.account_name(self.hub.state, self.hub.name, new_name)
        if self._account(new_name) is not None:
            return f"the system account {name} exists already"
        return super().rename_problem(user, new_name)

    def rename(self, user: str, new_name: str) -> None:
        """Rename the account, which keeps its user id and so all its files, and move the home."""
        with _account_lock:
            try:
                self._rename_account(user, new_name)
                super().rename(user, new_name)
            except IsolationError:
                self._rename_account(user=new_name, new_name=user)
                raise

    def _rename_account(self, user: str, new_name: str) -> None:
        """Rename account and group, unless that was done already."""
        if self._account(user) is None:
            return
        self.end_user_processes(user)  # usermod(8) refuses accounts with processes
        old, new = (names.account_name(self.hub.state, self.hub.name, each) for each in (user, new_name))
        about = ["--home", str(self.home(new_name)), "--comment", self._comment(new_name)]
        run_when_unlocked(["usermod", "--login", new, *about, old], lambda: self._account(new_name) is not None)
        run_when_unlocked(["groupmod", "--new-name", new, old], lambda: group_id(new) is not None)

    def _remove(self, user: str, entry: pwd.struct_passwd) -> None:
        kill_processes_of(entry.pw_uid, entry.pw_gid)
        shutil.rmtree(self.home(user), ignore_errors=True)
        shutil.rmtree(self.hub.runtime_directory / str(entry.pw_uid), ignore_errors=True)
        for directory in _SHARED_DIRECTORIES:
            remove_owned(Path(directory), entry.pw_uid)
        # last: after a failure, the account is found again by its comment
        run_when_unlocked(["userdel", entry.pw_name], lambda: self._account(user) is None)

    def _comment(self, user: str) -> str:
        """Return the comment of the account, which tells that the hub created it and for whom."""
        own = names.account_hash(self.hub.state, self.hub.name, user)
        return f"hubfleet {own} hub={quote(self.hub.name)} user={quote(user, safe='@._-')}"

    def _account(self, user: str) -> pwd.struct_passwd | None:
        """Return the user's account, None if there is none. Raises IsolationError if the hub did not create it."""
        name = names.account_name(self.hub.state, self.hub.name, user)
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return None
        if entry.pw_gecos != self._comment(user) or entry.pw_uid == 0:
            raise IsolationError(
                f"account {name} was not created for user {user!r} of hub {self.hub.name}; it is not changed"
            )
        return entry

    def _create(self, user: str) -> pwd.struct_passwd:
        name = names.account_name(self.hub.state, self.hub.name, user)
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
            self._comment(user),
            # hardly any subordinate ids, which thousands of users would use up; useradd of Debian 11 and Ubuntu 22.04
            # fails with 0
            "--key",
            "SUB_UID_COUNT=1",
            "--key",
            "SUB_GID_COUNT=1",
            name,
        ]
        run_when_unlocked(command, lambda: self._account(user) is not None)
        entry = self._account(user)
        if entry is None:
            raise IsolationError(f"account {name} was created, but cannot be found")
        return entry


def group_id(name: str) -> int | None:
    """Return the number of a group of the machine, None if there is none."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def run_when_unlocked(command: list[str], done: Callable[[], bool]) -> None:
    """Run a program that changes accounts until done() is true, waiting while another one has locked them.

    Several hubs may create accounts at once, and these programs do not wait for each other long.
    """
    deadline = time.monotonic() + _LOCK_TIMEOUT
    while not done():
        result = subprocess.run(
            command, capture_output=True, text=True, env=_ENVIRONMENT, stdin=subprocess.DEVNULL, check=False
        )
        if result.returncode == 0 or (result.returncode == _EXISTS and done()):
            return
        locked = result.returncode in _LOCKED and "lock" in result.stderr
        if not locked or time.monotonic() > deadline:
            raise IsolationError(
                f"{command[0]} failed for {command[-1]}: {result.stderr.strip() or f'exit code {result.returncode}'}"
            )
        time.sleep(random.uniform(0.05, 0.5))


def kill_processes_of(uid: int, gid: int) -> None:
    """Kill all processes of a user id. Raises IsolationError if some do not end.

    By kill(-1) of a process with that user id: it reaches all of them at once, so none can escape by forking.
    """
    if uid <= 0:
        raise IsolationError(f"refusing to end the processes of user id {uid}")
    program = "import os, signal; os.kill(-1, signal.SIGKILL)"
    deadline = time.monotonic() + 10
    while processes.living_processes_of(uid):
        # one of the processes may kill the program; then it runs again
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
            left = processes.living_processes_of(uid)
            if left:
                raise IsolationError(f"processes of user id {uid} do not end: {left}")
            return
        time.sleep(0.02)


def remove_owned(directory: Path, uid: int) -> None:
    """Remove what a user id owns directly in a shared directory."""
    try:
        entries = list(os.scandir(directory))
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
