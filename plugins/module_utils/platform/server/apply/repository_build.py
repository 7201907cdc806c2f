# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build what a repository asks for into an environment: packages, postBuild, and tests that must pass.

All of it runs in a sandbox, since it may be anybody's code: setting up a package runs what is in it.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
import shutil
import tarfile

from ....common import files
from ....environments.recipe import Recipe, RepositoryError, examine
from ..desired.environments import Build
from .sandbox import Sandbox, kept_environment
from .steps import BuildError, Steps, Tools

#: Where the files of the repository lie in an environment.
SOURCE = "repository"
#: The program in an environment that its users' servers are started with, where one is needed.
START = "start"
_STARTED = "the server starts"
#: Run by the Python of an environment: starts its kernel, and lets it compute.
_TRY_KERNEL = """\
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3", startup_timeout=120)
reply = client.execute_interactive("print(6 * 7)", timeout=120, output_hook=lambda message: None)
client.stop_channels()
manager.shutdown_kernel(now=True)
raise SystemExit(reply["content"]["status"] != "ok")
"""
#: What tests run with; not part of the environment.
_TEST_PACKAGES = ("pytest", "nbmake")


class RepositoryBuild:
    """Completes an environment that has the packages of every environment already.

    target: its directory. work: a directory beside it for the time of the build.
    constraints: versions of packages that stay as they are (requirements).
    """

    def __init__(self, build: Build, steps: Steps, tools: Tools, target: str, work: str, constraints: str):
        self.build = build
        self.tools = tools
        self.target = target
        self.source = os.path.join(target, SOURCE)
        self.constraints = constraints
        self._steps = steps
        self._work = work
        self._inputs, self._test_packages, tmp, shm = (
            os.path.join(work, name) for name in ("inputs", "test-packages", "tmp", "shm")
        )
        prefix = os.path.dirname(os.path.dirname(build.python))
        readable = [tools.uv, self._inputs, *([] if prefix in ("/usr", "/usr/local") else [prefix])]
        readable += [tools.conda["tool"]] if tools.conda else []
        self._sandbox = Sandbox(tools.account, tmp, shm, (target, self._test_packages), tuple(readable))

    def run(self) -> str:
        """Build; return the packages of the environment, as uv lists them. Raises BuildError."""
        shutil.rmtree(self._work, ignore_errors=True)
        for directory in (self._inputs, self._sandbox.tmp, self._sandbox.shm, *self._sandbox.writable):
            os.makedirs(directory, exist_ok=True)
        try:
            recipe = self._unpack()
            self._sandbox.give()
            try:
                self.create(recipe)
                self._install(recipe)
                self._post_build(recipe)
                self._try(recipe)
                frozen = self.step("record", [self.tools.uv, "pip", "freeze", "--quiet"])
                self._test(recipe, frozen)
            finally:
                self._sandbox.take_back()
            activation, start = self.activation(), recipe.start and f"{self.source}/{recipe.start}"
            if activation or start:
                program = _program(self._variables(), activation, start)
                files.write(os.path.join(self.target, START), program.encode(), 0o755)
        finally:
            shutil.rmtree(self._work, ignore_errors=True)
        return frozen

    # --- what differs between kinds of environments -----------------------------------------------

    def create(self, recipe: Recipe) -> None:
        """Do what comes before the packages of the repository; may add constraints."""
        made_with = os.path.basename(os.path.dirname(glob.glob(f"{self.target}/lib/python3*/site-packages")[0]))
        if recipe.python and made_with != f"python{recipe.python}":
            raise BuildError(
                f"building {self.build.name}: runtime.txt asks for Python {recipe.python}, and environments of this"
                f" machine have {made_with[6:]}; set cluster_python, or change runtime.txt"
            )
        if recipe.uv_lock:
            export = [self.tools.uv, "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", "--no-hashes"]
            self.constrain(self.step("read uv.lock", [*export, "--no-header", "--no-annotate"]))

    def wanted(self, recipe: Recipe) -> list[str]:
        """Return the arguments of uv that name the packages of the repository."""
        wanted = ["--requirements", recipe.requirements] if recipe.requirements else []
        wanted += ["--requirements", recipe.dependencies] if recipe.dependencies else []
        return [*wanted, *([recipe.project] if recipe.project else [])]

    def activation(self) -> str:
        """Return lines of bash that set up what programs of the environment need, "" if they need nothing."""
        return ""

    # --- the steps --------------------------------------------------------------------------------

    def _unpack(self) -> Recipe:
        os.makedirs(self.source)
        try:
            with tarfile.open(self.tools.archive) as content:
                # Pythons before 3.11.4 and 3.10.12 cannot; the controller has looked at links already.
                safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
                content.extractall(self.source, **safe)  # type: ignore[arg-type]
            paths = [
                os.path.relpath(os.path.join(folder, name), self.source)
                for folder, _folders, names in os.walk(self.source)
                for name in names
            ]
            return examine(paths, self._text)
        except (OSError, tarfile.TarError, RepositoryError) as error:
            raise BuildError(f"building {self.build.name}: the repository cannot be used: it {error}") from None

    def _text(self, path: str) -> str:
        with open(os.path.join(self.source, path), encoding="utf-8", errors="replace") as file:
            return file.read()

    def _install(self, recipe: Recipe) -> None:
        wanted = self.wanted(recipe)
        if wanted:
            limits = ["--constraint", self.input("constraints.txt", self.constraints)]
            install = [self.tools.uv, "pip", "install", "--quiet", "--compile-bytecode", "--link-mode=copy"]
            self.step("install packages", [*install, *limits, *wanted])

    def _post_build(self, recipe: Recipe) -> None:
        if recipe.post_build:
            run = 'chmod +x "$1" && exec "$1"'
            self.step("postBuild", ["/bin/sh", "-c", run, "sh", f"./{recipe.post_build}"])

    def _try(self, recipe: Recipe) -> None:
        if recipe.start:
            run = 'chmod +x "$1" && exec "$@"'
            said = self.step("start", ["/bin/sh", "-c", run, "sh", f"./{recipe.start}", "echo", _STARTED])
            if _STARTED not in said:
                raise BuildError(f'building {self.build.name}: {recipe.start} does not end with: exec "$@"')
        python = f"{self.target}/bin/python"
        self.step("try", [python, "-I", "-c", f"import {', '.join(self.build.imports)}"])
        self.step("try the kernel", [python, "-I", "-c", _TRY_KERNEL])

    def _test(self, recipe: Recipe, frozen: str) -> None:
        if not recipe.tests:
            return
        packages, python = self._test_packages, f"{self.target}/bin/python"
        pins = self.input("installed.txt", _pins(frozen))
        install = [self.tools.uv, "pip", "install", "--quiet", "--link-mode=copy", "--constraint", pins]
        self.step("install pytest", [*install, "--target", packages, "--python", python, *_TEST_PACKAGES])
        test = [python, "-m", "pytest", "--quiet", "--nbmake", "-p", "no:cacheprovider", recipe.tests]
        # 5: there are no tests in the directory.
        self.step("tests", ["/bin/sh", "-c", '"$@" || test $? = 5', "sh", *test], {"PYTHONPATH": packages})

    # --- what steps are made of -------------------------------------------------------------------

    def step(self, name: str, command: list[str], environment: dict[str, str] | None = None) -> str:
        """Run a program in the sandbox, in the repository's directory; return its output. Raises BuildError."""
        activation = self.activation()
        if activation:
            command = ["/bin/bash", self.input("activate", _program({}, activation)), *command]
        variables = {
            **kept_environment(self.tools.index),
            "PATH": f"{self.target}/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": "/tmp",
            "UV_CACHE_DIR": "/tmp/uv",
            "VIRTUAL_ENV": self.target,
            **self._variables(),
            **(environment or {}),
        }
        return self._steps.run(name, self._sandbox.command(command, self.source), variables)

    def input(self, name: str, text: str) -> str:
        """Write a file that the sandbox can read and not change; return its path."""
        path = os.path.join(self._inputs, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        files.write(path, text.encode(), 0o644)
        return path

    def constrain(self, listed: str) -> None:
        """Keep the versions of packages as they are listed, but of those that are constrained already."""
        given = {package(line) for line in self.constraints.splitlines()}
        self.constraints += "".join(f"{line}\n" for line in _pins(listed).splitlines() if package(line) not in given)

    def _variables(self) -> dict[str, str]:
        """Return names that scripts written for repo2docker know."""
        return {"NB_PYTHON_PREFIX": self.target, "REPO_DIR": self.source}


def package(line: str) -> str:
    """Return the normalized name in ``name==version``."""
    return re.sub("[-_.]+", "-", line.partition("==")[0].strip().lower())


def _pins(listed: str) -> str:
    """Return the lines ``name==version`` of a list; others name files, which nothing can be constrained to."""
    return "".join(f"{line}\n" for line in listed.splitlines() if re.match(r"[A-Za-z0-9][^ ]*==", line))


def _program(variables: dict[str, str], activation: str, start: str = "") -> str:
    """Return a program that runs a command with variables and activation set, through the program start."""
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    path = f'export PATH={shlex.quote(variables["NB_PYTHON_PREFIX"] + "/bin")}:"$PATH"\n' if variables else ""
    return f'#!/bin/bash\n{exports}{path}{activation}exec {shlex.quote(start) + " " if start else ""}"$@"\n'
