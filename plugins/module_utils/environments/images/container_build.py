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

#: The collection's program that uses repo2docker.
PROGRAM = "hubfleet_repo2docker.py"
_VERSIONS = """\
import importlib.metadata, json
found = {each.metadata["Name"].lower(): each.version for each in importlib.metadata.distributions()}
print(json.dumps({name: found.get(name, "") for name in ("jupyterhub", "jupyterlab")}))
"""
#: Not every image has a kernel of Python.
_TRY_KERNEL = """\
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import start_new_kernel
names = sorted(KernelSpecManager().find_kernel_specs(), key=lambda name: name != "python3")
for name in names[:1]:
    manager, client = start_new_kernel(kernel_name=name, startup_timeout=120)
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
        self._built = f"localhost/hubfleet-build/{name}:{address.reference}"
        self._source, self._context, self._labelled = (
            os.path.join(work, part) for part in ("source", "context", "label")
        )

    def run(self) -> dict[str, str]:
        """Build the image, try it, and push it; return the versions of JupyterHub and JupyterLab in it."""
        for directory in (self._source, self._context, self._labelled):
            os.mkdir(directory)
        self._unpack()
        wanted = self._described()
        self._report(f"{self._name}: building {self._address.full} with {self._engine.program}")
        try:
            self._engine.build(
                self._built, wanted["context"], wanted["dockerfile"], wanted["arguments"], wanted["labels"]
            )
            versions = self._try()
            labels = {f"hubfleet.{name}": version for name, version in versions.items()}
            self._engine.label(self._built, self._address.full, labels, self._labelled)
            self._report(f"{self._name}: pushing")
            self._engine.push(self._address)
        finally:
            self._engine.remove(self._address.full, self._built)
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
        printed = self._steps.run("repo2docker", [*python, self._source, self._context], dict(os.environ))
        return json.loads(printed.splitlines()[-1])

    def _try(self) -> dict[str, str]:
        """Run what users' servers need, and the tests of the repository; return versions."""
        start = 'jupyterhub-singleuser --version && exec python -c "$1"'
        printed = self._engine.run("jupyterhub-singleuser", self._built, ["/bin/sh", "-c", start, "sh", _VERSIONS])
        versions = json.loads(printed.splitlines()[-1])
        if not versions["jupyterhub"]:
            raise BuildError(f"building {self._name}: its Python has no package jupyterhub, which users' servers need")
        self._engine.run("try the kernel", self._built, ["python", "-c", _TRY_KERNEL])
        if os.path.isdir(os.path.join(self._source, TESTS)):
            self._engine.run("tests", self._built, ["/bin/sh", "-c", _TEST], self._source, _COPIED)
        return dict(versions)
