# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users' servers as transient units of systemd. Standard library only. All functions block.

A server in a unit of its own has limits that systemd enforces on all its processes together, lives
on whatever becomes of the hub, and leaves nothing behind when the unit is stopped.
Sources: systemd-run(1), systemctl(1), systemd.exec(5), systemd.kill(5), systemd.resource-control(5).
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from hubfleet_runtime import processes
from hubfleet_runtime.isolation.base import IsolationError, Limits, Unit

_MINIMUM = 247  # ProtectProc=
_PATIENCE = 60
_STOP_PATIENCE = 15
# Not UMask=: by that, systemd 247 (Debian 11) makes the directories above what a unit is shown, which nobody may pass.
_PRIVATELY = ("/bin/sh", "-c", 'umask 077; exec "$@"', "sh")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check() -> None:
    """IsolationError when units cannot be made on this machine."""
    if os.geteuid() != 0 or not os.path.isdir("/run/systemd/system"):
        raise IsolationError("servers as units need root, and systemd as the machine's first process")
    version = re.match(r"systemd (\d+)", _systemctl("--version"))
    if version is None or int(version[1]) < _MINIMUM:
        raise IsolationError(f"servers as units need systemd {_MINIMUM} or newer")


def name_of(key: str) -> str:
    """The unit of a server, by what the server is called machine-wide."""
    return f"{key}.service"


def limited(limits: Limits) -> list[tuple[str, str]]:
    """The properties that enforce limits, but that of CPU: see limit_cpu()."""
    properties = [("MemoryAccounting", "yes"), ("CPUAccounting", "yes"), ("TasksAccounting", "yes")]
    properties.append(("TasksMax", str(limits.processes or "infinity")))
    if limits.memory:
        # swapping out what is too much would only slow down everybody
        properties += [("MemoryMax", str(limits.memory)), ("MemorySwapMax", "0")]
    weight = limits.cpu_guarantee or limits.cpu
    if weight:
        # relative to others': one processor weighs what services weigh by default
        properties.append(("CPUWeight", str(min(10000, max(1, round(weight * 100))))))
    return properties


def start(unit: Unit, command: list[str], environment: dict[str, str], log: Path, private: Path) -> int:
    """Starts a server, and gives the pid of its first process; IsolationError when it cannot be run.

    log: file that its output is appended to. private: directory that only we can read. What is left of
    an earlier server of that name is stopped: it was started by a hub that was killed before it knew.
    """
    stop(unit.name)
    # not as property: everybody may ask systemd for those, and there are tokens in the environment
    variables = private / f"{unit.name}.environment"
    processes.write_private(variables, _environment_file(environment))
    properties = {
        "Type": "exec",
        "EnvironmentFile": str(variables),
        "StandardOutput": f"append:{log}",
        "StandardError": "inherit",
        "LimitCORE": "0",
        "LimitNOFILE": "65536",
        # the server first, which shuts down its kernels; then whatever is left, detached or not
        "KillMode": "mixed",
        "KillSignal": "SIGINT",
        "TimeoutStopSec": str(_STOP_PATIENCE),
        # a kernel that has used up the memory is ended; the server lives and starts another one
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
            *(word.replace("$", "$$") for word in (*_PRIVATELY, *command)),
        )
    finally:
        variables.unlink(missing_ok=True)
    return int(_systemctl("show", "--property=MainPID", "--value", unit.name).strip() or 0)


def limit_cpu(name: str, processors: float) -> None:
    """Limits the CPU of a unit from now on; the limit goes with the unit."""
    _run("systemctl", "set-property", "--runtime", name, f"CPUQuota={max(1, round(processors * 100))}%")


def stop(name: str) -> None:
    """Ends all processes of a unit, and lets systemd forget it; nothing when there is no such unit."""
    state = _systemctl("show", "--property=ActiveState", "--value", name).strip()
    if state != "inactive":
        _run("systemctl", "stop", name)
        # one that ended badly stays, and its name with it, until somebody looks after it
        _systemctl("reset-failed", name)


def memory_kills(unit: str, slice_: str) -> int:
    """How many processes of a unit were ended because it reached its memory limit.

    From the control group itself, in version 2 or 1: some systemd versions do not count in version 1.
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
    """With what the first process of a unit ended, as far as systemd still knows; else 0."""
    return int(_systemctl("show", "--property=ExecMainStatus", "--value", name).strip() or 0)


def quoted(path: Path | str) -> str:
    """A path as one word of a property that takes several."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _environment_file(environment: dict[str, str]) -> str:
    """The environment as systemd.exec(5) reads it: in double quotes, lines may go on and few characters matter."""
    lines = []
    for name, value in environment.items():
        if _ENVIRONMENT_NAME.fullmatch(name):
            escaped = re.sub(r'([\\"$`])', r"\\\1", value)
            lines.append(f'{name}="{escaped}"\n')
    return "".join(lines)


def _systemctl(*arguments: str) -> str:
    """What systemctl prints, "" when it fails: then there is no such unit."""
    done = subprocess.run(
        ["systemctl", *arguments],
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done.stdout if done.returncode == 0 else ""


def _run(*command: str) -> None:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise IsolationError(f"{command[0]}: {done.stderr.strip() or f'exit code {done.returncode}'}")
