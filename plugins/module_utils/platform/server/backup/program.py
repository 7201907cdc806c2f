# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the backup program on the machine (hubfleet_runtime/backup/program.py), which scheduled backups use as well.

It is run by another Python than modules are, and without Ansible; what it is asked for goes through a pipe, so that no
secret is in its arguments.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Any

from ....common import files
from ....common.errors import HubfleetError
from ..apply.machine import write_package
from ..layout import Layout

PROGRAM = os.path.join("hubfleet_runtime", "backup", "program.py")
#: What all modules that run it are given; described in plugins/doc_fragments/backup_program.py.
PROGRAM_ARGUMENTS: dict[str, dict[str, Any]] = {
    "state_directory": {"type": "path"},
    "python": {"type": "path"},
    "runtime": {"type": "dict", "default": {}},
    "runtime_digest": {"type": "str"},
    "settings": {"type": "str", "no_log": True},
}


class BackupError(HubfleetError):
    """Something was not saved or not brought back; one line without secrets."""


@dataclass(frozen=True)
class Program:
    """The program on a machine. runtime: the package it is part of, for machines that do not have it yet."""

    layout: Layout
    python: str
    runtime: dict[str, str]
    digest: str

    @classmethod
    def of(cls, layout: Layout, arguments: dict[str, Any]) -> Program:
        """Return the program as PROGRAM_ARGUMENTS name it."""
        return cls(layout, arguments["python"], arguments["runtime"], arguments["runtime_digest"])

    def ask(self, command: str, **request: Any) -> dict[str, Any]:
        """Return the answer of a command; ``request`` is what it is asked. Raises BackupError."""
        request = {"state": self.layout.root, **request}
        installed = self.layout.runtime(self.digest)
        if os.path.isdir(installed):
            return self._ask(os.path.join(installed, PROGRAM), command, request)
        with tempfile.TemporaryDirectory(prefix="hubfleet-") as work:
            package = os.path.join(work, "package")
            write_package(package, self.runtime)
            return self._ask(os.path.join(package, PROGRAM), command, request)

    def _ask(self, program: str, command: str, request: dict[str, Any]) -> dict[str, Any]:
        done = subprocess.run(
            [self.python, "-I", program, command],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise BackupError(f"the program for backups ended unexpectedly: {lines[-1]}") from None
        if "error" in answer:
            raise BackupError(str(answer["error"]))
        return answer


def last_backup(layout: Layout, hub: str) -> str:
    """Return when a hub was backed up last, as the program noted it; "" where it never was."""
    content = files.read(os.path.join(layout.backup, "last", f"{hub}.json"))
    return str(json.loads(content)["when"]) if content else ""


def packed(settings: dict[str, Any]) -> str:
    """Return settings as one word, so that hiding it hides all of it and nothing else."""
    return base64.b64encode(json.dumps(settings).encode()).decode()


def unpacked(word: str) -> dict[str, Any]:
    """Return the settings in such a word."""
    settings: dict[str, Any] = json.loads(base64.b64decode(word))
    return settings
