# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What processes of hubs and of their users use. Sources: proc(5), /proc/PID/smaps_rollup and /proc/PID/stat."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1024  # smaps_rollup counts in kB
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Used:
    """MB and CPU seconds of a process.

    resident: all that is mapped. private: what nobody else maps. proportional: private, and a part of what is shared.
    """

    resident: float
    private: float
    proportional: float
    cpu: float


@dataclass(frozen=True)
class Memory:
    """MB of all servers of users on a hub: private ones of each kind, and all of it, with what is shared."""

    servers: list[float]
    kernels: list[float]
    total: float

    @property
    def shared(self) -> float:
        """What they have in common, counted once: the pages of programs and libraries."""
        return self.total - sum(self.servers) - sum(self.kernels)


def used(pid: int) -> Used:
    """What a process uses now; OSError when it is gone."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    memory = {line.split()[0]: int(line.split()[1]) / MEGABYTE for line in lines}
    private = memory["Private_Clean:"] + memory["Private_Dirty:"]
    return Used(memory["Rss:"], private, memory["Pss:"], cpu_seconds(pid))


def cpu_seconds(pid: int) -> float:
    """User and system time of a process alone: a hub waits for servers, whose time is not its own."""
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / _TICK


def service(hub: Path, name: str) -> int:
    """The pid of a service of a hub, whose directory is given."""
    return int(json.loads((hub / "run" / f"{name}.json").read_text())["pid"])


def of_users(hub: Path, user: str = "") -> tuple[list[int], list[int]]:
    """The pids of the servers of a hub's users, or of one user, and those of their kernels."""
    marks = {f"HUBFLEET_HUB={hub}".encode(), *([f"JUPYTERHUB_USER={user}".encode()] if user else [])}
    servers, kernels = [], []
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if marks <= set(environment):
            if b"hubfleet_environment.kernel" in command:
                kernels.append(pid)
            elif b"jupyterhub-singleuser" in command:
                servers.append(pid)
    return servers, kernels


def memory_of_users(hub: Path) -> Memory:
    """The memory of all servers and kernels of a hub's users."""
    servers, kernels = ([used(pid) for pid in pids] for pids in of_users(hub))
    return Memory(
        [each.private for each in servers],
        [each.private for each in kernels],
        sum(each.proportional for each in servers + kernels),
    )
