# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run what a repository brings along, such as the set-up of packages and postBuild, where it sees and changes little.

Like users' servers in hubfleet_runtime/isolation/bubblewrap.py, it sees the system, read-only, and its own directories.
Root's builds run as an account that owns nothing else.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from ..facts.machine import SYSTEM_PATH
from .steps import BuildError

_ROOT_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
#: What of the environment of a deploy goes into it: how packages are found and connections made, and nothing else.
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
_PACKAGES = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX", "UV_FIND_LINKS", "UV_SYSTEM_CERTS", "UV_NATIVE_TLS")


@dataclass(frozen=True)
class Sandbox:
    """A view of the machine for programs that are not trusted.

    account: who they run as; None for the account of the deploy.
    tmp, shm: directories that are /tmp and /dev/shm there.
    writable: further directories that they may change. readable: further files and directories that they need.
    """

    account: str | None
    tmp: str
    shm: str
    writable: tuple[str, ...]
    readable: tuple[str, ...] = ()

    def command(self, command: list[str], directory: str) -> list[str]:
        """Return the command that runs another one in the sandbox; all its processes end with it.

        Raises BuildError where there is no bubblewrap.
        """
        program = shutil.which("bwrap", path=SYSTEM_PATH)
        if not program:
            raise BuildError("repositories are built with bubblewrap, which is not installed on this machine")
        sandbox = [program, "--die-with-parent", "--new-session", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
        sandbox += ["--unshare-cgroup-try", *_bind_system(), "--proc", "/proc", "--dev", "/dev"]
        # No file systems in memory: they would be root's.
        sandbox += ["--bind", self.shm, "/dev/shm", "--bind", self.tmp, "/tmp", "--dir", "/var/tmp"]
        for path in (*self.readable, *_certificates()):
            sandbox += [*_passable(path), "--ro-bind-try", path, path]
        for path in self.writable:
            sandbox += [*_passable(path), "--bind", path, path]
        sandbox += ["--chdir", directory]
        if not self.account:
            return [*sandbox, "--unshare-user", "--", *command]
        entry = pwd.getpwnam(self.account)
        drop = [f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--bounding-set=-all"]
        return [*sandbox, "--", "setpriv", *drop, "--", *command]

    def give(self) -> None:
        """Give what is writable to the account of the sandbox."""
        if self.account:
            entry = pwd.getpwnam(self.account)
            for path in self._everything((self.tmp, self.shm, *self.writable)):
                os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)

    def take_back(self) -> None:
        """Take what is writable back, readable for everyone; what nobody needs is removed: sockets, pipes and devices.

        Nothing of the sandbox may run any more.
        """
        for path in self._everything(self.writable):
            mode = os.lstat(path).st_mode
            if not (stat.S_ISLNK(mode) or stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                os.unlink(path)
                continue
            if self.account:
                os.chown(path, os.geteuid(), os.getegid(), follow_symlinks=False)
            if not stat.S_ISLNK(mode):
                # Without the bits that let a program run as its owner, and writable for the owner only.
                os.chmod(path, 0o755 if stat.S_ISDIR(mode) or mode & 0o111 else 0o644)

    @staticmethod
    def _everything(tops: tuple[str, ...]) -> Iterator[str]:
        """Yield directories and all paths below them, links unfollowed, each before what it contains."""
        for top in tops:
            yield top
            for folder, folders, names in os.walk(top):
                for name in (*folders, *names):
                    yield os.path.join(folder, name)


def kept_environment(index: str | None) -> dict[str, str]:
    """Return the environment variables of programs in a sandbox. index: address of the package index, or None."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key in (*_PROXIES, *_AUTHORITIES, "LANG") or key.startswith(_PACKAGES)
    }
    kept.setdefault("UV_SYSTEM_CERTS", "true")
    if index:
        kept["UV_DEFAULT_INDEX"] = index
    return {**kept, "UV_NO_PROGRESS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def _certificates() -> list[str]:
    """Return the files with certificates that the environment names, if they are not in the system's directories."""
    named = [os.environ.get(key, "") for key in _AUTHORITIES]
    return [path for path in named if path and os.path.isabs(path) and not path.startswith(("/usr/", "/etc/"))]


def _passable(path: str) -> list[str]:
    """Return arguments that create the directories above a path; those that bwrap creates itself are for root only."""
    above = path.split("/")[1:-1]
    names = ["/" + "/".join(above[:count]) for count in range(1, len(above) + 1)]
    return [word for name in names for word in ("--dir", name)]


def _bind_system() -> list[str]:
    arguments = ["--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc", "--tmpfs", "/run"]
    for name in _ROOT_FOLDERS:
        path = f"/{name}"
        if os.path.islink(path):
            arguments += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            arguments += ["--ro-bind", path, path]
    with contextlib.suppress(OSError):
        resolver = os.path.realpath("/etc/resolv.conf")
        if resolver.startswith("/run/"):
            arguments += ["--ro-bind-try", resolver, resolver]
    return [*arguments, "--ro-bind-try", "/sys/devices/system/cpu", "/sys/devices/system/cpu"]
