# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read workflows, and run their shell steps as a runner does, with fakes for GitHub and GitLab."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from repository import attempt, environment, program

HERE = Path(__file__).resolve().parent


def read_yaml(path: Path) -> list[Any]:
    """Return every document of a file."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def github_steps(repository: Path) -> dict[str, dict[str, Any]]:
    """Return file/job/step -> step, for every step of workflows and actions."""
    found = {}
    for path in sorted((repository / ".github").rglob("*.yml")):
        (document,) = read_yaml(path)
        for job, content in document.get("jobs", {"action": document.get("runs")}).items():
            for number, step in enumerate(content["steps"]):
                found[f"{path.stem}/{job}/{step.get('name', number)}"] = step
    return found


def gitlab_scripts(repository: Path) -> dict[str, str]:
    """Return file/job/part -> script; as in a runner, the lines of a part become one script."""
    found = {}
    for path in (repository / ".gitlab-ci.yml", *sorted((repository / ".gitlab").glob("*.yml"))):
        for name, job in read_yaml(path)[-1].items():
            if not isinstance(job, dict):
                continue
            for part in ("before_script", "script", "after_script"):
                if part in job:
                    found[f"{path.name}/{name}/{part}"] = "\n".join(job[part])
    return found


def write_program(path: Path, text: str) -> None:
    """Write a fake program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@dataclass
class Runner:
    """A machine that runs steps in a checkout.

    checkout: directory that steps run in. temporary: directory for the runner's own files.
    variables: environment variables in addition to those of the tests.
    """

    checkout: Path
    temporary: Path
    collections: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.temporary.mkdir(parents=True)
        self.programs = self.temporary / "programs"
        # Steps install the environment of the tests; nothing is downloaded.
        here = shlex.quote(sys.executable)
        virtual = shlex.quote(str(Path(sys.prefix)))
        write_program(
            self.programs / "python3",
            f'#!/bin/sh\nif [ "$1 $2" = "-m venv" ]; then exec ln -s {virtual} "$3"; fi\nexec {here} "$@"\n',
        )
        for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"):
            (self.temporary / name).touch()
            self.variables[name] = str(self.temporary / name)
        self.variables.update(
            RUNNER_TEMP=str(self.temporary),
            GITHUB_REPOSITORY="university/fleet",
            GITHUB_RUN_ID="7",
            PIP_NO_INDEX="1",
            PIP_DISABLE_PIP_VERSION_CHECK="1",
            ANSIBLE_COLLECTIONS_PATH=str(self.collections),
        )

    def run(self, script: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the script of a step or job, with the variables and paths that earlier steps exported."""
        made = dict(line.split("=", 1) for line in self.file("GITHUB_ENV").splitlines())
        variables = {**environment(), **self.variables, **made, **more}
        paths = [*self.file("GITHUB_PATH").splitlines(), str(self.programs), variables["PATH"]]
        return attempt(["sh", "-e", "-c", script], self.checkout, {**variables, "PATH": os.pathsep.join(paths)})

    def succeed(self, script: str, **more: str) -> str:
        """Run a script that must succeed; return its output."""
        done = self.run(script, **more)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def file(self, name: str) -> str:
        """Return the content of one of the runner's files, such as GITHUB_OUTPUT."""
        return (self.temporary / name).read_text(encoding="utf-8")


def shellcheck(script: str, shell: str = "sh") -> str:
    """Return the findings of shellcheck for a script."""
    command = [str(program("shellcheck")), "--shell", shell, "-"]
    return subprocess.run(command, input=script, capture_output=True, text=True, check=False).stdout
