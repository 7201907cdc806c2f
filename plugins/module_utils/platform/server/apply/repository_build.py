# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build what a repository asks for into an environment: packages, postBuild, and tests that must pass.

All of it runs in a sandbox, since it may be anybody's code: setting up a package runs what is in it. Meanwhile the
environment lies in a directory of the build that others cannot pass, and moves to its place when all is done.
"""

from __future__ import annotations

import glob
import os
import shlex
import tarfile
from dataclasses import replace

from ....common import files
from ....environments.configuration_files import ConfigurationFiles, ContentError, find_configuration_files
from ..desired.environments import COMPLETE, Build
from .constraints import added, constraints_of, versions_by_package, versions_of
from .sandbox import Sandbox, SandboxError, kept_environment, leave_keys, remove_tree
from .steps import BuildError, Steps
from .tools import Tools

#: Where the files of the repository lie in an environment.
SOURCE = "repository"
#: The program in an environment that its users' servers are started with.
START = "start"
#: How the names of directories begin that exist for the time of a build.
WORK = ".work-"
_SETTINGS = "pyvenv.cfg"
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
#: Where tests run: they cannot change the environment, nor its files of the repository.
_TEST_SOURCE = "/tmp/repository"


class RepositoryBuild:
    """Completes an environment that has the packages of every environment already.

    target: its directory. work: a directory beside it for the time of the build.
    constraints: versions of packages that stay as they are (requirements).
    """

    def __init__(self, build: Build, steps: Steps, tools: Tools, target: str, work: str, constraints: str):
        self.build = build
        self.tools = tools
        self.target = target
        #: Where the environment lies while it is built; programs in the sandbox see it as ``target``.
        self.place = os.path.join(work, "environment")
        self.source = os.path.join(target, SOURCE)
        self.constraints = constraints
        self._steps = steps
        self._work = work
        self._inputs, packages, tmp, shm = (
            os.path.join(work, name) for name in ("inputs", "test-packages", "tmp", "shm")
        )
        self._test_packages = packages
        prefix = os.path.dirname(os.path.dirname(build.python))
        readable = [tools.uv, self._inputs, *([] if prefix in ("/usr", "/usr/local") else [prefix])]
        readable += [tools.rattler] if tools.rattler else []
        writable = {target: self.place, packages: packages}
        self._sandbox = Sandbox(tools.account, tmp, shm, writable, {path: path for path in readable})

    def run(self) -> None:
        """Build the environment, and put it into its place. Raises BuildError."""
        remove_tree(self._work)
        os.makedirs(self._work, mode=0o700)
        try:
            for directory in (self._inputs, self._test_packages, self._sandbox.tmp, self._sandbox.shm):
                os.mkdir(directory)
            if os.path.isdir(self.target):
                os.rename(self.target, self.place)
            else:
                os.mkdir(self.place)
            configuration = self._unpack()
            settings = self.settings()
            self._sandbox.change_owner()
            self.prepare(configuration)
            self._install(configuration)
            self._post_build(configuration)
            self._try(configuration)
            lists = self.lists()
            self._check_versions(lists["lock.txt"])
            self._test(configuration, lists["lock.txt"])
            self._sandbox.restore_owner()
            self._write_own({_SETTINGS: settings, **lists}, configuration)
            os.rename(self.place, self.target)
        except SandboxError as error:
            raise BuildError(f"building {self.build.name}: {error}") from None
        finally:
            remove_tree(self._work)

    # --- what differs between kinds of environments -----------------------------------------------

    def settings(self) -> str:
        """Return the pyvenv.cfg of the environment; its directories are shown to users' servers."""
        with open(os.path.join(self.place, _SETTINGS), encoding="utf-8") as file:
            return file.read()

    def prepare(self, configuration: ConfigurationFiles) -> None:
        """Do what comes before the packages of the repository; may add constraints."""
        packages = glob.glob(f"{self.place}/lib/python3*/site-packages")[0]
        version = os.path.basename(os.path.dirname(packages)).removeprefix("python")
        if configuration.python and configuration.python != version:
            raise BuildError(
                f"building {self.build.name}: runtime.txt asks for Python {configuration.python}, and environments of"
                f" this machine have {version}; set cluster_python, or change runtime.txt"
            )
        if configuration.uv_lock:
            export = [self.tools.uv, "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", "--no-hashes"]
            listed = self.step("read uv.lock", [*export, "--no-header", "--no-annotate"])
            self.constraints = added(self.constraints, versions_of(listed))

    def wanted(self, configuration: ConfigurationFiles) -> tuple[list[str], str]:
        """Return the arguments of uv that name the packages of the repository, and the directory that they are for."""
        named = [name for name in (configuration.requirements, configuration.dependencies) if name]
        arguments = [word for name in named for word in ("--requirements", name)]
        return [*arguments, *([configuration.project] if configuration.project else [])], self.source

    def activation(self) -> str:
        """Return lines of bash that set up what programs of the environment need, "" if they need nothing."""
        return ""

    def lists(self) -> dict[str, str]:
        """Return the lists of what is installed: file name -> text; lock.txt is what uv lists."""
        return {"lock.txt": self.step("record", [self.tools.uv, "pip", "freeze", "--quiet"])}

    # --- the steps --------------------------------------------------------------------------------

    def _unpack(self) -> ConfigurationFiles:
        source = os.path.join(self.place, SOURCE)
        os.makedirs(source)
        try:
            with tarfile.open(self.tools.archive) as content:
                # Pythons before 3.11.4 and 3.10.12 cannot filter; the controller has looked at links already.
                safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
                content.extractall(source, **safe)  # type: ignore[arg-type]
            paths = [
                os.path.relpath(os.path.join(folder, name), source)
                for folder, _folders, names in os.walk(source)
                for name in names
            ]
            found = find_configuration_files(paths, self._text)
            for path in (found.post_build, found.start):
                if path and self._text(path).partition("\n")[0].endswith("\r"):
                    raise ContentError(f"has {path} with the line ends of Windows; they must be those of Unix")
            return found
        except ContentError as error:
            raise BuildError(f"building {self.build.name}: its repository {error}") from None
        except (OSError, tarfile.TarError) as error:
            raise BuildError(f"building {self.build.name}: its files cannot be unpacked: {error}") from None

    def _text(self, path: str) -> str:
        with open(os.path.join(self.place, SOURCE, path), encoding="utf-8", errors="replace", newline="") as file:
            return file.read()

    def _install(self, configuration: ConfigurationFiles) -> None:
        arguments, directory = self.wanted(configuration)
        if arguments:
            limits = ["--constraints", self.input("constraints.txt", self.constraints)]
            install = [self.tools.uv, "pip", "install", "--quiet", "--compile-bytecode", "--link-mode=copy"]
            self.step("install packages", [*install, *limits, *arguments], directory=directory)

    def _post_build(self, configuration: ConfigurationFiles) -> None:
        if configuration.post_build:
            run = 'chmod +x "$1" && exec "$1"'
            self.step("postBuild", ["/bin/sh", "-c", run, "sh", f"./{configuration.post_build}"])

    def _try(self, configuration: ConfigurationFiles) -> None:
        if configuration.start:
            start = f"{self.source}/{configuration.start}"
            self.step("prepare start", ["chmod", "+x", start])
            if _STARTED not in self.step("start", [start, "echo", _STARTED], directory="/tmp", sandbox=self._as_user()):
                raise BuildError(f'building {self.build.name}: {configuration.start} does not end with: exec "$@"')
        python = f"{self.target}/bin/python"
        self.step("try", [python, "-I", "-c", f"import {', '.join(self.build.imports)}"])
        self.step("try the kernel", [python, "-I", "-c", _TRY_KERNEL])

    def _as_user(self) -> Sandbox:
        """Return a sandbox that is as for users: they cannot change the environment, and have homes of their own."""
        home = os.path.join(self._work, "home")
        os.mkdir(home)
        readable = {**self._sandbox.readable, self.target: self.place}
        sandbox = replace(self._sandbox, tmp=home, writable={}, readable=readable)
        sandbox.change_owner()
        return sandbox

    def _check_versions(self, frozen: str) -> None:
        """Refuse other versions of what the hub sets; a postBuild may have installed them."""
        allowed, installed = versions_by_package(constraints_of(self.build.lock)), versions_by_package(frozen)
        for name in sorted(allowed.keys() & installed.keys()):
            if not installed[name] <= allowed[name]:
                raise BuildError(
                    f"building {self.build.name}: its repository installs {name} {min(installed[name])}, and the hub"
                    f" needs {' or '.join(sorted(allowed[name]))}"
                )

    def _test(self, configuration: ConfigurationFiles, frozen: str) -> None:
        if not configuration.tests:
            return
        packages, python = self._test_packages, f"{self.target}/bin/python"
        pins = self.input("installed.txt", versions_of(frozen))
        install = [self.tools.uv, "pip", "install", "--quiet", "--link-mode=copy", "--constraints", pins]
        self.step("install pytest", [*install, "--target", packages, "--python", python, *_TEST_PACKAGES])
        self.step("copy files for the tests", ["cp", "--recursive", "--no-dereference", self.source, _TEST_SOURCE])
        readable = {**self._sandbox.readable, self.target: self.place}
        sandbox = replace(self._sandbox, writable={packages: packages}, readable=readable)
        test = [python, "-m", "pytest", "--quiet", "--nbmake", "-p", "no:cacheprovider", configuration.tests]
        self.step(
            "tests",
            # 5: there are no tests in the directory.
            ["/bin/sh", "-c", '"$@" || test $? = 5', "sh", *test],
            {"PYTHONPATH": packages, "REPO_DIR": _TEST_SOURCE},
            _TEST_SOURCE,
            sandbox,
        )

    def _write_own(self, texts: dict[str, str], configuration: ConfigurationFiles) -> None:
        """Write the collection's files at the top of the environment, in place of what the repository may have left."""
        start = f"{self.source}/{configuration.start}" if configuration.start else ""
        programs = {START: _program(self._variables(), self.activation(), start)}
        modes = {**dict.fromkeys(texts, 0o600), _SETTINGS: 0o644, START: 0o755}
        for name in (*modes, COMPLETE):
            remove_tree(os.path.join(self.place, name))
        for name, text in {**texts, **programs}.items():
            files.write(os.path.join(self.place, name), text.encode(), modes[name])

    # --- what steps are made of -------------------------------------------------------------------

    def step(
        self,
        name: str,
        command: list[str],
        environment: dict[str, str] | None = None,
        directory: str = "",
        sandbox: Sandbox | None = None,
    ) -> str:
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
        sandboxed = (sandbox or self._sandbox).command(command, directory or self.source)
        return self._steps.run(name, sandboxed, variables, prepare=leave_keys)

    def input(self, name: str, text: str) -> str:
        """Write a file that the sandbox can read and not change; return its path."""
        path = os.path.join(self._inputs, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        files.write(path, text.encode(), 0o644)
        return path

    def _variables(self) -> dict[str, str]:
        """Return names that scripts written for repo2docker know."""
        return {"NB_PYTHON_PREFIX": self.target, "REPO_DIR": self.source}


def _program(variables: dict[str, str], activation: str, start: str = "") -> str:
    """Return a program that runs a command with variables and activation set, through the program start."""
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    path = f'export PATH={shlex.quote(variables["NB_PYTHON_PREFIX"] + "/bin")}:"$PATH"\n' if variables else ""
    return f'#!/bin/bash\n{exports}{path}{activation}exec {shlex.quote(start) + " " if start else ""}"$@"\n'
