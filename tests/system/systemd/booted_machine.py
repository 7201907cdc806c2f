# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine whose first process is systemd: a container of podman with the network of this machine."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from booted_image import CONTROLLER, PYTHON, file_system
from booted_login import Login
from booted_release import this_release, wanted_release
from file_systems import PACKAGE_FILES
from podman import SETTINGS
from verbs_fleet import CHECKOUT, Account

#: How the tools of this machine are told where packages come from, and whom to trust.
_VARIABLES = ("PIP_", "UV_", "SSL_CERT_", "REQUESTS_CA_", "CURL_CA_", "NODE_EXTRA_CA_", "NPM_CONFIG_")
#: The first process. Systemd 256 and 257 insist on this word where control groups are of version 1.
_ANY_GROUPS = ("/sbin/init", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1")
#: Systemd 258 and newer: version 2, be it without controllers, since the real machine may have those in version 1.
_UNIFIED = ("sh", "-c", "umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec /sbin/init")


class Machine:
    """A booted machine. Its processes and ports are seen from here; ``shared`` is a directory of both."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="hubfleet-booted-", dir="/var/tmp"))
        self.directory.chmod(0o755)
        self.name = self.directory.name
        self.release = wanted_release()
        self.root = self.directory / "root"
        self.shared = Path(tempfile.mkdtemp(prefix="hubfleet-booted-", dir="/srv"))
        self.shared.chmod(0o711)
        self.login = None if self.release.controls else Login(self.directory)
        (self.directory / "containers.conf").write_text(SETTINGS, encoding="utf-8")

    def boot(self) -> None:
        """Start it for the first time."""
        subprocess.run(["cp", "-a", str(file_system(CHECKOUT, self.release)), str(self.root)], check=True)
        if self.login:
            self.login.prepare(self.root, _variables())
        mounts = [f"{self.shared}:{self.shared}", f"{CHECKOUT}:{CHECKOUT}:ro"]
        mounts += [f"{path}:{path}:ro" for path in (*PACKAGE_FILES, *_named_paths()) if os.path.exists(path)]
        # Root's home is the same there.
        caches = {Path.home() / name: Path("~root").expanduser() / name for name in (".cache/uv", ".npm")}
        mounts += [f"{here}:{there}" for here, there in caches.items() if here.is_dir()]
        # Not podman's own --systemd: on control groups of version 1 it shows those of the whole machine, where several
        # such machines would end each other's processes.
        arguments = ["--systemd=false", "--env=container=podman", "--stop-signal=SIGRTMIN+3", "--privileged"]
        arguments += ["--cgroupns=private", "--network=host", "--tmpfs=/run", "--tmpfs=/run/lock", "--tmpfs=/tmp"]
        for mount in mounts:
            arguments += ["--volume", mount]
        for name, value in _variables().items():
            arguments += ["--env", f"{name}={value}"]
        first = ["--rootfs", str(self.root), *(_UNIFIED if self.release.unified else _ANY_GROUPS)]
        self._podman("run", "--detach", "--name", self.name, *arguments, *first)
        self._wait_until_booted()

    def reboot(self) -> None:
        """End everything on it, and boot it again."""
        self._podman("restart", "--time", "30", self.name)
        self._wait_until_booted()

    def run(self, *command: str, user: str = "root", check: bool = True) -> str:
        """What a command prints that runs on it."""
        return self._podman("exec", "--user", user, self.name, *command, check=check).stdout

    def settings(self, name: str = "root") -> dict[str, Any]:
        """What the group of a cluster says of it whose hubs are the account's."""
        reached = self.login.variables(name) if self.login else {}
        return reached if self.release.python else {**reached, "cluster_python": PYTHON}

    def account(self, name: str = "root") -> Account:
        """Somebody who runs the verbs on it, from this checkout; where it cannot run them, somebody here."""
        home = self.run("sh", "-c", f"echo ~{name}").strip()
        uid, gid = (int(self.run("id", option, name)) for option in ("-u", "-g"))
        if self.login:
            return Account(owner=(uid, gid), place=str(self.shared))
        told = ("ANSIBLE_CONFIG", "ANSIBLE_VAULT_PASSWORD_FILE", "ANSIBLE_NOCOLOR")
        prefix = [*self._command(), "exec", "--workdir", str(CHECKOUT), "--user", name]
        prefix += [word for variable in told for word in ("--env", variable)]
        settings = {
            "HOME": home,
            "USER": name,
            "LC_ALL": "C.UTF-8",
            "PATH": f"{CONTROLLER}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "XDG_RUNTIME_DIR": f"/run/user/{uid}",
        }
        prefix += [word for variable, value in settings.items() for word in ("--env", f"{variable}={value}")]
        return Account(
            playbook=Path(CONTROLLER, "bin/ansible-playbook"),
            prefix=(*prefix, self.name),
            environment=self._environment(),
            owner=(uid, gid),
            place=str(self.shared),
        )

    def is_like_this_one(self) -> bool:
        """Whether what is built here runs there."""
        return self.release.suite == this_release()

    def has_limits(self) -> bool:
        """Tell whether its systemd can limit and count memory and CPU: whether it has these controllers."""
        found = self.run("sh", "-c", "cat /sys/fs/cgroup/cgroup.controllers || ls /sys/fs/cgroup", check=False).split()
        return {"memory", "cpu"} <= set(found)

    def show(self, unit: str, name: str, user: str = "") -> str:
        """A property of a unit, by systemctl show."""
        return self.systemctl("show", "--property", name, "--value", unit, user=user).strip()

    def systemctl(self, *arguments: str, user: str = "") -> str:
        """What systemctl prints, of the account's own systemd where one is named."""
        if not user:
            return self.run("systemctl", *arguments)
        runtime = f"XDG_RUNTIME_DIR=/run/user/{self.run('id', '-u', user).strip()}"
        return self.run("env", runtime, "systemctl", "--user", *arguments, user=user)

    def remove(self) -> None:
        """End it, and leave nothing of it."""
        self._podman("rm", "--force", "--time", "0", self.name, check=False)
        subprocess.run(["rm", "-rf", str(self.directory), str(self.shared)], check=False)

    def _wait_until_booted(self) -> None:
        deadline = time.monotonic() + 60
        while (state := self.run("systemctl", "is-system-running", check=False).strip()) != "running":
            assert state != "degraded", self.run("systemctl", "--failed", check=False)
            assert time.monotonic() < deadline, f"the machine does not boot: {state}"
            time.sleep(0.2)

    def _command(self) -> list[str]:
        places = ("--root", str(self.directory / "storage"), "--runroot", str(self.directory / "run"))
        return ["podman", *places, "--storage-driver=vfs"]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "CONTAINERS_CONF": str(self.directory / "containers.conf")}

    def _podman(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self._command(), *arguments], env=self._environment(), capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done


def _variables() -> dict[str, str]:
    told = {name: value for name, value in os.environ.items() if name.upper().startswith(_VARIABLES)}
    return told | {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}


def _named_paths() -> set[str]:
    """Paths that the variables name, such as a folder of packages; certificates of the machine are there already."""
    paths = {value for value in _variables().values() if value.startswith("/")}
    return {path for path in paths if not path.startswith("/etc/ssl/")}
