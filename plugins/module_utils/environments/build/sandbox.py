# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run what a repository brings along, such as the set-up of packages and postBuild, where it sees and changes little.

Like users' servers in hubfleet_runtime/isolation/bubblewrap.py, it sees the system, read-only, and its own directories.
What becomes an image sees the system of the image that it is built on instead.
Root's builds run as an account that owns nothing else. What they make is out of reach of everybody until it was given
to the account of the deploy.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import pwd
import resource
import shutil
import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...common.errors import HubfleetError
from ...common.processes import SYSTEM_PATH

_ROOT_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
#: What a sandbox has of its own, whatever the root of an image has there.
_OWN_FOLDERS = ("dev", "proc", "run", "sys", "tmp")
#: Where the build's own files are in a sandbox; no image has this directory.
INSIDE = "/run/hubfleet"
#: Above environments in images. The unpacked root of an image has it, and these files, since nothing can be mounted on
#: what does not exist in a root that is read-only.
IMAGE_FOLDER = "/opt/hubfleet"
MOUNTED_FILES = ("/etc/hosts", "/etc/resolv.conf", "/etc/uv/uv.toml")
#: Where certificates are that the machine trusts, on Debian and on Red Hat.
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
_CERTIFICATES = f"{INSIDE}/certificates.pem"
#: Links on the way of a path, so that links in a circle end.
_MAX_LINK_STEPS = 40
#: What of the environment of a deploy goes into it: how packages are found and connections made, and nothing else.
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_CERTIFICATE_FILES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_CERTIFICATE_VARIABLES = (*_CERTIFICATE_FILES, "SSL_CERT_DIR")
_UV_PREFIXES = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX", "UV_FIND_LINKS", "UV_SYSTEM_CERTS", "UV_NATIVE_TLS")
#: Levels of directories in an environment. Python's own functions for trees call themselves for each.
MAX_DEPTH = 100
#: Processes and threads of an account that builds, so that no build stops everything else.
MAX_PROCESSES = 4096
#: The number of keyctl(2), and its operation that leaves the keys of a session. Source: unistd.h, linux/keyctl.h.
_KEYCTL = {"x86_64": 250, "aarch64": 219}
_JOIN_SESSION_KEYRING = 1


class SandboxError(HubfleetError):
    """Files of a build cannot be handled, or nothing can be run in a sandbox here."""


@dataclass(frozen=True)
class Sandbox:
    """A view of the machine for programs that are not trusted.

    account: who they run as; None for the account of the deploy.
    tmp, shm: directories that are /tmp and /dev/shm there.
    writable: path in the sandbox -> directory that may be changed. readable: the same, for reading only.
    root: directory of the system that programs see, as images/base_image.py unpacks it; "" for that of the machine.
    """

    account: str | None
    tmp: str
    shm: str
    writable: Mapping[str, str]
    readable: Mapping[str, str] = field(default_factory=dict)
    root: str = ""

    def command(self, command: list[str], directory: str) -> list[str]:
        """Return the command that runs another one in the sandbox; all its processes end before it does.

        Raises SandboxError where there is no bubblewrap.
        """
        program = shutil.which("bwrap", path=SYSTEM_PATH)
        if not program:
            raise SandboxError("environments are built with bubblewrap, which is not installed on this machine")
        # As process 1, the command takes all others with it. A process 1 of bwrap's own ends only after bwrap.
        sandbox = [program, "--die-with-parent", "--new-session", "--unshare-pid", "--as-pid-1", "--unshare-ipc"]
        sandbox += ["--unshare-uts", "--unshare-cgroup-try", *(_bind_root(self.root) if self.root else _bind_system())]
        sandbox += ["--proc", "/proc", "--dev", "/dev"]
        # A tmpfs would belong to root, so that the account of the build could not write to it.
        sandbox += ["--bind", self.shm, "/dev/shm", "--bind", self.tmp, "/tmp", "--dir", "/var/tmp"]
        for inside, path in {**self.readable, **({} if self.root else _certificates())}.items():
            place = self._place(inside)
            sandbox += [*_parent_directories(place), "--ro-bind-try", path, place]
        for inside, path in self.writable.items():
            place = self._place(inside)
            sandbox += [*_parent_directories(place), "--bind", path, place]
        sandbox += ["--chdir", directory]
        if not self.account:
            return [*sandbox, "--unshare-user", "--cap-drop", "ALL", "--", *command]
        entry = pwd.getpwnam(self.account)
        drop = [f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--bounding-set=-all"]
        # With what setpriv needs, which it drops; the path is not one that the command could have put a program on.
        keep = [word for each in ("SETUID", "SETGID", "SETPCAP") for word in ("--cap-add", f"CAP_{each}")]
        return [*sandbox, "--cap-drop", "ALL", *keep, "--", "/usr/bin/setpriv", *drop, "--", *command]

    def prepare(self) -> None:
        """Limit a program, in its process before it starts: no keys of the deploy, no core dumps, so many processes."""
        leave_keys()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if self.account:  # the account of a deploy may have servers of users, which count as well
            hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
            most = MAX_PROCESSES if hard == resource.RLIM_INFINITY else min(MAX_PROCESSES, hard)
            resource.setrlimit(resource.RLIMIT_NPROC, (most, most))

    def _place(self, inside: str) -> str:
        """Return a path in the sandbox as bwrap takes it: it cannot follow every link in the root of an image."""
        if not self.root or not inside.startswith(f"{IMAGE_FOLDER}/"):
            return inside
        return _inside(self.root, IMAGE_FOLDER) + inside.removeprefix(IMAGE_FOLDER)

    def change_owner(self) -> None:
        """Give what is writable to the account of the sandbox. Raises SandboxError."""
        if self.account:
            given = (self.tmp, self.shm, *self.writable.values())
            _run(["chown", "--recursive", "--no-dereference", f"{self.account}:", *given])

    def share(self, cache: str) -> None:
        """Make a cache for the account of the sandbox, unless it is there; builds may share it. Raises SandboxError."""
        os.makedirs(cache, exist_ok=True)
        if self.account and os.stat(cache).st_uid != pwd.getpwnam(self.account).pw_uid:
            _run(["chown", "--recursive", "--no-dereference", f"{self.account}:", cache])

    def restore_owner(self) -> None:
        """Take what is writable back, readable for everyone; remove what is no file, directory or link.

        Nothing of the sandbox may run any more. Raises SandboxError, also where directories are too deep for others.
        """
        for path in self.writable.values():
            if self.account:
                owner = f"{os.geteuid()}:{os.getegid()}"
                _run(["chown", "--recursive", "--no-dereference", owner, path])
            # Without the bits that let a program run as its owner, and writable for the owner only.
            _run(["chmod", "--recursive", "a-st,u=rwX,go=rX", path])
            _run(["find", path, "!", "-type", "f", "!", "-type", "d", "!", "-type", "l", "-delete"])
            if _run(["find", path, "-mindepth", str(MAX_DEPTH), "-print", "-quit"]):
                raise SandboxError(f"its directories are more than {MAX_DEPTH} levels deep")


def remove_tree(path: str) -> None:
    """Remove a directory that programs may have filled which are not trusted: of any depth, and with any rights.

    Raises SandboxError.
    """
    if not os.path.lexists(path):
        return
    if os.path.islink(path):
        os.unlink(path)  # chmod would follow it
        return
    subprocess.run(["chmod", "--recursive", "u+rwX", path], capture_output=True, check=False)
    _run(["rm", "--recursive", "--force", "--one-file-system", path])


def leave_keys() -> None:
    """Leave the keys in the kernel that belong to the session of a deploy; for a child process before it starts."""
    number = _KEYCTL.get(platform.machine())
    if number:
        ctypes.CDLL(None).syscall(number, _JOIN_SESSION_KEYRING, None)


def kept_environment(index: str | None) -> dict[str, str]:
    """Return the environment variables of programs in a sandbox. index: address of the package index, or None."""
    names = (*_PROXIES, *_CERTIFICATE_VARIABLES, "LANG")
    kept = {key: value for key, value in os.environ.items() if key in names or key.startswith(_UV_PREFIXES)}
    kept.setdefault("UV_SYSTEM_CERTS", "true")
    if index:
        kept["UV_DEFAULT_INDEX"] = index
    return {**kept, "UV_NO_PROGRESS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def variables_in_image() -> dict[str, str]:
    """Return environment variables of programs that see the root of an image: it does not trust what the machine does.

    What is built there is the same each time, and its byte code does not depend on times of files, which layers lose.
    """
    fixed = {"SOURCE_DATE_EPOCH": "315532800", "PYC_INVALIDATION_MODE": "UNCHECKED_HASH"}
    bundle = trusted_certificates()
    return {**fixed, **dict.fromkeys(_CERTIFICATE_FILES, _CERTIFICATES if bundle else ""), "SSL_CERT_DIR": ""}


def trusted_certificates() -> str:
    """Return the file with certificates that this machine trusts, "" where there is none."""
    named = ssl.get_default_verify_paths().cafile or ""
    return next((path for path in (named, *_BUNDLES) if os.path.isfile(path)), "")


def _run(command: list[str]) -> str:
    """Run one of the system's programs for files, which have no limit of depth; return its output, if it succeeds.

    Raises SandboxError.
    """
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise SandboxError(
            f"{command[0]} failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1][:300]}"
        )
    return done.stdout


def _certificates() -> dict[str, str]:
    """Return the files with certificates that the environment names, if they are not in the system's directories."""
    named = [os.environ.get(key, "") for key in _CERTIFICATE_VARIABLES]
    return {path: path for path in named if os.path.isabs(path) and not path.startswith(("/usr/", "/etc/"))}


def _parent_directories(path: str) -> list[str]:
    """Return arguments that create the directories above a path; those that bwrap creates itself are for root only."""
    above = path.split("/")[1:-1]
    names = ["/" + "/".join(above[:count]) for count in range(1, len(above) + 1)]
    return [word for name in names for word in ("--dir", name)]


def _bind_system() -> list[str]:
    # The same as for users' servers. This runs before their code is installed, and cannot import it.
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


def _bind_root(root: str) -> list[str]:
    """Return arguments that show the root of an image; what has to be mounted on exists there. Raises SandboxError."""
    arguments = []
    for name in sorted(set(os.listdir(root)) - {*_OWN_FOLDERS}):
        path = os.path.join(root, name)
        linked = os.path.islink(path)
        arguments += ["--symlink", os.readlink(path), f"/{name}"] if linked else ["--ro-bind", path, f"/{name}"]
    # Some images have links to absolute paths above, which bwrap cannot follow.
    arguments += ["--tmpfs", "/run", "--tmpfs", _inside(root, IMAGE_FOLDER), "--dir", INSIDE]
    for path in MOUNTED_FILES:
        arguments += ["--ro-bind-try", os.path.realpath(path), _inside(root, path)]
    bundle = trusted_certificates()
    return [*arguments, *(["--ro-bind", bundle, _CERTIFICATES] if bundle else [])]


def _inside(root: str, path: str) -> str:
    """Return what a path of an image is called there without links."""
    return "/" + os.path.relpath(resolved(root, path), root)


def resolved(root: str, path: str) -> str:
    """Return where a path of an image is below its root, with links followed as a program in the image would.

    Raises SandboxError where links do not end.
    """
    done: list[str] = []
    rest = [part for part in path.split("/") if part not in ("", ".")]
    steps = 0
    while rest:
        part = rest.pop(0)
        if part == "..":
            done = done[:-1]
            continue
        here = os.path.join(root, *done, part)
        if not os.path.islink(here):
            done.append(part)
            continue
        steps += 1
        if steps > _MAX_LINK_STEPS:
            raise SandboxError(f"links of the image do not end: {path[:200]}")
        leads = os.readlink(here)
        done = [] if leads.startswith("/") else done
        rest = [*(word for word in leads.split("/") if word not in ("", ".")), *rest]
    return os.path.join(root, *done)
