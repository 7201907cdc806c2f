# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container engine of the controller, podman or docker, for images that cannot be built without one."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from ..build.steps import BuildError, Steps
from .address import ImageAddress

#: In this order: podman needs no service that runs as root.
_PROGRAMS = ("podman", "docker")
#: Seconds for a question.
_TIMEOUT = 60
#: Builders of docker that are not the default one leave no image that could be run.
_SETTINGS = {"BUILDX_BUILDER": "default", "DOCKER_CLI_HINTS": "false"}


class Engine:
    """A container engine. program: its name, and that of its command. Methods raise BuildError.

    steps: run its commands, and tell which one failed.
    """

    def __init__(self, program: str, steps: Steps):
        self.program = program
        self._steps = steps

    def build(self, tag: str, context: str, dockerfile: str, arguments: dict[str, str], labels: dict[str, str]) -> None:
        """Build an image. context: the directory of its files. arguments: for the instructions ARG."""
        options = [word for name, text in arguments.items() for word in ("--build-arg", f"{name}={text}")]
        options += [word for name, text in labels.items() for word in ("--label", f"{name}={text}")]
        self._run("build", [*options, "--file", dockerfile, "--tag", tag, context])

    def label(self, image: str, tag: str, labels: dict[str, str], work: str) -> None:
        """Make an image that differs from another one by its labels. work: an empty directory."""
        dockerfile = os.path.join(work, "Dockerfile")
        with open(dockerfile, "w", encoding="utf-8") as file:
            file.write(f"FROM {image}\n")
        self.build(tag, work, dockerfile, {}, labels)

    def run(self, name: str, image: str, command: list[str], source: str = "", target: str = "") -> str:
        """Run a command in an image, by its entry point; return its output.

        name: of the step. source: a directory that is copied to target in the container.
        """
        with self._container(image, command) as container:
            if source:
                self._run("cp", [source, f"{container}:{target}"])
            return self._run("start", ["--attach", container], name)

    def push(self, address: ImageAddress) -> None:
        """Send the image of this name to its registry, with the credentials that the engine's own login stored."""
        plain = ["--tls-verify=false"] if address.plain and self.program == "podman" else []
        self._run("push", [*plain, address.full])

    def remove(self, *images: str) -> None:
        """Forget names of images; what they are made from stays for other builds."""
        for image in images:
            with contextlib.suppress(BuildError):
                self._run("rmi", ["--force", "--no-prune", image])

    @contextmanager
    def _container(self, image: str, command: list[str]) -> Iterator[str]:
        name = f"hubfleet-{uuid.uuid4().hex[:12]}"
        self._run("create", ["--name", name, image, *command])
        try:
            yield name
        finally:
            with contextlib.suppress(BuildError):
                self._run("rm", ["--force", name])

    def _run(self, verb: str, arguments: list[str], name: str = "") -> str:
        step = name or f"{self.program} {verb}"
        return self._steps.run(step, [self.program, verb, *arguments], {**os.environ, **_SETTINGS})


def find_engine(steps: Steps) -> Engine:
    """Return the engine that works here. Raises BuildError where none does."""
    why = "neither is installed here"
    for program in _PROGRAMS:
        if shutil.which(program):
            problem = _problem(program)
            if not problem:
                return Engine(program, steps)
            why = f"{program} says: {problem}"
    raise BuildError(f"building {steps.name}: what its repository has needs podman or docker on the controller; {why}")


def _problem(program: str) -> str:
    """Return why an engine does not work, "" if it does."""
    try:
        done = subprocess.run(
            [program, "info"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = done.stderr.strip().splitlines()
    return "" if done.returncode == 0 else (lines[-1] if lines else f"exit {done.returncode}")[:300]
