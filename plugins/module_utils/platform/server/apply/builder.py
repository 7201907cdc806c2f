# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build environments and tools on a machine; desired/environments.py says which.

Uses uv for Python and npm for the proxy. A directory is complete once it contains the file COMPLETE; one without it is
left from an interrupted build, and built again.
"""

from __future__ import annotations

import fcntl
import glob
import json
import os
import re
import shutil
import subprocess
from typing import Any

from ....common import files
from ....environments.build.conda_build import CondaBuild
from ....environments.build.constraints import constraints_of, package
from ....environments.build.environment_build import WORK, EnvironmentBuild
from ....environments.build.model import COMPLETE, Build
from ....environments.build.sandbox import remove_tree
from ....environments.build.space import require_space
from ....environments.build.steps import BuildError, Steps
from ....environments.build.tools import Tools
from ..layout import Layout

#: Lock file of an environment; uv lets everybody write it.
UV_LOCK, LOCK_MODE = ".lock", 0o644


class Builder:
    """Build one directory."""

    def __init__(self, build: Build, layout: Layout, tools: Tools):
        self.build = build
        self.tools = tools
        self.folder = os.path.join(layout.root, build.folder)
        self.target = os.path.join(self.folder, build.directory)
        self._steps = Steps(build.name)
        self._lock = -1

    @property
    def seconds(self) -> dict[str, float]:
        """The duration of each step."""
        return self._steps.seconds

    def is_complete(self) -> bool:
        """Return whether the directory exists and is complete."""
        return os.path.exists(os.path.join(self.target, COMPLETE))

    def is_current(self) -> bool:
        """Return whether :meth:`run` would change nothing."""
        return self.is_complete() and self._is_linked()

    def run(self) -> bool:
        """Build the directory if it is missing; return whether anything changed. Raises BuildError."""
        os.umask(0o022)
        os.makedirs(self.folder, exist_ok=True)
        with open(os.path.join(self.folder, f".{self.build.name}.lock"), "a", encoding="utf-8") as lock:
            # Concurrent deploys wait for each other instead of building in the same directory. Programs inherit this
            # kind of lock: those of a deploy that was killed may go on for a moment.
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._lock = lock.fileno()
            built = not self.is_complete()
            if built:
                remove_tree(self.target)
                if self.build.tree:  # the others share their files with uv's cache
                    require_space(self.build.name, self.folder)
                try:
                    {"python": self._python, "conda": self._conda, "npm": self._npm}[self.build.kind]()
                except BaseException:
                    shutil.rmtree(self.target, ignore_errors=True)
                    raise
                files.write(os.path.join(self.target, COMPLETE), json.dumps(self.seconds).encode(), 0o644)
            return self._link() or built

    def _python(self) -> None:
        build, environment = self.build, {"VIRTUAL_ENV": self.target}
        self._step(
            "create",
            [
                self.tools.uv,
                "venv",
                "--quiet",
                "--no-project",
                "--python",
                build.python,
                self.target,
            ],
        )
        lock = self._write("requirements.lock", build.lock)
        # Users cannot write .pyc files into an environment, so that every start would compile again. Each step compiles
        # what it installs, and nothing else.
        install = [self.tools.uv, "pip", "install", "--quiet", "--compile-bytecode"]
        if build.tree:
            # What a repository brings along may write to the environment, and so to uv's cache through hard links.
            install.append("--link-mode=copy")
        self._step("install", [*install, "--require-hashes", "--requirements", lock], environment)
        if not build.tree and (build.requirements or build.added):
            pins = self._write("constraints.txt", self._constraints())
            wanted = self._write("requirements.txt", build.requirements, 0o600)
            command = [*install, "--constraints", pins, "--requirements", wanted]
            if build.added:
                command += ["--requirements", self._write("added.txt", build.added)]
            self._step("install packages", command, environment)
        for path, text in build.files.items():
            self._write(path, text)
        for path, text in build.modules.items():
            self._write(os.path.join(self._site_packages(), path), text)
        for path, target in build.links.items():
            self._link_into_packages(path, target)
        if build.tree:
            self._repository(EnvironmentBuild)
            return
        if build.imports:
            self._step(
                "try",
                [f"{self.target}/bin/python", "-I", "-c", f"import {', '.join(build.imports)}"],
            )
        frozen = self._step("record", [self.tools.uv, "pip", "freeze", "--quiet"], environment)
        self._write("lock.txt", frozen, 0o600)
        if os.path.exists(os.path.join(self.target, UV_LOCK)):
            os.chmod(os.path.join(self.target, UV_LOCK), LOCK_MODE)

    def _conda(self) -> None:
        self._repository(CondaBuild)

    def _repository(self, kind: type[EnvironmentBuild]) -> None:
        work = os.path.join(self.folder, f"{WORK}{self.build.name}")
        if not self.tools.archive:
            raise BuildError(f"building {self.build.name}: the files of its repository are missing; deploy again")
        kind(self.build, self._steps, self.tools, self.target, work, self._constraints()).run()

    def _constraints(self) -> str:
        """Return the versions that further packages may not change."""
        return constraints_of(self.build.lock) + self._restored_pins()

    def _restored_pins(self) -> str:
        """Return the versions of this environment in the backup that was restored on this machine, if any."""
        text = (files.read(f"{self.target}.pins") or b"").decode()
        locked = {package(line) for line in constraints_of(self.build.lock).splitlines()}
        lines = [line for line in text.splitlines() if re.match(r"[-A-Za-z0-9._]+==\S+$", line)]
        return "".join(f"{line}\n" for line in lines if package(line) not in locked)

    def _npm(self) -> None:
        for path, text in self.build.files.items():
            self._write(path, text)
        command = [
            *self.tools.npm,
            "ci",
            "--omit=dev",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]
        # npm is a script that looks for node on PATH.
        path = f"{os.path.dirname(self.tools.npm[0])}:{os.environ.get('PATH', '')}"
        self._step("install", command, {"PATH": path}, directory=self.target)

    def _step(
        self,
        name: str,
        command: list[str],
        environment: dict[str, str] | None = None,
        directory: str = "/",
    ) -> str:
        """Run a step; return its output."""
        variables = {**os.environ, **self._settings(), **(environment or {})}
        return self._steps.run(name, command, variables, directory, (self._lock,))

    def _settings(self) -> dict[str, str]:
        """Return environment variables of uv and npm; command lines would show passwords in addresses."""
        settings = {"UV_SYSTEM_CERTS": "true", "UV_NO_PROGRESS": "1"}
        if self.tools.index:
            settings["UV_DEFAULT_INDEX"] = self.tools.index
        if self.tools.registry:
            settings["npm_config_registry"] = self.tools.registry
        return settings

    def _write(self, path: str, text: str, mode: int = 0o644) -> str:
        full = os.path.join(self.target, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        files.write(full, text.encode(), mode)
        return full

    def _site_packages(self) -> str:
        return glob.glob(os.path.join(self.target, "lib", "python3*", "site-packages"))[0]

    def _link_into_packages(self, path: str, target: str) -> None:
        link = os.path.join(self.target, path)
        os.symlink(os.path.relpath(os.path.join(self._site_packages(), target), os.path.dirname(link)), link)

    def _is_linked(self) -> bool:
        """Return whether NAME links to this build, if it should."""
        link = os.path.join(self.folder, self.build.name)
        return not self.build.link or (os.path.islink(link) and os.readlink(link) == self.build.directory)

    def _link(self) -> bool:
        """Link NAME to this build, atomically; return whether anything changed."""
        if self._is_linked():
            return False
        link = os.path.join(self.folder, self.build.name)
        temporary = f"{link}.new"
        if os.path.lexists(temporary):
            os.unlink(temporary)
        os.symlink(self.build.directory, temporary)
        os.replace(temporary, link)
        return True


def has_program(path: str) -> bool:
    """Return whether a program exists; it is installed atomically, so it is complete."""
    return os.access(path, os.X_OK)


def install_program(source: str, path: str) -> None:
    """Copy a program atomically, executable by all accounts. Raises BuildError if it does not run on this machine."""
    os.umask(0o022)
    temporary = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copyfile(source, temporary)
        os.chmod(temporary, 0o755)
        done = subprocess.run([temporary, "--version"], capture_output=True, timeout=60, check=False)
        if done.returncode:
            raise BuildError(f"{os.path.basename(path)} does not run on this machine (exit {done.returncode})")
        os.replace(temporary, path)
    except (OSError, subprocess.SubprocessError) as error:
        raise BuildError(f"{os.path.basename(path)} cannot be installed on this machine: {error}") from None
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def from_dict(values: dict[str, Any]) -> Build:
    """Return the build from the arguments of a module."""
    return Build(**{**values, "imports": tuple(values.get("imports", ()))})
