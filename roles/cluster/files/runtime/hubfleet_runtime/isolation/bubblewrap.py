# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run each server in a sandbox of bubblewrap(1), for hubs without root.

All servers have the user id of the hub, but each sees only its own home, its own processes, and the software,
read-only.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from hubfleet_runtime.isolation.base import Isolation, IsolationError, Limits, ServerContext, private_home

_SHIM = Path(__file__).with_name("bubblewrap_shim.py")
_RUNTIME = "/run/jupyter"
_ROOT_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


class Bubblewrap(Isolation):
    """A file system view, processes and IPC of its own; the network is the machine's."""

    name = "bubblewrap"

    def check(self) -> None:
        """Refuse root, and check that bwrap can create a sandbox."""
        if os.geteuid() == 0:
            raise IsolationError("isolation 'bubblewrap' is for hubs without root; with root use 'system-users'")
        command = [
            self._program(),
            *_bind_system(),
            "--unshare-pid",
            "--unshare-ipc",
            "--unshare-uts",
            "--proc",
            "/proc",
            "/usr/bin/true",
        ]
        result = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30, check=False
        )
        self._check_exposed_paths([])
        if result.returncode != 0:
            raise IsolationError(f"bwrap cannot create a sandbox on this machine: {result.stderr.strip()}")

    def prepare(self, user: str, server: str) -> ServerContext:
        """Create the home; everything else only exists in the sandbox."""
        home = self.home(user)
        private_home(home, os.geteuid(), os.getegid())
        return ServerContext(self.server_id(user, server), home, account=user, runtime_directory=_RUNTIME)

    def command(self, context: ServerContext, environment: Path, command: list[str], limits: Limits) -> list[str]:
        """Return the command of the shim, which runs bwrap and forwards signals."""
        self._check_exposed_paths(bind_python(environment))
        sandbox = [
            self._program(),
            "--die-with-parent",
            "--unshare-user",
            "--unshare-pid",
            "--unshare-ipc",
            "--unshare-uts",
            "--unshare-cgroup-try",
            *_bind_system(),
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            "--tmpfs",
            "/dev/shm",
            "--tmpfs",
            "/tmp",
            "--dir",
            "/var/tmp",
            # its mode does not matter, nobody else can reach it; bubblewrap before 0.5 (Debian 11) has no --perms
            "--dir",
            _RUNTIME,
            *_bind_resolver(),
            *bind_python(environment),
            "--ro-bind",
            str(environment),
            str(environment),
            "--bind",
            str(context.home),
            str(context.home),
            "--ro-bind-try",
            str(self.hub.home_files),
            str(self.hub.home_files),
            *_bind_shared(context),
            "--chdir",
            str(context.home),
            "--",
            *_limit_processes(limits),
        ]
        return [sys.executable, "-I", "-S", str(_SHIM), *sandbox, *command]

    def _check_exposed_paths(self, python: list[str]) -> None:
        """Refuse a sandbox that shows private directories, as a Python in ~/.local may do."""
        for exposed in ("/usr", "/etc", *python[1::3]):
            for private in (self.hub.directory, self.hub.homes):
                if Path(exposed) in (Path(private), *Path(private).parents) or Path(private) in Path(exposed).parents:
                    raise IsolationError(
                        f"{private} is below {exposed}, which sandboxes expose; move it, or set cluster_python"
                    )

    @staticmethod
    def _program() -> str:
        program = shutil.which("bwrap", path="/usr/local/bin:/usr/bin:/bin")
        if program is None:
            raise IsolationError("isolation 'bubblewrap' needs bwrap; install the package bubblewrap")
        return program


def _limit_processes(limits: Limits) -> list[str]:
    """Return the prefix of a command in a sandbox that limits its processes.

    Linux counts processes per user namespace, and so per sandbox, since 5.14. Before, it counted all of the account,
    so there is no limit.
    """
    program = shutil.which("prlimit", path="/usr/bin:/bin")
    kernel = tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))
    if not limits.processes or program is None or kernel < (5, 14):
        return []
    return [program, f"--nproc={limits.processes}", "--"]


def _bind_shared(context: ServerContext) -> list[str]:
    """Return arguments of bwrap that expose the shared directories of the user."""
    arguments = []
    for grant in context.shared:
        arguments += ["--bind" if grant.writable else "--ro-bind", str(grant.source), str(grant.source)]
    return arguments


def _bind_system() -> list[str]:
    """Return arguments of bwrap that expose the system's programs and settings."""
    arguments = ["--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc", "--tmpfs", "/run"]
    for name in _ROOT_FOLDERS:
        path = Path("/", name)
        if path.is_symlink():
            arguments += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    # numerical libraries count processors here
    arguments += ["--ro-bind-try", "/sys/devices/system/cpu", "/sys/devices/system/cpu"]
    return arguments


def _bind_resolver() -> list[str]:
    """Return arguments of bwrap that expose resolv.conf if it is a link into /run, as of systemd-resolved."""
    target = os.path.realpath("/etc/resolv.conf")
    return ["--ro-bind-try", target, target] if target.startswith("/run/") else []


def bind_python(environment: Path) -> list[str]:
    """Return arguments of bwrap that expose the Python of an environment, unless it is the system's.

    Source: PEP 405; the key "home" of pyvenv.cfg is the folder of that Python's programs.
    """
    try:
        lines = (environment / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    settings = {key.strip(): value.strip() for key, _equals, value in (line.partition("=") for line in lines)}
    if not settings.get("home"):
        return []
    programs = settings["home"]
    # the path in the file, and its target: both may be links
    prefixes = {str(Path(each).parent) for each in (programs, os.path.realpath(programs))}
    arguments: list[str] = []
    for prefix in sorted(prefixes - {"/", "/usr", "/usr/local"}):
        arguments += ["--ro-bind", prefix, prefix]
    return arguments
