# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a build: programs, each with its duration and, if it fails, its last lines."""

from __future__ import annotations

import os
import re
import select
import subprocess
import time
from collections.abc import Callable
from typing import IO, cast

from ...common.errors import HubfleetError

#: Seconds that one program may take.
STEP_TIMEOUT = 1800
#: Bytes of output that are kept, the last ones; characters of a line that are shown.
_MAX_OUTPUT, _MAX_LINE = 2_000_000, 1000
#: Bytes that are read at once; seconds between two looks at a program that prints nothing.
_PART, _PERIOD = 1 << 16, 0.2
#: Seconds that a program gets to end by itself.
_GRACE = 20
#: How lines begin that continue the cause of an error of uv.
_CONTINUED = " " * 9
_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*(\x07|\x1b\\)|.)|[\x00-\x08\x0b-\x1f\x7f]")


class BuildError(HubfleetError):
    """A step of a build failed; the message names the step and ends with the last lines of its output."""


class Steps:
    """Runs the programs of a build; ``seconds`` has the duration of each.

    name: of the build. timeout: seconds that a program may take.
    """

    def __init__(self, name: str, timeout: float = STEP_TIMEOUT):
        self.name = name
        self.timeout = timeout
        self.seconds: dict[str, float] = {}

    def run(
        self,
        name: str,
        command: list[str],
        environment: dict[str, str],
        directory: str = "/",
        inherited: tuple[int, ...] = (),
        prepare: Callable[[], None] | None = None,
    ) -> str:
        """Run a step; return its output. Raises BuildError.

        inherited: file descriptors that the program keeps. prepare: called in its process before it starts.
        """
        started = time.monotonic()
        try:
            process = subprocess.Popen(
                command,
                env=environment,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=inherited,
                preexec_fn=prepare,
            )
        except OSError as error:
            raise BuildError(f"building {self.name}: the step '{name}' could not run: {error}") from error
        try:
            text = _end_of(process, started + self.timeout)
        except BaseException:
            _end(process)
            raise
        if text is None:
            _end(process)
            minutes = f"{self.timeout / 60:.0f} minutes"
            raise BuildError(f"building {self.name}: the step '{name}' did not end in {minutes}")
        self.seconds[name] = round(time.monotonic() - started, 1)
        if process.returncode:
            tail = "\n".join(line[-_MAX_LINE:] for line in _sentences(text)[-15:])
            raise BuildError(f"building {self.name}: the step '{name}' failed (exit {process.returncode}):\n{tail}")
        return text


def _end_of(process: subprocess.Popen[bytes], deadline: float) -> str | None:
    """Wait for a program; return the end of its output without what controls a terminal, None after the deadline.

    What it prints before goes nowhere: there is no limit to that, but one to memory and disk.
    """
    kept, open_end = bytearray(), True
    with cast(IO[bytes], process.stdout) as output:
        while True:
            # A program of its own that goes on may hold the other end for ever.
            ended = process.poll() is not None
            ready = open_end and select.select([output], [], [], 0 if ended else _PERIOD)[0]
            part = os.read(output.fileno(), _PART) if ready else b""
            kept += part
            del kept[: max(0, len(kept) - _MAX_OUTPUT)]
            if ready and not part:
                open_end = False
            if ended and not part:
                return _ESCAPES.sub("", kept.decode(errors="replace"))
            if time.monotonic() > deadline:
                return None
            if not open_end and not ended:
                time.sleep(_PERIOD / 10)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program; container engines remove what runs for them if they are asked to end."""
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _sentences(output: str) -> list[str]:
    """Return the lines of a program's output; uv indents what continues an explanation, which becomes one line."""
    lines: list[str] = []
    for line in output.strip().splitlines():
        if line.startswith(_CONTINUED) and lines:
            lines[-1] += f" {line.strip()}"
        elif line.strip():
            lines.append(line)
    return lines
