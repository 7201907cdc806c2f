# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users can reach in each mode of isolation, and its limits: the table in docs/security.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Mode:
    """Properties of a mode.

    reached: attempts of isolation_probe.py that succeed; of all others, none may.
    memory: "session" where all processes of a server have the limit together, "process" where each has it.
    processes: whether a server's processes are limited. cpu: whether its CPU is.
    leftovers: whether something that left its session outlives the server.
    """

    reached: frozenset[str]
    memory: str
    processes: bool
    cpu: bool
    leftovers: bool = False


_NOTHING_KEPT = frozenset(
    {
        "homes of others",
        "files of the hub",
        "files of other hubs",
        "tokens of others",
        "processes of others",
        "signals to others",
        "kernels of others",
        "temporary files of others",
        "ports",
    }
)
MODES = {
    "system-users": Mode(frozenset({"processes of others", "ports"}), memory="session", processes=True, cpu=True),
    # where there are no control groups to be written
    "system-users-alone": Mode(
        frozenset({"processes of others", "ports"}), memory="process", processes=True, cpu=False
    ),
    "bubblewrap": Mode(frozenset({"ports"}), memory="process", processes=True, cpu=False),
    "none": Mode(_NOTHING_KEPT, memory="process", processes=False, cpu=False, leftovers=True),
}


def probe(facts: dict[str, list[Any]]) -> str:
    """Return code that makes all attempts and prints a JSON object. facts: see isolation_probe.py."""
    text = Path(__file__).with_name("isolation_probe.py").read_text(encoding="utf-8")
    return f"{text}\nimport json\nprint(json.dumps(attempts({facts!r})))"


#: Holds so many megabytes in each of so many processes at once; prints how many could.
HOG = """
import os, signal, time
readers = []
children = []
for _number in range({processes}):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        held = b"x" * ({megabytes} << 20)
        os.write(writer, b"x")
        signal.pause()
    os.close(writer)
    readers.append(reader)
    children.append(child)
for reader in readers:
    os.read(reader, 1)
# One that had all its memory may have been killed for the sake of the next one.
time.sleep(1)
held = [child for child in children if os.waitpid(child, os.WNOHANG) == (0, 0)]
print(len(held))
for child in held:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""
#: Forks until it may not, at most so often; prints how often it could.
FORKS = """
import os, signal
children = []
try:
    while len(children) < {most}:
        child = os.fork()
        if child == 0:
            signal.pause()
        children.append(child)
except BlockingIOError:
    pass
print(len(children))
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""
#: Leaves a process behind that no signal to the server's process group reaches.
DETACH = """
import subprocess
subprocess.Popen(["setsid", "nohup", "sleep", "{seconds}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
"""
