# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a build: programs, each with its duration and, if it fails, its last lines."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

from ....common.errors import HubfleetError

#: Seconds that one program may take.
STEP_TIMEOUT = 1800
#: How lines begin that continue the cause of an error of uv.
_CONTINUED = " " * 9


class BuildError(HubfleetError):
    """A step of a build failed; the message names the step and ends with the last lines of its output."""


@dataclass
class Tools:
    """Programs and package indexes that builds use.

    uv: path of uv. npm: command line of npm. index, registry: addresses, or None for those that the machine configures.
    archive: the files of the build's repository (tar).
    account: who the code of a repository runs as; None for the account of the deploy.
    conda: for an environment.yml, what it asks for (channels, specs, pip; has_python: whether specs include it),
    alias (the URL that channels are below), and tool (the directory of rattler).
    """

    uv: str
    npm: list[str] = field(default_factory=list)
    index: str | None = None
    registry: str | None = None
    archive: str = ""
    account: str | None = None
    conda: dict[str, Any] = field(default_factory=dict)


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
    ) -> str:
        """Run a step; return its output. inherited: file descriptors that the program keeps. Raises BuildError."""
        started = time.monotonic()
        try:
            done = subprocess.run(
                command,
                env=environment,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=STEP_TIMEOUT,
                check=False,
                pass_fds=inherited,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BuildError(f"building {self.name}: the step '{name}' could not run: {error}") from error
        self.seconds[name] = round(time.monotonic() - started, 1)
        output = done.stdout.decode(errors="replace")
        if done.returncode:
            tail = "\n".join(_sentences(output)[-15:])
            raise BuildError(f"building {self.name}: the step '{name}' failed (exit {done.returncode}):\n{tail}")
        return output


def _sentences(output: str) -> list[str]:
    """Return the lines of a program's output; uv indents what continues an explanation, which becomes one line."""
    lines: list[str] = []
    for line in output.strip().splitlines():
        if line.startswith(_CONTINUED) and lines:
            lines[-1] += f" {line.strip()}"
        elif line.strip():
            lines.append(line)
    return lines
