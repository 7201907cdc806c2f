# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run servers as transient units of systemd. Standard library only. All functions block.

systemd limits all processes of a unit together, keeps it running while the hub restarts, and ends all its processes
when it is stopped.
Sources: systemd-run(1), systemctl(1), systemd.exec(5), systemd.kill(5), systemd.resource-control(5).
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from hubfleet_runtime import files
from hubfleet_runtime.isolation.base import IsolationError, Limits, Unit

_MINIMUM_VERSION = 247  # ProtectProc=
_TIMEOUT = 60
_STOP_TIMEOUT = 15
# Not UMask=: systemd 247 (Debian 11) creates the parents of bind mounts with it, which nobody could enter then.
_WITH_UMASK = ("/bin/sh", "-c", 'umask 077; exec "$@"', "sh")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check() -> None:
    """Raise IsolationError if units cannot be started on this machine."""
    if os.geteuid() != 0 or not os.path.isdir("/run/systemd/system"):
        raise IsolationError("servers as systemd units need root, and systemd as process 1")
    version = re.match(r"systemd (\d+)", _systemctl("--version"))
    if version is None or int(version[1]) < _MINIMUM_VERSION:
        raise IsolationError(f"servers as systemd units need systemd {_MINIMUM_VERSION} or newer")


def unit_name(server_id: str) -> str:
    """Return the name of a server's unit."""
    return f"{server_id}.service"


def limit_properties(limits: Limits) -> list[tuple[str, str]]:
    """Return the properties for all limits but that of CPU: see limit_cpu()."""
    properties = [("MemoryAccounting", "yes"), ("CPUAccounting", "yes"), ("TasksAccounting", "yes")]
    properties.append(("TasksMax", str(limits.processes or "infinity")))
    if limits.memory:
        # swap would only slow down everybody
        properties += [("MemoryMax", str(limits.memory)), ("MemorySwapMax", "0")]
    weight = limits.cpu_guarantee or limits.cpu
    if weight:
        # one processor weighs as much as a service does by default
        properties.append(("CPUWeight", str(min(10000, max(1, round(weight * 100))))))
    return properties


def start(unit: Unit, command: list[str], environment: dict[str, str], log: Path, private: Path) -> int:
    """Start a server and return the pid of its first process. Raises IsolationError.

    log: file that its output is appended to. private: directory that others cannot read. A unit of that name is stopped
    first: a hub that was killed may have left it.
    """
    stop(unit.name)
    # not as a property: any account can read those, and the environment has tokens
    variables = private / f"{unit.name}.environment"
    files.write_private(variables, _environment_file(environment))
    properties = {
        "Type": "exec",
        "EnvironmentFile": str(variables),
        "StandardOutput": f"append:{log}",
        "StandardError": "inherit",
        "LimitCORE": "0",
        "LimitNOFILE": "65536",
        # the server first, which shuts down its kernels; then all other processes
        "KillMode": "mixed",
        "KillSignal": "SIGINT",
        "TimeoutStopSec": str(_STOP_TIMEOUT),
        # only the kernel that used up the memory is killed; the server starts another one
        "OOMPolicy": "continue",
        **dict(unit.properties),
    }
    try:
        _run(
            "systemd-run",
            "--quiet",
            f"--unit={unit.name}",
            f"--slice={unit.slice}",
            f"--description={unit.description}",
            *(f"--property={name}={value}" for name, value in properties.items()),
            "--",
            *(word.replace("$", "$$") for word in (*_WITH_UMASK, *command)),
        )
    finally:
        variables.unlink(missing_ok=True)
    return int(_systemctl("show", "--property=MainPID", "--value", unit.name).strip() or 0)


def limit_cpu(name: str, processors: float) -> None:
    """Limit the CPU of a running unit."""
    _run("systemctl", "set-property", "--runtime", name, f"CPUQuota={max(1, round(processors * 100))}%")


def stop(name: str) -> None:
    """Stop a unit, if it exists, and remove it from systemd."""
    state = _systemctl("show", "--property=ActiveState", "--value", name).strip()
    if state != "inactive":
        _run("systemctl", "stop", name)
        # a failed unit and its name stay until they are reset
        _systemctl("reset-failed", name)


def oom_kills(unit: str, slice_: str) -> int:
    """Return how many processes of a unit were killed because of its memory limit.

    Reads the control group, of version 2 or 1: some versions of systemd do not count in version 1.
    """
    parts = slice_.removesuffix(".slice").split("-")
    slices = [f"{'-'.join(parts[: number + 1])}.slice" for number in range(len(parts))]
    group = "/".join([*slices, unit])
    for file in (f"/sys/fs/cgroup/{group}/memory.events", f"/sys/fs/cgroup/memory/{group}/memory.oom_control"):
        try:
            lines = Path(file).read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
    return 0


def exit_status(name: str) -> int:
    """Return the exit status of the first process of a unit; 0 if it is unknown."""
    return int(_systemctl("show", "--property=ExecMainStatus", "--value", name).strip() or 0)


def quote(path: Path | str) -> str:
    """Quote a path for a property that takes several words."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _environment_file(environment: dict[str, str]) -> str:
    """Return the environment in the format of EnvironmentFile= in systemd.exec(5)."""
    lines = []
    for name, value in environment.items():
        if _ENVIRONMENT_NAME.fullmatch(name):
            escaped = re.sub(r'([\\"$`])', r"\\\1", value)
            lines.append(f'{name}="{escaped}"\n')
    return "".join(lines)


def _systemctl(*arguments: str) -> str:
    """Return what systemctl prints; "" if it fails because there is no such unit."""
    done = _execute("systemctl", *arguments)
    return done.stdout if done.returncode == 0 else ""


def _run(*command: str) -> None:
    done = _execute(*command)
    if done.returncode:
        raise IsolationError(f"{command[0]}: {done.stderr.strip() or f'exit code {done.returncode}'}")


def _execute(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, timeout=_TIMEOUT, stdin=subprocess.DEVNULL, check=False
    )
