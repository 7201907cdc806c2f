# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each server in a sandbox of bubblewrap(1): for hubs of ordinary users.

All servers have the user id of the hub, but each sees only its own home, its own processes, and
the software read-only.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from hubfleet_runtime.isolation.base import Isolation, IsolationError, Limits, Place, private_home

_SHIM = Path(__file__).with_name("sandbox.py")
_RUNTIME = "/run/jupyter"
_ROOT_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


class Bubblewrap(Isolation):
    """Own file system view, processes, IPC and host name; the network is the machine's."""

    name = "bubblewrap"

    def check(self) -> None:
        """IsolationError as root, or when bwrap cannot make a sandbox here."""
        if os.geteuid() == 0:
            raise IsolationError("isolation 'bubblewrap' is for hubs of ordinary users; as root use 'system-users'")
        command = [
            self._program(),
            *view_of_system(),
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
        self._refuse_to_show([])
        if result.returncode != 0:
            raise IsolationError(f"bwrap cannot make a sandbox on this machine: {result.stderr.strip()}")

    def prepare(self, user: str, server: str) -> Place:
        """Makes the home; everything else exists inside the sandbox only."""
        home = self.home(user)
        private_home(home, os.geteuid(), os.getegid())
        return Place(key=self.key(user, server), home=home, account=user, runtime_directory=_RUNTIME)

    def command(self, place: Place, environment: Path, command: list[str], limits: Limits) -> list[str]:
        """The shim that starts bwrap and passes signals on. IsolationError when it would show too much."""
        self._refuse_to_show(python_of(environment))
        sandbox = [
            self._program(),
            "--die-with-parent",
            "--unshare-user",
            "--unshare-pid",
            "--unshare-ipc",
            "--unshare-uts",
            "--unshare-cgroup-try",
            *view_of_system(),
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
            # whatever its mode, there is nobody else in there; bubblewrap before 0.5 (Debian 11) knows no --perms
            "--dir",
            _RUNTIME,
            *resolver(),
            *python_of(environment),
            "--ro-bind",
            str(environment),
            str(environment),
            "--bind",
            str(place.home),
            str(place.home),
            "--chdir",
            str(place.home),
            "--",
            *limit_of_processes(limits),
        ]
        return [sys.executable, "-I", "-S", str(_SHIM), *sandbox, *command]

    def _refuse_to_show(self, python: list[str]) -> None:
        """A Python in ~/.local, say, would show everything that the hub keeps below that."""
        for shown in ("/usr", "/etc", *python[1::3]):
            for private in (self.where.directory, self.where.homes):
                if Path(shown) in Path(private).parents:
                    raise IsolationError(
                        f"{private} lies in {shown}, which sandboxes show; move it, or set cluster_python"
                    )

    @staticmethod
    def _program() -> str:
        program = shutil.which("bwrap", path="/usr/local/bin:/usr/bin:/bin")
        if program is None:
            raise IsolationError("isolation 'bubblewrap' needs the program bwrap (package bubblewrap)")
        return program


def limit_of_processes(limits: Limits) -> list[str]:
    """What limits the processes in a sandbox when it is put before the command inside.

    Inside, because Linux counts them per user namespace since 5.14, and so per sandbox. Before, it counted
    all of the account, and one user could use up what others need: there is no limit then.
    """
    program = shutil.which("prlimit", path="/usr/bin:/bin")
    if not limits.processes or program is None or _kernel() < (5, 14):
        return []
    return [program, f"--nproc={limits.processes}", "--"]


def _kernel() -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))


def view_of_system() -> list[str]:
    """bwrap's arguments that show the system's programs and settings, and nothing else."""
    arguments = ["--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc", "--tmpfs", "/run"]
    for name in _ROOT_FOLDERS:
        path = Path("/", name)
        if path.is_symlink():
            arguments += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    # numerical libraries count processors there
    arguments += ["--ro-bind-try", "/sys/devices/system/cpu", "/sys/devices/system/cpu"]
    return arguments


def resolver() -> list[str]:
    """Shows resolv.conf where it is a link into /run, as systemd-resolved makes it."""
    target = os.path.realpath("/etc/resolv.conf")
    return ["--ro-bind-try", target, target] if target.startswith("/run/") else []


def python_of(environment: Path) -> list[str]:
    """Shows the Python that an environment was made with, when it is not the system's.

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
    # where it is written down, and where that is: either may be a link
    prefixes = {str(Path(each).parent) for each in (programs, os.path.realpath(programs))}
    arguments: list[str] = []
    for prefix in sorted(prefixes - {"/", "/usr", "/usr/local"}):
        arguments += ["--ro-bind", prefix, prefix]
    return arguments
