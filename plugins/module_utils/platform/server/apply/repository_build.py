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
from .sandbox import Sandbox, kept_environment
from .steps import BuildError, Steps, Tools

#: Where the files of the repository lie in an environment.
SOURCE = "repository"
#: The program in an environment that its users' servers are started with, if its repository has one.
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
    python: the interpreter that the environment was made from.
    """

    def __init__(self, steps: Steps, tools: Tools, python: str, target: str, work: str):
        self.steps = steps
        self.tools = tools
        self.target = target
        self.source = os.path.join(target, SOURCE)
        self._work = work
        self._inputs, self._test_packages, tmp, shm = (
            os.path.join(work, name) for name in ("inputs", "test-packages", "tmp", "shm")
        )
        prefix = os.path.dirname(os.path.dirname(python))
        readable = (tools.uv, self._inputs, *((prefix,) if prefix not in ("/usr", "/usr/local") else ()))
        self._sandbox = Sandbox(tools.account, tmp, shm, (target, self._test_packages), readable)

    def run(self, constraints: str, imports: tuple[str, ...]) -> str:
        """Build; return the packages of the environment, as uv lists them. Raises BuildError.

        constraints: versions that stay as they are. imports: modules that must be importable in the end.
        """
        shutil.rmtree(self._work, ignore_errors=True)
        for directory in (self._inputs, self._sandbox.tmp, self._sandbox.shm, *self._sandbox.writable):
            os.makedirs(directory, exist_ok=True)
        try:
            recipe = self._unpack()
            self._sandbox.give()
            try:
                self._install(recipe, constraints)
                self._post_build(recipe)
                self._try(recipe, imports)
                frozen = self._step("record", [self.tools.uv, "pip", "freeze", "--quiet"])
                self._test(recipe, frozen)
            finally:
                self._sandbox.take_back()
            if recipe.start:
                files.write(os.path.join(self.target, START), self._start_program(recipe).encode(), 0o755)
        finally:
            shutil.rmtree(self._work, ignore_errors=True)
        return frozen

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
            recipe = examine(paths, self._text)
        except (OSError, tarfile.TarError, RepositoryError) as error:
            raise BuildError(f"building {self.steps.name}: the repository cannot be used: it {error}") from None
        made_with = os.path.basename(os.path.dirname(glob.glob(f"{self.target}/lib/python3*/site-packages")[0]))
        if recipe.python and made_with != f"python{recipe.python}":
            raise BuildError(
                f"building {self.steps.name}: runtime.txt asks for Python {recipe.python}, and environments of this"
                f" machine have {made_with[6:]}; set cluster_python, or change runtime.txt"
            )
        return recipe

    def _text(self, path: str) -> str:
        with open(os.path.join(self.source, path), encoding="utf-8", errors="replace") as file:
            return file.read()

    def _install(self, recipe: Recipe, constraints: str) -> None:
        wanted = ["--requirements", recipe.requirements] if recipe.requirements else []
        wanted += ["--requirements", recipe.dependencies] if recipe.dependencies else []
        wanted += [recipe.project] if recipe.project else []
        if not wanted:
            return
        if recipe.uv_lock:
            constraints += self._locked(constraints)
        path = self._input("constraints.txt", constraints)
        install = [self.tools.uv, "pip", "install", "--quiet", "--compile-bytecode", "--link-mode=copy"]
        self._step("install packages", [*install, "--constraint", path, *wanted])

    def _locked(self, constraints: str) -> str:
        """Return the versions in the project's uv.lock, but for packages that have theirs already."""
        export = [self.tools.uv, "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", "--no-hashes"]
        listed = self._step("read uv.lock", [*export, "--no-header", "--no-annotate"])
        given = {_package(line) for line in constraints.splitlines()}
        lines = [line for line in listed.splitlines() if re.match(r"[A-Za-z0-9]", line)]
        return "".join(f"{line}\n" for line in lines if "==" in line and _package(line) not in given)

    def _post_build(self, recipe: Recipe) -> None:
        if recipe.post_build:
            run = 'chmod +x "$1" && exec "$1"'
            self._step("postBuild", ["/bin/sh", "-c", run, "sh", f"./{recipe.post_build}"])

    def _start_program(self, recipe: Recipe) -> str:
        """Return the program that spawners put in front of a server's command: the variables of scripts, and start."""
        target, source = shlex.quote(self.target), shlex.quote(self.source)
        variables = f'export NB_PYTHON_PREFIX={target} REPO_DIR={source} PATH={target}/bin:"$PATH"'
        return f'#!/bin/sh\n{variables}\nexec {source}/{recipe.start} "$@"\n'

    def _try(self, recipe: Recipe, imports: tuple[str, ...]) -> None:
        if recipe.start:
            run = 'chmod +x "$1" && exec "$@"'
            command = ["/bin/sh", "-c", run, "sh", f"./{recipe.start}", "echo", _STARTED]
            if _STARTED not in self._step("start", command):
                raise BuildError(f'building {self.steps.name}: {recipe.start} does not end with: exec "$@"')
        python = f"{self.target}/bin/python"
        self._step("try", [python, "-I", "-c", f"import {', '.join(imports)}"])
        self._step("try the kernel", [python, "-I", "-c", _TRY_KERNEL])

    def _test(self, recipe: Recipe, frozen: str) -> None:
        if not recipe.tests:
            return
        packages, python = self._test_packages, f"{self.target}/bin/python"
        pins = self._input("installed.txt", "".join(f"{line}\n" for line in frozen.splitlines() if "==" in line))
        install = [
            self.tools.uv,
            "pip",
            "install",
            "--quiet",
            "--link-mode=copy",
            "--target",
            packages,
            "--python",
            python,
        ]
        self._step("install pytest", [*install, "--constraint", pins, *_TEST_PACKAGES])
        test = [python, "-m", "pytest", "--quiet", "--nbmake", "-p", "no:cacheprovider", recipe.tests]
        # 5: there are no tests in the directory.
        self._step("tests", ["/bin/sh", "-c", '"$@" || test $? = 5', "sh", *test], {"PYTHONPATH": packages})

    def _step(self, name: str, command: list[str], environment: dict[str, str] | None = None) -> str:
        variables = {
            **kept_environment(self.tools.index),
            "PATH": f"{self.target}/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": "/tmp",
            "UV_CACHE_DIR": "/tmp/uv",
            "VIRTUAL_ENV": self.target,
            # Names that scripts written for repo2docker know.
            "NB_PYTHON_PREFIX": self.target,
            "REPO_DIR": self.source,
            **(environment or {}),
        }
        return self.steps.run(name, self._sandbox.command(command, self.source), variables)

    def _input(self, name: str, text: str) -> str:
        """Write a file that the sandbox can read and not change; return its path."""
        path = os.path.join(self._inputs, name)
        files.write(path, text.encode(), 0o644)
        return path


def _package(line: str) -> str:
    """Return the normalized name in ``name==version``."""
    return re.sub("[-_.]+", "-", line.partition("==")[0].strip().lower())
