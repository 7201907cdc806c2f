# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a machine make backups by itself: by a timer of systemd, else by cron.

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
from ....common.errors import HubfleetError
from ..desired.environments import digest
from ..layout import Layout

NEVER = "never"
_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_CRON_DIRECTORY = "/etc/cron.d"
#: Where cron's daemon is, which is not on everybody's PATH.
_SYSTEM_PROGRAMS = "/usr/sbin:/sbin:/usr/bin:/bin"


class ScheduleError(HubfleetError):
    """The schedule could not be set up; one sentence."""


@dataclass(frozen=True)
class Schedule:
    """When a cluster's hubs are saved, and by which command. when: as cluster_backup_schedule has it."""

    layout: Layout
    when: str
    command: tuple[str, ...]
    systemd: bool

    @property
    def name(self) -> str:
        """Unique on the machine."""
        return f"hubfleet-{digest(self.layout.root)[:6]}-backup"

    def set_up(self, settings: dict[str, Any]) -> tuple[bool, str]:
        """Let the machine make backups, or not any more; return whether anything changed, and what does it.

        That is "" where nothing on this machine starts programs by the clock. Raises ScheduleError.
        """
        if self.when == NEVER:
            return self.remove(), ""
        changed = files.directory(os.path.dirname(self._settings), 0o700)
        changed = files.write(self._settings, (json.dumps(settings, sort_keys=True) + "\n").encode()) or changed
        if self.systemd:
            return self._set_timer() or changed, "systemd"
        if os.geteuid() == 0 and os.path.isdir(_CRON_DIRECTORY) and _found("cron", "crond"):
            return files.write(self._cron_file, self._cron_table().encode(), 0o644) or changed, "cron"
        if os.geteuid() != 0 and _found("crontab"):
            return self._set_own_cron([self._cron_line("")]) or changed, "cron"
        return changed, ""

    def remove(self) -> bool:
        """Let the machine make no backups any more, and forget how; return whether anything changed."""
        changed = False
        if os.path.exists(self._unit("timer")):
            self._systemctl("disable", "--now", "--quiet", f"{self.name}.timer")
            for kind in ("timer", "service"):
                os.unlink(self._unit(kind))
            self._systemctl("daemon-reload")
            changed = True
        for path in (self._cron_file, self._settings):
            if os.path.exists(path):
                os.unlink(path)
                changed = True
        if os.geteuid() != 0 and _found("crontab"):
            changed = self._set_own_cron([]) or changed
        return changed

    @property
    def _settings(self) -> str:
        return os.path.join(self.layout.backup, "settings.json")

    @property
    def _cron_file(self) -> str:
        return os.path.join(_CRON_DIRECTORY, self.name)

    def _unit(self, kind: str) -> str:
        home = os.path.join(os.path.expanduser("~"), ".config", "systemd", "user")
        return os.path.join("/etc/systemd/system" if os.geteuid() == 0 else home, f"{self.name}.{kind}")

    def _set_timer(self) -> bool:
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
Description=When to make backups of {self.layout.root} (hubfleet)
[Timer]
OnCalendar={calendar(self.when)}
Persistent=true
[Install]
WantedBy=timers.target
"""
        os.makedirs(os.path.dirname(self._unit("timer")), exist_ok=True)
        changed = files.write(self._unit("service"), service.encode(), 0o644)
        changed = files.write(self._unit("timer"), timer.encode(), 0o644) or changed
        if changed:
            self._systemctl("daemon-reload")
            self._systemctl("enable", "--now", "--quiet", f"{self.name}.timer")
            # A timer that runs keeps its old times otherwise.
            self._systemctl("restart", f"{self.name}.timer")
        return changed

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

    def _set_own_cron(self, lines: list[str]) -> bool:
        """Let the account's table have these lines of ours, beside whatever else is in it."""
        done = subprocess.run(["crontab", "-l"], capture_output=True, text=True, check=False)
        present = done.stdout.splitlines() if done.returncode == 0 else []
        wanted = [line for line in present if not line.endswith(f"# {self.name}")] + lines
        if wanted == present:
            return False
        table = "".join(f"{line}\n" for line in wanted)
        done = subprocess.run(["crontab", "-"], input=table, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ScheduleError(f"crontab: {done.stderr.strip()}")
        return True


def calendar(when: str) -> str:
    """Return a time of ours as systemd writes it."""
    if when == "hourly":
        return when
    day, _space, time = when.partition(" ")
    return f"{'' if day == 'daily' else f'{day} '}*-*-* {time}:00"


def cron_times(when: str) -> str:
    """Return a time of ours as the five fields of cron."""
    if when == "hourly":
        return "0 * * * *"
    day, _space, time = when.partition(" ")
    hour, minute = map(int, time.split(":"))
    return f"{minute} {hour} * * {'*' if day == 'daily' else _DAYS.index(day)}"


def _found(*programs: str) -> bool:
    return any(shutil.which(program, path=_SYSTEM_PROGRAMS) for program in programs)
