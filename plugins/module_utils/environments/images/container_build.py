# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build images of repositories that need a container engine, as repo2docker does; try them, and push them.

A Dockerfile, packages of the system, and environments of R, Julia and Nix are built by podman or docker of the
controller; repo2docker says how.
"""

from __future__ import annotations

import json
import os
import re
import resource
import tarfile
from collections.abc import Callable
from typing import Any

from ..build.model import Build
from ..build.steps import BuildError, Steps
from ..build.tools import Tools
from ..configuration_files import TESTS
from ..pins import REPO2DOCKER
from .address import ImageAddress
from .engine import Engine

_VERSION = re.compile(r"[0-9A-Za-z.+!_-]{1,40}")
#: Seconds of a processor, and bytes of memory, to read the files that describe an environment.
_MOST_SECONDS, _MOST_MEMORY = 120, 4_000_000_000
#: The collection's program that uses repo2docker.
PROGRAM = "hubfleet_repo2docker.py"
#: What a lock file tells of an image.
TOLD = ("jupyterhub", "jupyterlab")
#: The directory of the repository's files while they are built.
SOURCE = "engine-source"
#: Before an answer, since other programs print as well.
_MARK = "hubfleet: "
_VERSIONS = f"""\
import importlib.metadata, json
found = {{str(each.metadata["Name"]).lower(): each.version for each in importlib.metadata.distributions()}}
print("\\n{_MARK}" + json.dumps({{name: found.get(name, "") for name in {TOLD}}}))
"""
#: Not every image has a kernel of Python.
_TRY_KERNEL = """\
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import start_new_kernel
names = sorted(KernelSpecManager().find_kernel_specs(), key=lambda name: name != "python3")
if not names:
    raise SystemExit("it has no kernel")
manager, client = start_new_kernel(kernel_name=names[0], startup_timeout=120)
client.stop_channels()
manager.shutdown_kernel(now=True)
"""
#: Where the files are for the tests; users of the image may not be able to change what is copied there.
_COPIED = "/tmp/repository"
#: 5: there are no tests in the directory.
_TEST = f"""\
set -e
python -m pip install --quiet --target /tmp/test-packages pytest nbmake
cp -R {_COPIED} /tmp/tested && cd /tmp/tested
PYTHONPATH=/tmp/test-packages python -m pytest --quiet --nbmake -p no:cacheprovider {TESTS} || test $? = 5
"""


def repo2docker_build(name: str, lock: str, modules: dict[str, str], tree: str) -> Build:
    """Return what names an image that repo2docker builds. lock, modules: of repo2docker and PROGRAM."""
    return Build(name=name, kind=REPO2DOCKER, folder="environments", lock=lock, modules=modules, tree=tree)


class ContainerBuild:
    """Builds an image with a container engine. Raises BuildError.

    name: of the environment. address: of the image, with its tag. tools: repo2docker, and the repository's files.
    work: a directory for the time of the build. report: takes lines of progress.
    """

    def __init__(
        self,
        name: str,
        address: ImageAddress,
        engine: Engine,
        tools: Tools,
        work: str,
        report: Callable[[str], None],
    ):
        self._name, self._address, self._engine, self._tools, self._report = name, address, engine, tools, report
        self._steps = Steps(name)
        self._source, self._context = (os.path.join(work, part) for part in (SOURCE, "context"))

    def run(self) -> dict[str, str]:
        """Build the image, try it, and push it; return the versions of JupyterHub and JupyterLab in it."""
        for directory in (self._source, self._context):
            os.mkdir(directory)
        self._unpack()
        wanted = self._described()
        self._report(f"{self._name}: building {self._address.full} with {self._engine.program}")
        try:
            self._engine.build(wanted["context"], wanted["dockerfile"], wanted["arguments"], wanted["labels"])
            versions = self._try()
            self._report(f"{self._name}: pushing")
            self._engine.push(self._address)
        finally:
            self._engine.clean()
        return versions

    def _unpack(self) -> None:
        try:
            with tarfile.open(self._tools.archive) as content:
                content.extractall(self._source, filter="data")
        except (OSError, tarfile.TarError) as error:
            raise BuildError(f"building {self._name}: its files cannot be unpacked: {error}") from None
        os.chmod(self._source, 0o755)

    def _described(self) -> Any:
        """Return what repo2docker gives to an engine for these files."""
        # -I: not the modules of the repository, which is the directory that repo2docker works in.
        python = [os.path.join(self._tools.repo2docker, "bin", "python"), "-I", "-m", PROGRAM.removesuffix(".py")]
        command = [*python, self._source, self._context]
        answer = _answer(self._steps.run("repo2docker", command, dict(os.environ), prepare=_limit))
        if not isinstance(answer, dict) or not answer:
            raise BuildError(f"building {self._name}: repo2docker did not say how to build it")
        return answer

    def _try(self) -> dict[str, str]:
        """Run what users' servers need, and the tests of the repository; return versions."""
        start = 'jupyterhub-singleuser --version && exec python -c "$1"'
        answer = _answer(self._engine.run("jupyterhub-singleuser", ["/bin/sh", "-c", start, "sh", _VERSIONS]))
        versions = told_versions(answer if isinstance(answer, dict) else {})
        if not versions["jupyterhub"]:
            raise BuildError(
                f"building {self._name}: the command jupyterhub-singleuser and a Python with the package jupyterhub do"
                " not answer in its image; users' servers need both, and an entry point that runs what it is given"
            )
        self._engine.run("try the kernel", ["python", "-c", _TRY_KERNEL])
        if os.path.isdir(os.path.join(self._source, TESTS)):
            self._engine.run("tests", ["/bin/sh", "-c", _TEST], self._source, _COPIED)
        return versions


def told_versions(found: Any) -> dict[str, str]:
    """Return the versions that a lock file tells of. found: name -> version, unchecked: an image may say anything."""
    return {name: _version(found.get(name)) for name in TOLD}


def _version(value: Any) -> str:
    return value if isinstance(value, str) and _VERSION.fullmatch(value) else ""


def _answer(printed: str) -> Any:
    """Return what a program answers with JSON among what it prints; None if it does not."""
    marked = [line.removeprefix(_MARK) for line in printed.splitlines() if line.startswith(_MARK)]
    try:
        return json.loads(marked[-1]) if marked else None
    except (ValueError, RecursionError):
        return None


def _limit() -> None:
    """Limit what repo2docker takes to read files, in its process before it starts."""
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_SECONDS, _MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
