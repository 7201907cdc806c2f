# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a build: programs, each with its duration and, if it fails, its last lines."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Callable
from typing import IO

from ...common.errors import HubfleetError

#: Seconds that one program may take.
STEP_TIMEOUT = 1800
#: Bytes of output that are kept, the last ones; characters of a line that are shown.
_MAX_OUTPUT, _MAX_LINE = 2_000_000, 1000
#: How lines begin that continue the cause of an error of uv.
_CONTINUED = " " * 9
_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*(\x07|\x1b\\)|.)|[\x00-\x08\x0b-\x1f\x7f]")


class BuildError(HubfleetError):
    """A step of a build failed; the message names the step and ends with the last lines of its output."""


class Steps:
    """Runs the programs of a build; ``seconds`` has the duration of each. name: of the build."""

    def __init__(self, name: str):
        self.name = name
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
        # A file, since there is no limit to what a program prints.
        with tempfile.TemporaryFile() as output:
            try:
                done = subprocess.run(
                    command,
                    env=environment,
                    cwd=directory,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=STEP_TIMEOUT,
                    check=False,
                    pass_fds=inherited,
                    preexec_fn=prepare,
                )
            except subprocess.TimeoutExpired:
                raise BuildError(
                    f"building {self.name}: the step '{name}' did not end in {STEP_TIMEOUT // 60} minutes"
                ) from None
            except OSError as error:
                raise BuildError(f"building {self.name}: the step '{name}' could not run: {error}") from error
            self.seconds[name] = round(time.monotonic() - started, 1)
            text = _end_of(output)
        if done.returncode:
            tail = "\n".join(line[-_MAX_LINE:] for line in _sentences(text)[-15:])
            raise BuildError(f"building {self.name}: the step '{name}' failed (exit {done.returncode}):\n{tail}")
        return text


def _end_of(output: IO[bytes]) -> str:
    """Return the end of an output as text, without what controls a terminal."""
    size = output.seek(0, 2)
    output.seek(max(0, size - _MAX_OUTPUT))
    return _ESCAPES.sub("", output.read().decode(errors="replace"))


def _sentences(output: str) -> list[str]:
    """Return the lines of a program's output; uv indents what continues an explanation, which becomes one line."""
    lines: list[str] = []
    for line in output.strip().splitlines():
        if line.startswith(_CONTINUED) and lines:
            lines[-1] += f" {line.strip()}"
        elif line.strip():
            lines.append(line)
    return lines
