# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run bwrap and forward signals to the server in the sandbox. Standard library only.

    bubblewrap_shim.py BWRAP ARG...

A signal to bwrap ends only its outer process, and with --die-with-parent servers would die with the hub. So this
process is bwrap's parent, and outlives the hub.
Source: bwrap(1), --info-fd and --die-with-parent.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

# run by its path with -I: the package is not installed
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hubfleet_runtime import processes

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def children(pid: int) -> list[int]:
    """Return the children of a process."""
    found = [(int(name), processes.stat(int(name))) for name in os.listdir("/proc") if name.isdigit()]
    return [child for child, status in found if status and status.parent == pid]


def main() -> int:
    """Return the exit code of the server."""
    sandbox_pid = 0
    early: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        if not sandbox_pid:
            early.append(number)
            return
        # the first process in the sandbox is bwrap's own; the server is its child
        for pid in children(sandbox_pid) or [sandbox_pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    for number in FORWARDED:
        signal.signal(number, forward)
    reader, writer = os.pipe()
    command = [sys.argv[1], "--info-fd", str(writer), *sys.argv[2:]]
    process = subprocess.Popen(command, pass_fds=[writer])
    os.close(writer)
    with os.fdopen(reader, encoding="ascii") as stream:
        information = stream.read()  # all of it: bwrap stops if the reader closes earlier
    if information:
        sandbox_pid = int(json.loads(information)["child-pid"])
        for missed in early:
            forward(missed, None)
    status = process.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
