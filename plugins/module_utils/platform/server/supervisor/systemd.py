# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd: system units as root, user units otherwise. Source: systemd.service(5), systemctl(1)."""

from __future__ import annotations

import os
import subprocess

from .. import files
from ..services import Service
from .base import Supervisor, SupervisorError


class Systemd(Supervisor):
    """The machine's systemd, or the account's own one."""

    def __init__(self, system: bool):
        self.system = system
        home = os.path.expanduser("~")
        self.units = "/etc/systemd/system" if system else os.path.join(home, ".config", "systemd", "user")

    def prepare(self) -> bool:
        if self.system:
            return False
        os.makedirs(self.units, exist_ok=True)
        # Without it a user's services end when the user logs out. Some machines forbid it, and
        # nothing is lost by trying.
        account = str(os.getuid())
        lingering = os.path.exists(f"/var/lib/systemd/linger/{os.environ.get('USER', account)}")
        if not lingering:
            subprocess.run(["loginctl", "enable-linger", account], check=False, capture_output=True)
        return False

    def alive(self) -> bool:
        return True

    def install(self, service: Service) -> bool:
        changed = files.write(self._path(service), self._unit(service).encode(), 0o644 if self.system else 0o600)
        if changed:
            self._systemctl("daemon-reload")
        return changed

    def start(self, service: Service) -> None:
        self._systemctl("enable", "--now", "--quiet", self._name(service))

    def stop(self, service: Service) -> None:
        if os.path.exists(self._path(service)):
            self._systemctl("stop", self._name(service))

    def forget(self, service: Service) -> bool:
        if not os.path.exists(self._path(service)):
            return False
        self._systemctl("disable", "--quiet", self._name(service))
        os.unlink(self._path(service))
        self._systemctl("daemon-reload")
        # A unit that ended badly would stay in lists although it is gone.
        self._systemctl("reset-failed", self._name(service), tolerant=True)
        return True

    def pid(self, service: Service) -> int:
        output = self._systemctl("show", "--property=MainPID", "--value", self._name(service))
        return int(output.strip() or 0)

    def _name(self, service: Service) -> str:
        return f"hubfleet-{service.name}.service"

    def _path(self, service: Service) -> str:
        return os.path.join(self.units, self._name(service))

    def _unit(self, service: Service) -> str:
        command = " ".join(_quoted(word) for word in service.command)
        # 143: node ends like this when it is asked to. 78: the hub's configuration is wrong, and
        # starting again would not help. KillMode: users' servers are children of the hub and live
        # on when it restarts; they count as tasks of the unit, and one of them that runs out of
        # memory must not end the hub.
        return f"""\
[Unit]
Description=JupyterHub {service.name} (hubfleet)
After=network.target
StartLimitIntervalSec=0
[Service]
ExecStart={command}
WorkingDirectory={service.directory}
Restart=always
RestartSec=2
KillMode=process
TimeoutStopSec=30
SuccessExitStatus=143
RestartPreventExitStatus=78
UMask=0077
OOMPolicy=continue
TasksMax=infinity
[Install]
WantedBy={"multi-user.target" if self.system else "default.target"}
"""

    def _systemctl(self, *arguments: str, tolerant: bool = False) -> str:
        command = ["systemctl", *([] if self.system else ["--user"]), *arguments]
        environment = {**os.environ}
        environment.setdefault("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if done.returncode and not tolerant:
            raise SupervisorError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout


def _quoted(word: str) -> str:
    """Return a word of a command line for ExecStart (systemd.syntax(7))."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'
