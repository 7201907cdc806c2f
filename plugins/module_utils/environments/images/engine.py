# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container engine of the controller, podman or docker, for images that cannot be built without one."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from ..build.steps import BuildError, Steps
from .address import ImageAddress

#: In this order: podman needs no service that runs as root.
_PROGRAMS = ("podman", "docker")
#: Seconds for a question.
_TIMEOUT = 60
#: Of docker: builders that are not the default one leave no image that could be run, and attestations make it a list.
_SETTINGS = {"BUILDX_BUILDER": "default", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1", "DOCKER_CLI_HINTS": "false"}
#: The label of containers, and the place of images, that are of a build and not to be kept.
_LABEL, _PLACE = "hubfleet.build", "localhost/hubfleet-build"


class Engine:
    """A container engine. program: its name, and that of its command. Methods raise BuildError.

    steps: run its commands, and tell which one failed. identity: what containers and images of the build are known by.
    """

    def __init__(self, program: str, steps: Steps, identity: str):
        self.program = program
        self._steps = steps
        self._identity = identity
        #: The name of the image before it is pushed.
        self.image = f"{_PLACE}/{identity}"

    def build(self, context: str, dockerfile: str, arguments: dict[str, str], labels: dict[str, str]) -> None:
        """Build the image. context: the directory of its files. arguments: for the instructions ARG."""
        options = [word for name, text in arguments.items() for word in ("--build-arg", f"{name}={text}")]
        options += [word for name, text in labels.items() for word in ("--label", f"{name}={text}")]
        self._run("build", [*options, "--file", dockerfile, "--tag", self.image, context])

    def run(self, name: str, command: list[str], source: str = "", target: str = "") -> str:
        """Run a command in the image of the build, by its entry point; return its output.

        name: of the step. source: a directory that is copied to target in the container.
        """
        with self._container(command) as container:
            if source:
                self._run("cp", [source, f"{container}:{target}"])
            return self._run("start", ["--attach", container], name)

    def push(self, address: ImageAddress) -> None:
        """Send the image to its registry, with the credentials that the engine's own login stored."""
        plain = ["--tls-verify=false"] if address.plain and self.program == "podman" else []
        self._run("tag", [self.image, address.full])
        try:
            self._run("push", [*plain, address.full])
        finally:
            self._forget(address.full)

    def clean(self) -> None:
        """Remove the containers of the build, and forget its image; what that is made from stays for other builds."""
        self._remove_containers()
        self._forget(self.image)

    def _forget(self, image: str) -> None:
        with contextlib.suppress(BuildError):
            self._run("rmi", ["--no-prune", image])

    def _remove_containers(self) -> None:
        of_the_build = ["--filter", f"label={_LABEL}={self._identity}"]
        at_once = ["--time", "0"] if self.program == "podman" else []  # podman would wait for ten seconds
        with contextlib.suppress(BuildError):
            for container in self._run("ps", ["--all", "--quiet", *of_the_build]).split():
                self._run("rm", ["--force", *at_once, container])

    @contextmanager
    def _container(self, command: list[str]) -> Iterator[str]:
        name = f"hubfleet-{self._identity}"
        safe = ["--cap-drop=all", "--security-opt=no-new-privileges", "--log-driver=none"]
        self._run("create", ["--name", name, "--label", f"{_LABEL}={self._identity}", *safe, self.image, *command])
        try:
            yield name
        finally:
            self._remove_containers()

    def _run(self, verb: str, arguments: list[str], name: str = "") -> str:
        step = name or f"{self.program} {verb}"
        return self._steps.run(step, [self.program, verb, *arguments], {**os.environ, **_SETTINGS})


def find_engine(steps: Steps, identity: str) -> Engine:
    """Return the engine that works here; steps, identity: as in Engine. Raises BuildError where none does."""
    why = "neither is installed here"
    for program in _PROGRAMS:
        if shutil.which(program):
            problem = _problem(program)
            if not problem:
                return Engine(program, steps, identity)
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
