# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd: system units as root, user units otherwise.

Sources: systemctl(1), systemd.unit(5), systemd.service(5), systemd.resource-control(5).
"""

from __future__ import annotations

import glob
import os
import subprocess

from ....common import files
from ..desired.services import Service
from .base import Supervisor, SupervisorError
from .systemd_units import service_unit, target_unit


class Systemd(Supervisor):
    """The machine's systemd, or that of the account.

    The services of a hub are part of one target, so that administrators start, stop and restart them by one name.
    """

    def __init__(self, system: bool):
        self.system = system
        home = os.path.expanduser("~")
        self.units = "/etc/systemd/system" if system else os.path.join(home, ".config", "systemd", "user")

    def prepare(self) -> bool:
        if self.system:
            return False
        os.makedirs(self.units, exist_ok=True)
        # Without lingering, a user's services end when the user logs out. Some machines forbid it, so failure is
        # ignored.
        account = str(os.getuid())
        lingering = os.path.exists(f"/var/lib/systemd/linger/{os.environ.get('USER', account)}")
        if not lingering:
            subprocess.run(["loginctl", "enable-linger", account], check=False, capture_output=True)
        return False

    def alive(self) -> bool:
        return True

    def is_installed(self, service: Service) -> bool:
        units = self._units_of(service).items()
        return not any(files.differs(self._path(name), text.encode(), self._mode) for name, text in units)

    def is_defined(self, service: Service) -> bool:
        return os.path.exists(self._path(_name(service)))

    def install(self, service: Service) -> None:
        units = self._units_of(service).items()
        changed = [files.write(self._path(name), text.encode(), self._mode) for name, text in units]
        if any(changed):
            self._systemctl("daemon-reload")

    def start(self, service: Service) -> None:
        # reenable, since an earlier unit may have been wanted by another target.
        self._systemctl("reenable", "--quiet", _name(service), _target(service))
        self._systemctl("start", _name(service))

    def stop(self, service: Service) -> None:
        if self.is_defined(service):
            self._systemctl("stop", _name(service))

    def forget(self, service: Service) -> None:
        if not self.is_defined(service):
            return
        self._remove_unit(_name(service))
        others = self._path(_target(service)).removesuffix(".target")
        if not glob.glob(f"{glob.escape(others)}-*.service"):
            self._systemctl("stop", _target(service))
            self._remove_unit(_target(service))

    def _remove_unit(self, name: str) -> None:
        if not os.path.exists(self._path(name)):
            return
        self._systemctl("disable", "--quiet", name)
        os.unlink(self._path(name))
        self._systemctl("daemon-reload")
        # Otherwise, systemd would list a failed unit although it is removed.
        self._systemctl("reset-failed", name, check=False)

    def pid(self, service: Service) -> int:
        output = self._systemctl("show", "--property=MainPID", "--value", _name(service))
        return int(output.strip() or 0)

    def user_servers(self, service: Service) -> list[str]:
        if not service.slice:
            return []
        listed = self._systemctl("show", "--property=Id", "--property=Slice", "hf-*.service")
        shown = [dict(line.split("=", 1) for line in block.splitlines()) for block in listed.split("\n\n")]
        return [unit["Id"] for unit in shown if unit.get("Slice") == service.slice]

    def end_user_servers(self, service: Service) -> int:
        found = self.user_servers(service)
        if found:
            self._systemctl("stop", *found)
            self._systemctl("reset-failed", *found, check=False)
        return len(found)

    @property
    def _mode(self) -> int:
        return 0o644 if self.system else 0o600

    def _units_of(self, service: Service) -> dict[str, str]:
        """Return name -> content of the units of a service."""
        unit = service_unit(service, _target(service), self.system)
        return {_target(service): target_unit(service, self.system), _name(service): unit}

    def _path(self, name: str) -> str:
        return os.path.join(self.units, name)

    def _systemctl(self, *arguments: str, check: bool = True) -> str:
        command = ["systemctl", *([] if self.system else ["--user"]), *arguments]
        environment = {**os.environ}
        environment.setdefault("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if done.returncode and check:
            raise SupervisorError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout


def _name(service: Service) -> str:
    return f"hubfleet-{service.name}.service"


def _target(service: Service) -> str:
    """Return the target of all services of the hub, named by the common part of their names."""
    return f"hubfleet-{service.name.rpartition('-')[0]}.target"
