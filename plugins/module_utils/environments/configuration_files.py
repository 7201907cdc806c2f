# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration files of a repository: those that Binder and repo2docker read.

Source: https://repo2docker.readthedocs.io/en/latest/configuration/ and repo2docker/buildpacks (release 2026.4), whose
rules decide which of several files counts. ``uv.lock`` and ``tests/`` are additions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from ..common.errors import HubfleetError

#: Directories for these files; where there is one, files at the top are not read.
FOLDERS = ("binder", ".binder")
#: Tests that a build must pass.
TESTS = "tests"

_IMAGE = "a machine cannot build that; offer it on Kubernetes"
_JULIA = f"it describes an environment of Julia, and {_IMAGE}"
_R = f"it describes an environment of R, and {_IMAGE}"
#: What repo2docker prefers to packages of conda and Python, in its order; each with why a machine does not build it.
_OTHER_BUILDS = (
    ("Dockerfile", _IMAGE),
    ("Project.toml", _JULIA),
    ("JuliaProject.toml", _JULIA),
    ("REQUIRE", _JULIA),
    ("default.nix", _IMAGE),
)
#: What repo2docker builds as well; a machine would leave out a part.
_UNSUPPORTED = (
    ("install.R", _R),
    ("apt.txt", "packages of the system are the same for all hubs of a machine; install them there, and remove it"),
)
_CONDA = ("environment.yml", "environment.yaml")
#: What repo2docker prefers to requirements.txt, but not to packages of conda.
_PIPENV = ("Pipfile.lock", "Pipfile")
#: All files that say what is installed; repo2docker reads them whole.
DESCRIBING = {
    *(name for name, _why in (*_OTHER_BUILDS, *_UNSUPPORTED)),
    *_CONDA,
    *_PIPENV,
    *("requirements.txt", "requirements3.txt", "runtime.txt", "setup.py", "pyproject.toml", "DESCRIPTION"),
    *("postBuild", "start", ".dockerignore", ".containerignore", "Manifest.toml", "JuliaManifest.toml"),
}
_TABLE = re.compile(r"^\s*\[\s*(project|build-system)\s*\]", re.MULTILINE)
_RUNTIME = re.compile(r"python-(\d+\.\d+)(\.\d+)?")


class ContentError(HubfleetError):
    """What a repository has cannot be built; the message begins with a verb, the subject is the repository."""


class ContainerNeeded(ContentError):
    """Only repo2docker with a container engine builds what a repository has; a machine cannot."""


@dataclass(frozen=True)
class ConfigurationFiles:
    """What a repository's environment is built from; paths from its top, "" for files that it does not have.

    conda: an environment.yml; where there is one, the files of Python's own packages do not count.
    requirements: a requirements file. project: the directory of a Python project, which is installed.
    dependencies: a pyproject.toml that can only be asked for its dependencies. uv_lock: the versions of a project.
    start: a program that users' servers are started with. tests: a directory of tests that must pass.
    python: the version of Python that it asks for, such as 3.11.
    """

    conda: str = ""
    requirements: str = ""
    project: str = ""
    dependencies: str = ""
    uv_lock: str = ""
    post_build: str = ""
    start: str = ""
    tests: str = ""
    python: str = ""


def find_configuration_files(paths: Collection[str], read: Callable[[str], str]) -> ConfigurationFiles:
    """Return what the environment of a repository is built from.

    paths: of all its files, from its top, with slashes. read: returns the text of one.
    Raises ContentError where it cannot be built, ContainerNeeded where repo2docker can, with a container engine.
    """
    folder = _folder(paths)
    prefix = f"{folder}/" if folder else ""
    files = set(paths)

    def present(*names: str) -> str:
        return next((prefix + name for name in names if prefix + name in files), "")

    for name, why in (*_OTHER_BUILDS, *_UNSUPPORTED):
        if present(name):
            raise ContainerNeeded(f"has {present(name)}: {why}")
    runtime = _runtime(present("runtime.txt"), read)
    if not folder and "DESCRIPTION" in files:
        raise ContainerNeeded(f"has DESCRIPTION: {_R}")
    conda = present(*_CONDA)
    if present(*_PIPENV) and not conda:
        raise ContainerNeeded(
            f"has {present(*_PIPENV)}: list the packages in requirements.txt, as 'pipenv requirements' prints them"
        )
    # As repo2docker does: a project at the top counts only where no directory says something else.
    project = _project(files, read) if not folder and not conda else {}
    return ConfigurationFiles(
        conda=conda,
        requirements="" if conda else present("requirements.txt"),
        **project,
        uv_lock="uv.lock" if project and "uv.lock" in files else "",
        post_build=present("postBuild"),
        start=present("start"),
        tests=TESTS if any(path.startswith(f"{TESTS}/") for path in files) else "",
        python="" if conda else runtime,
    )


def _project(files: Collection[str], read: Callable[[str], str]) -> dict[str, str]:
    """Return the fields of configuration files for a Python project at the top."""
    # No TOML: machines may have a Python without a parser for it. Headings of tables stand on lines of their own.
    tables = set(_TABLE.findall(read("pyproject.toml"))) if "pyproject.toml" in files else set()
    if "setup.py" in files or tables >= {"project", "build-system"}:
        return {"project": "."}
    # repo2docker leaves these out; projects that uv manages are often of this kind.
    return {"dependencies": "pyproject.toml"} if "project" in tables else {}


def _runtime(path: str, read: Callable[[str], str]) -> str:
    """Return the version of Python in a runtime.txt, "" where there is none."""
    text = read(path).strip() if path else ""
    if text.startswith("r-"):
        raise ContainerNeeded(f"has {path} with {text[:40]!r}: {_R}")
    found = _RUNTIME.fullmatch(text)
    if text and not found:
        raise ContentError(f"has {path} with {text[:40]!r}; allowed is a version of Python, such as python-3.11")
    return found[1] if found else ""


def _folder(paths: Collection[str]) -> str:
    found = [folder for folder in FOLDERS if any(path.startswith(f"{folder}/") for path in paths)]
    if len(found) > 1:
        raise ContentError(f"has both {' and '.join(found)}, so that nobody knows which counts; remove one of them")
    return found[0] if found else ""
