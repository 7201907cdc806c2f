# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds the deploy lock of a cluster: a process of a controller, as a text that any platform can store.

Containers share the machine id and the boot id of their host, so a process is known by its PID namespace as well.
Only a process of the same namespace can see whether the owner still runs; if this is unknown, the lock is held.
Sources: proc(5), pid_namespaces(7).
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass, fields

from ..common import files
from ..common.processes import start_time

ALIVE, GONE, UNKNOWN = "alive", "gone", "unknown"

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")
_PID_NAMESPACE = "/proc/self/ns/pid"
#: The namespace of the machine itself, which has the same number on every boot: PROC_PID_INIT_INO in Linux'
#: include/linux/proc_ns.h. Numbers of containers' namespaces are used again.
_HOST_NAMESPACE = "pid:[4026531836]"


@dataclass(frozen=True)
class LockOwner:
    """A process that deploys. who, when: the person and the time, for messages."""

    machine: str
    boot_id: str
    pid_namespace: str
    pid: int
    start_time: str
    who: str = "somebody"
    when: str = "an unknown time"

    @classmethod
    def of_process(cls, pid: int, who: str, when: str) -> LockOwner:
        """Return the owner for a process of this machine, which this process can see."""
        return cls(_this_machine(), _boot_id(), _pid_namespace(), pid, start_time(pid), who, when)

    @classmethod
    def from_text(cls, text: str) -> LockOwner | None:
        """Return the owner that :meth:`to_text` wrote; None for an empty or half-written text."""
        try:
            found = json.loads(text)
            return cls(**{each.name: found[each.name] for each in fields(cls)})
        except (ValueError, KeyError, TypeError):
            return None

    def to_text(self) -> str:
        """Return the owner as a line of text."""
        return json.dumps(asdict(self), sort_keys=True)

    def is_same(self, other: LockOwner | None) -> bool:
        """Tell whether both are the same process."""
        return other is not None and self._process() == other._process()

    def state(self) -> str:
        """Return ALIVE or GONE, or UNKNOWN where this process cannot tell."""
        if self.machine != _this_machine() or self.pid_namespace != _pid_namespace() or not self.pid_namespace:
            return UNKNOWN
        if self.boot_id != _boot_id():
            # The machine was restarted since. Of containers this does not follow: their images share machine ids.
            return GONE if self.pid_namespace == _HOST_NAMESPACE else UNKNOWN
        started = start_time(self.pid)
        if started:
            return ALIVE if started == self.start_time else GONE
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return GONE
        except (OSError, TypeError):
            pass  # it exists, but proc(5) with hidepid does not show it
        return UNKNOWN

    def describe(self) -> str:
        """Return who deploys since when, with the process where people can look for it."""
        return f"{self.who} is under way since {self.when} (process {self.pid} on {self.machine})"

    def _process(self) -> tuple[object, ...]:
        return self.machine, self.boot_id, self.pid_namespace, self.pid, self.start_time


def machine_identity() -> str:
    """Return what identifies this machine, "" where it has no machine id."""
    for path in _MACHINE_IDS:
        text = (files.read(path) or b"").decode(errors="replace").strip()
        if text and text != "uninitialized":
            return f"machine-id:{text}"
    return ""


def _this_machine() -> str:
    """Return what identifies this machine; containers often have nothing but a name."""
    return machine_identity() or socket.gethostname()


def _boot_id() -> str:
    return (files.read(_BOOT_ID) or b"").decode().strip()


def _pid_namespace() -> str:
    try:
        return os.readlink(_PID_NAMESPACE)
    except OSError:
        return ""
