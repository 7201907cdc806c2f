# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the backup program on the machine (hubfleet_runtime/backup/program.py), which scheduled backups use as well.

It does not need Ansible, and may run on another Python than modules. Requests go through a pipe, so that its arguments
contain no secrets.
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
#: Arguments of all modules that run it; described in plugins/doc_fragments/backup_program.py.
PROGRAM_ARGUMENTS: dict[str, dict[str, Any]] = {
    "state_directory": {"type": "path"},
    "python": {"type": "path"},
    "runtime": {"type": "dict", "default": {}},
    "runtime_digest": {"type": "str"},
    "settings": {"type": "str", "no_log": True},
}


class BackupError(HubfleetError):
    """A backup was not made or not restored; one line without secrets."""


@dataclass(frozen=True)
class Program:
    """The program on a machine. runtime: the package with the program, for machines that do not have it yet."""

    layout: Layout
    python: str
    runtime: dict[str, str]
    digest: str

    @classmethod
    def from_arguments(cls, layout: Layout, arguments: dict[str, Any]) -> Program:
        """Return the program for arguments of a module."""
        return cls(layout, arguments["python"], arguments["runtime"], arguments["runtime_digest"])

    def run(self, command: str, **request: Any) -> dict[str, Any]:
        """Run a command of the program with a request; return its answer. Raises BackupError."""
        request = {"state": self.layout.root, **request}
        installed = self.layout.runtime(self.digest)
        if os.path.isdir(installed):
            return self._run(os.path.join(installed, PROGRAM), command, request)
        with tempfile.TemporaryDirectory(prefix="hubfleet-") as work:
            package = os.path.join(work, "package")
            write_package(package, self.runtime)
            return self._run(os.path.join(package, PROGRAM), command, request)

    def _run(self, program: str, command: str, request: dict[str, Any]) -> dict[str, Any]:
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
            raise BackupError(f"the backup program failed: {lines[-1]}") from None
        if "error" in answer:
            raise BackupError(str(answer["error"]))
        return answer


def last_backup(layout: Layout, hub: str) -> str:
    """Return when a hub was backed up last; "" if it never was."""
    content = files.read(os.path.join(layout.backup, "last", f"{hub}.json"))
    return str(json.loads(content)["when"]) if content else ""


def encode_settings(settings: dict[str, Any]) -> str:
    """Encode settings as one word, so that masking it masks all of it and nothing else."""
    return base64.b64encode(json.dumps(settings).encode()).decode()


def decode_settings(word: str) -> dict[str, Any]:
    """Decode settings; the inverse of encode_settings()."""
    settings: dict[str, Any] = json.loads(base64.b64decode(word))
    return settings
