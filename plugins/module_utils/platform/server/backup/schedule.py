# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedule backups on a machine: by a timer of systemd, else by cron.

Sources: systemd.timer(5), systemd.time(7), crontab(5).
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

from ....common import files
from ....common.digests import digest
from ....common.errors import HubfleetError
from ..layout import Layout

NEVER = "never"
_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_CRON_DIRECTORY = "/etc/cron.d"
#: The directories of cron's daemon, which is not on every PATH.
_SYSTEM_PROGRAMS = "/usr/sbin:/sbin:/usr/bin:/bin"


class ScheduleError(HubfleetError):
    """The schedule was not set up; one line."""


@dataclass(frozen=True)
class Schedule:
    """The schedule of a cluster's backups. when: as in cluster_backup_schedule. command: makes the backups."""

    layout: Layout
    when: str
    command: tuple[str, ...]
    systemd: bool

    @property
    def name(self) -> str:
        """Return a name that is unique on the machine."""
        return f"hubfleet-{digest(self.layout.root)[:6]}-backup"

    @property
    def scheduler(self) -> str:
        """Return what starts the backups: ``systemd``, ``cron``, or "" for neither."""
        if self.when == NEVER:
            return ""
        if self.systemd:
            return "systemd"
        if os.geteuid() == 0:
            return "cron" if os.path.isdir(_CRON_DIRECTORY) and _found("cron", "crond") else ""
        return "cron" if _found("crontab") else ""

    def set_up(self, settings: dict[str, Any]) -> bool:
        """Set up the schedule, or remove it if there is none; return whether anything changed.

        Raises ScheduleError.
        """
        changed = self.differs(settings)
        if self.when == NEVER:
            self.remove()
            return changed
        files.directory(os.path.dirname(self._settings), 0o700)
        files.write(self._settings, _text(settings))
        if self.scheduler == "systemd":
            self._set_timer()
        elif self.scheduler and os.geteuid() == 0:
            files.write(self._cron_file, self._cron_table().encode(), 0o644)
        elif self.scheduler:
            self._set_own_cron([self._cron_line("")])
        return changed

    def differs(self, settings: dict[str, Any]) -> bool:
        """Return whether :meth:`set_up` would change anything."""
        if self.when == NEVER:
            return self._is_set_up()
        if not files.is_directory(os.path.dirname(self._settings), 0o700):
            return True
        if files.differs(self._settings, _text(settings)):
            return True
        if self.scheduler == "systemd":
            return any(files.differs(path, text.encode(), 0o644) for path, text in self._units().items())
        if self.scheduler and os.geteuid() == 0:
            return files.differs(self._cron_file, self._cron_table().encode(), 0o644)
        return bool(self.scheduler) and self._own_cron([self._cron_line("")]) != self._own_cron()

    def _is_set_up(self) -> bool:
        if any(os.path.exists(path) for path in (self._unit("timer"), self._cron_file, self._settings)):
            return True
        return os.geteuid() != 0 and _found("crontab") and self._own_cron([]) != self._own_cron()

    def remove(self) -> None:
        """Remove the schedule and the settings of its backups."""
        if os.path.exists(self._unit("timer")):
            self._systemctl("disable", "--now", "--quiet", f"{self.name}.timer")
            for kind in ("timer", "service"):
                os.unlink(self._unit(kind))
            self._systemctl("daemon-reload")
        for path in (self._cron_file, self._settings):
            if os.path.exists(path):
                os.unlink(path)
        if os.geteuid() != 0 and _found("crontab"):
            self._set_own_cron([])

    @property
    def _settings(self) -> str:
        return os.path.join(self.layout.backup, "settings.json")

    @property
    def _cron_file(self) -> str:
        return os.path.join(_CRON_DIRECTORY, self.name)

    def _unit(self, kind: str) -> str:
        home = os.path.join(os.path.expanduser("~"), ".config", "systemd", "user")
        return os.path.join("/etc/systemd/system" if os.geteuid() == 0 else home, f"{self.name}.{kind}")

    def _units(self) -> dict[str, str]:
        """Return path -> content of the units of systemd."""
        words = " ".join('"' + word.replace("%", "%%").replace("$", "$$") + '"' for word in self.command)
        service = f"""\
[Unit]
Description=Backups of {self.layout.root} (hubfleet)
[Service]
Type=oneshot
ExecStart={words}
Nice=10
IOSchedulingClass=idle
UMask=0077
"""
        timer = f"""\
[Unit]
Description=Schedule of backups of {self.layout.root} (hubfleet)
[Timer]
OnCalendar={calendar(self.when)}
Persistent=true
[Install]
WantedBy=timers.target
"""
        return {self._unit("service"): service, self._unit("timer"): timer}

    def _set_timer(self) -> None:
        os.makedirs(os.path.dirname(self._unit("timer")), exist_ok=True)
        changed = [files.write(path, text.encode(), 0o644) for path, text in self._units().items()]
        if any(changed):
            self._systemctl("daemon-reload")
            self._systemctl("enable", "--now", "--quiet", f"{self.name}.timer")
            # A running timer keeps its old times otherwise.
            self._systemctl("restart", f"{self.name}.timer")

    def _systemctl(self, *arguments: str) -> None:
        command = ["systemctl", *([] if os.geteuid() == 0 else ["--user"]), *arguments]
        environment = {"XDG_RUNTIME_DIR": f"/run/user/{os.getuid()}", **os.environ}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if done.returncode:
            raise ScheduleError(f"{' '.join(command)}: {done.stderr.strip()}")

    def _cron_table(self) -> str:
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return f"# Backups of {self.layout.root} (hubfleet)\n{path}\n{self._cron_line('root ')}\n"

    def _cron_line(self, account: str) -> str:
        log = shlex.quote(os.path.join(self.layout.backup, "scheduled.log"))
        command = f"{shlex.join(self.command)} >>{log} 2>&1".replace("%", r"\%")
        return f"{cron_times(self.when)} {account}{command} # {self.name}"

    def _own_cron(self, lines: list[str] | None = None) -> list[str]:
        """Return the account's cron table, as it is or with ``lines`` in place of the collection's."""
        done = subprocess.run(["crontab", "-l"], capture_output=True, text=True, check=False)
        present = done.stdout.splitlines() if done.returncode == 0 else []
        if lines is None:
            return present
        return [line for line in present if not line.endswith(f"# {self.name}")] + lines

    def _set_own_cron(self, lines: list[str]) -> None:
        wanted = self._own_cron(lines)
        if wanted == self._own_cron():
            return
        table = "".join(f"{line}\n" for line in wanted)
        done = subprocess.run(["crontab", "-"], input=table, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ScheduleError(f"crontab: {done.stderr.strip()}")


def _text(settings: dict[str, Any]) -> bytes:
    return (json.dumps(settings, sort_keys=True) + "\n").encode()


def calendar(when: str) -> str:
    """Convert a time of cluster_backup_schedule to OnCalendar= of systemd."""
    if when == "hourly":
        return when
    day, _space, time = when.partition(" ")
    return f"{'' if day == 'daily' else f'{day} '}*-*-* {time}:00"


def cron_times(when: str) -> str:
    """Convert a time of cluster_backup_schedule to the five fields of cron."""
    if when == "hourly":
        return "0 * * * *"
    day, _space, time = when.partition(" ")
    hour, minute = map(int, time.split(":"))
    return f"{minute} {hour} * * {'*' if day == 'daily' else _DAYS.index(day)}"


def _found(*programs: str) -> bool:
    return any(shutil.which(program, path=_SYSTEM_PROGRAMS) for program in programs)
