# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build an environment in a sandbox: packages, and what a repository asks for, with tests that must pass.

All of it runs in a sandbox, since it may be anybody's code: setting up a package runs what is in it. Meanwhile the
environment lies in a directory of the build that others cannot pass, and moves to its place when all is done.
"""

from __future__ import annotations

import glob
import os
import shlex
import tarfile
from dataclasses import replace

from ...common import files
from ..configuration_files import ConfigurationFiles, ContentError, find_configuration_files
from .constraints import added, constraints_of, versions_by_package, versions_of
from .model import COMPLETE, Build
from .sandbox import (
    INSIDE,
    Sandbox,
    SandboxError,
    kept_environment,
    remove_tree,
    variables_in_image,
)
from .steps import BuildError, Steps
from .tools import Tools

#: Where the files of the repository lie in an environment.
SOURCE = "repository"
#: The program in an environment that its users' servers are started with.
START = "start"
#: How the names of directories begin that exist for the time of a build.
WORK = ".work-"
_SETTINGS = "pyvenv.cfg"
#: Options of compileall for byte code that does not depend on the times of files, which layers of images lose.
BYTE_CODE = ("--invalidation-mode", "unchecked-hash")
#: In the sandbox: files of the build, packages for tests alone, uv's cache, and a directory that is always there.
_INPUTS, _PACKAGES, _CACHE, _ANYWHERE = f"{INSIDE}/inputs", f"{INSIDE}/test-packages", f"{INSIDE}/cache", "/tmp"
_STARTED = "the server starts"
#: Removes when projects were installed, which uv records, and which would make each image another one.
_REMOVE_TIMES = """\
for file in "$PLACE"/*.dist-info/uv_cache.json; do
  test -e "$file" || continue
  rm "$file" && sed -i /uv_cache.json/d "${file%/*}/RECORD"
done
"""
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


class EnvironmentBuild:
    """Builds an environment; on a machine, what every environment has is in its directory already.

    target: its directory, as programs see it. work: a directory for the time of the build.
    constraints: versions of packages that stay as they are (requirements).
    destination: where the environment ends up, if not in target: what becomes an image has its path there.
    """

    def __init__(
        self,
        build: Build,
        steps: Steps,
        tools: Tools,
        target: str,
        work: str,
        constraints: str,
        destination: str = "",
    ):
        self.build = build
        self.tools = tools
        self.target = target
        #: Where the environment lies while it is built; programs in the sandbox see it as ``target``.
        self.place = os.path.join(work, "environment")
        self.source = os.path.join(target, SOURCE)
        self.constraints = constraints
        #: The program of uv, as steps see it.
        self.uv = f"{INSIDE}/uv"
        self._destination = destination or target
        self._steps = steps
        self._work = work
        self._inputs, self._packages, tmp, shm = (
            os.path.join(work, name) for name in ("inputs", "test-packages", "tmp", "shm")
        )
        readable = {self.uv: tools.uv, _INPUTS: self._inputs}
        readable |= _readable_prefix(build.python)
        writable = {target: self.place, _PACKAGES: self._packages}
        self._sandbox = Sandbox(tools.account, tmp, shm, writable, readable, tools.root)

    def run(self) -> None:
        """Build the environment, and put it into its place. Raises BuildError."""
        remove_tree(self._work)
        os.makedirs(self._work, mode=0o700)
        try:
            for directory in (self._inputs, self._packages, self._sandbox.tmp, self._sandbox.shm):
                os.mkdir(directory)
            if os.path.isdir(self._destination):
                os.rename(self._destination, self.place)
            else:
                os.mkdir(self.place)
            configuration = self._unpack() if self.build.tree else ConfigurationFiles()
            settings = self.settings()
            self._sandbox.change_owner()
            self.prepare(configuration)
            settings = settings or self.settings()
            self._install(configuration)
            self._post_build(configuration)
            self._try(configuration)
            lists = self.lists()
            self._check_versions(lists["lock.txt"])
            self._test(configuration, lists["lock.txt"])
            if self.tools.root:
                places = {"PLACE": os.path.join(self.target, self._site_packages())}
                self.step("remove times", ["/bin/sh", "-c", _REMOVE_TIMES], places, _ANYWHERE)
            self._sandbox.restore_owner()
            self._write_own({_SETTINGS: settings, **lists}, configuration)
            os.rename(self.place, self._destination)
        except SandboxError as error:
            raise BuildError(f"building {self.build.name}: {error}") from None
        finally:
            remove_tree(self._work)

    # --- what differs between kinds of environments -----------------------------------------------

    def settings(self) -> str:
        """Return the pyvenv.cfg of the environment, "" if there is none yet; users' servers see its directories."""
        return (files.read(os.path.join(self.place, _SETTINGS)) or b"").decode()

    def prepare(self, configuration: ConfigurationFiles) -> None:
        """Do what comes before the packages of the repository; may add constraints."""
        if not self.settings():
            self._install_base()
        version = os.path.basename(os.path.dirname(self._site_packages())).removeprefix("python")
        if configuration.python and configuration.python != version:
            raise BuildError(
                f"building {self.build.name}: runtime.txt asks for Python {configuration.python}, and environments"
                f" {self._python_is_from} {version}; change runtime.txt, or set {self._python_is_set_by}"
            )
        if configuration.uv_lock:
            export = [self.uv, "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", "--no-hashes"]
            listed = self.step("read uv.lock", [*export, "--no-header", "--no-annotate"])
            self.constraints = added(self.constraints, versions_of(listed))

    def wanted(self, configuration: ConfigurationFiles) -> tuple[list[str], str]:
        """Return the arguments of uv that name the packages to add, and the directory that they are for."""
        if not self.build.tree:
            wanted = self.build.requirements
            return ["--requirements", self.input("requirements.txt", wanted)] if wanted else [], _ANYWHERE
        named = [name for name in (configuration.requirements, configuration.dependencies) if name]
        arguments = [word for name in named for word in ("--requirements", name)]
        return [*arguments, *([configuration.project] if configuration.project else [])], self.source

    def activation(self) -> str:
        """Return lines of bash that set up what programs of the environment need, "" if they need nothing."""
        return ""

    def lists(self) -> dict[str, str]:
        """Return the lists of what is installed: file name -> text; lock.txt is what uv lists."""
        return {"lock.txt": self.step("record", [self.uv, "pip", "freeze", "--quiet"])}

    def python(self) -> str:
        """Return the Python that the environment is made with, as steps see it; in an image, the first of its PATH."""
        if not self.tools.root:
            return self.build.python
        find = "command -v python3 || command -v python || { echo it has no Python; exit 1; }"
        found = self.step("look for Python", ["/bin/sh", "-c", find], {"PATH": self.tools.path}).strip()
        return found.splitlines()[-1]

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

    def _install_base(self) -> None:
        """Install what every environment has."""
        python = self.python()
        self.step(
            "create", [self.uv, "venv", "--quiet", "--no-project", "--allow-existing", "--python", python, self.target]
        )
        self.install_lock()
        self.copy_own_files()

    def install_lock(self, shared: bool = True) -> None:
        """Install JupyterLab, JupyterHub and what they need. shared: no code of others can run meanwhile."""
        lock = self.input("requirements.lock", self.build.lock)
        arguments = ["--require-hashes", "--requirements", lock]
        if not shared or not self.tools.cache:
            self._pip_install("install", arguments)
            return
        # What others share is only written while no code but uv's runs: wheels are unpacked.
        self._sandbox.share(self.tools.cache)
        sandbox = replace(self._sandbox, writable={**self._sandbox.writable, _CACHE: self.tools.cache})
        self._pip_install("install", [*arguments, "--only-binary=:all:"], _ANYWHERE, {"UV_CACHE_DIR": _CACHE}, sandbox)

    def copy_own_files(self) -> None:
        """Copy the collection's files into the environment; in the sandbox, so that no link leads anywhere else."""
        modules = {os.path.join(self._site_packages(), path): text for path, text in self.build.modules.items()}
        for path, text in {**self.build.files, **modules}.items():
            self.input(os.path.join("own", path), text)
        copy = ["cp", "--recursive", "--no-target-directory", f"{_INPUTS}/own", self.target]
        self.step("copy files", copy, directory=_ANYWHERE)

    def _site_packages(self) -> str:
        """Return where packages are in the environment, from its directory."""
        found = glob.glob(f"{glob.escape(self.place)}/lib/python3*/site-packages")
        if len(found) != 1:
            what = f"lib has {len(found)} directories of packages, and one is needed"
            raise BuildError(f"building {self.build.name}: {what}")
        return os.path.relpath(found[0], self.place)

    def _compile_own_files(self) -> None:
        """Compile the collection's files, as uv does those of packages; users cannot write byte code."""
        folders = {os.path.dirname(path) for path in self.build.modules if path.endswith(".py")}
        places = [os.path.join(self.target, self._site_packages(), folder) for folder in sorted(folders)]
        compile_all = [f"{self.target}/bin/python", "-I", "-B", "-m", "compileall", "-q", *BYTE_CODE, *places]
        self.step("compile files", compile_all, directory=_ANYWHERE)

    def _install(self, configuration: ConfigurationFiles) -> None:
        arguments, directory = self.wanted(configuration)
        if self.build.added:
            arguments += ["--requirements", self.input("added.txt", self.build.added)]
        if arguments:
            limits = ["--constraints", self.input("constraints.txt", self.constraints)]
            self._pip_install("install packages", [*limits, *arguments], directory)

    def _pip_install(
        self,
        name: str,
        arguments: list[str],
        directory: str = "",
        environment: dict[str, str] | None = None,
        sandbox: Sandbox | None = None,
    ) -> None:
        """Install packages with uv; see :meth:`step`."""
        install = [self.uv, "pip", "install", "--quiet", "--compile-bytecode", "--link-mode=copy", *arguments]
        self.step(name, install, environment, directory, sandbox)

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
        self._compile_own_files()
        python = f"{self.target}/bin/python"
        self.step("try", [python, "-I", "-B", "-c", f"import {', '.join(self.build.imports)}"])
        self.step("try the kernel", [python, "-I", "-B", "-c", _TRY_KERNEL])

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
        packages, python = _PACKAGES, f"{self.target}/bin/python"
        pins = self.input("installed.txt", versions_of(frozen))
        install = [self.uv, "pip", "install", "--quiet", "--link-mode=copy", "--constraints", pins]
        self.step("install pytest", [*install, "--target", packages, "--python", python, *_TEST_PACKAGES])
        self.step("copy files for the tests", ["cp", "--recursive", "--no-dereference", self.source, _TEST_SOURCE])
        readable = {**self._sandbox.readable, self.target: self.place}
        sandbox = replace(self._sandbox, writable={packages: self._packages}, readable=readable)
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
        # In an image, no password of an index can be in them, and users are not the owner.
        lists = 0o644 if self.tools.root else 0o600
        modes = {**dict.fromkeys(texts, lists), _SETTINGS: 0o644, START: 0o755}
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
        sandbox = sandbox or self._sandbox
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
            **(variables_in_image() if sandbox.root else {}),
            **(environment or {}),
        }
        sandboxed = sandbox.command(command, directory or (self.source if self.build.tree else _ANYWHERE))
        return self._steps.run(name, sandboxed, variables, prepare=sandbox.prepare)

    def on_machine(self) -> Sandbox:
        """Return the sandbox with the machine's system, and with what installs packages of conda."""
        rattler = self.tools.rattler
        python = os.path.realpath(f"{rattler}/bin/python")
        readable = {**self._sandbox.readable, rattler: rattler, **_readable_prefix(python)}
        return replace(self._sandbox, root="", readable=readable)

    def input(self, name: str, text: str) -> str:
        """Write a file that the sandbox can read and not change; return its path there."""
        path = os.path.join(self._inputs, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        files.write(path, text.encode(), 0o644)
        return os.path.join(_INPUTS, name)

    def _variables(self) -> dict[str, str]:
        """Return names that scripts written for repo2docker know."""
        source = {"REPO_DIR": self.source} if self.build.tree else {}
        return {"NB_PYTHON_PREFIX": self.target, **source}

    @property
    def _python_is_from(self) -> str:
        return f"on {self.tools.base} have" if self.tools.root else "of this machine have"

    @property
    def _python_is_set_by(self) -> str:
        return "cluster_base_image" if self.tools.root else "cluster_python"


def _program(variables: dict[str, str], activation: str, start: str = "") -> str:
    """Return a program that runs a command with variables and activation set, through the program start."""
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    path = f'export PATH={shlex.quote(variables["NB_PYTHON_PREFIX"] + "/bin")}:"$PATH"\n' if variables else ""
    return f'#!/bin/bash\n{exports}{path}{activation}exec {shlex.quote(start) + " " if start else ""}"$@"\n'


def _readable_prefix(python: str) -> dict[str, str]:
    """Return the directory of a Python that is not in one of the system's; "" is none."""
    prefix = os.path.dirname(os.path.dirname(python))
    return {} if prefix in ("", "/usr", "/usr/local") else {prefix: prefix}
