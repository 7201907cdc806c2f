# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-playbook in forks of a process that has imported Ansible: more than half of a short run is imports."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from multiprocessing.process import BaseProcess
from pathlib import Path

#: What every run imports, and nothing that reads settings which differ between runs.
MODULES = (
    "aiohttp",
    "ansible.cli.playbook",
    "ansible.executor.module_common",
    "ansible.executor.task_executor",
    "ansible.plugins.strategy.linear",
    __name__,
)


class Playbook:
    """A running playbook with a process group of its own; has what tests use of subprocess.Popen."""

    def __init__(self, process: BaseProcess, output: Path) -> None:
        self.pid = process.pid or 0
        self.returncode: int | None = None
        self._process, self._output = process, output

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        self.returncode = self._process.exitcode
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """Wait for the end; return the output."""
        self._process.join(timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired(f"playbook with process {self.pid}", timeout or 0)
        output = self._output.read_text(encoding="utf-8", errors="replace") if self._output.exists() else ""
        self._output.unlink(missing_ok=True)
        return output, None


def start(arguments: list[str], directory: Path, environment: dict[str, str]) -> Playbook:
    """Start ansible-playbook with arguments. Settings of Ansible in the environment are those of the first run."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(MODULES))
    file, output = tempfile.mkstemp(prefix="hubfleet-output-")
    os.close(file)
    before = dict(os.environ)
    os.environ.update(environment)  # the server is started with the first run, and inherits it
    try:
        process = context.Process(target=_run, args=(arguments, str(directory), environment, output))
        process.start()
    finally:
        os.environ.clear()
        os.environ.update(before)
    return Playbook(process, Path(output))


def _run(arguments: list[str], directory: str, environment: dict[str, str], output: str) -> None:
    from ansible.cli.playbook import PlaybookCLI

    os.setsid()
    for name, flags, targets in ((os.devnull, os.O_RDONLY, (0,)), (output, os.O_WRONLY | os.O_APPEND, (1, 2))):
        file = os.open(name, flags)
        for target in targets:
            os.dup2(file, target)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    sys.argv = [str(Path(sys.executable).with_name("ansible-playbook")), *arguments]
    PlaybookCLI.cli_executor(sys.argv)
