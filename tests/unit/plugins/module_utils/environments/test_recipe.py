# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of a repository count."""

from __future__ import annotations

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.recipe import (
    Recipe,
    RepositoryError,
    examine,
)

PACKAGE = '[project]\nname = "a"\n\n[build-system]\nrequires = ["hatchling"]\n'
PROJECT = '[project]\nname = "a"\ndependencies = ["numpy"]\n[tool.uv]\n'
TOOLS_ONLY = "[tool.ruff]\nline-length = 100\n"


def recipe(**files: str) -> Recipe:
    """Return the recipe of files, named with __ for slashes."""
    paths = {name.replace("__", "/").replace("DOT", "."): text for name, text in files.items()}
    return examine(set(paths), paths.__getitem__)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, Recipe()),
        ({"requirementsDOTtxt": "numpy"}, Recipe(requirements="requirements.txt")),
        (
            {"requirementsDOTtxt": "a", "binder__requirementsDOTtxt": "b", "DOTbinderDOTtxt": ""},
            Recipe(requirements="binder/requirements.txt"),
        ),
        ({"DOTbinder__requirementsDOTtxt": "b"}, Recipe(requirements=".binder/requirements.txt")),
        ({"binder__README": "", "requirementsDOTtxt": "a", "postBuild": ""}, Recipe()),
        ({"binder__postBuild": "", "start": ""}, Recipe(post_build="binder/postBuild")),
        ({"DOTbinder__start": ""}, Recipe(start=".binder/start")),
        ({"pyprojectDOTtoml": PACKAGE}, Recipe(project=".")),
        ({"setupDOTpy": "", "requirementsDOTtxt": "a"}, Recipe(requirements="requirements.txt", project=".")),
        ({"pyprojectDOTtoml": PROJECT, "uvDOTlock": ""}, Recipe(dependencies="pyproject.toml", uv_lock="uv.lock")),
        ({"pyprojectDOTtoml": TOOLS_ONLY, "uvDOTlock": ""}, Recipe()),
        ({"binder__postBuild": "", "pyprojectDOTtoml": PACKAGE}, Recipe(post_build="binder/postBuild")),
        ({"runtimeDOTtxt": "python-3.11\n"}, Recipe(python="3.11")),
        ({"runtimeDOTtxt": "python-3.12.4"}, Recipe(python="3.12")),
        (
            {"environmentDOTyml": "", "requirementsDOTtxt": "a", "pyprojectDOTtoml": PACKAGE, "runtimeDOTtxt": "x"},
            Recipe(conda="environment.yml"),
        ),
        ({"tests__data": ""}, Recipe(tests="tests")),
        ({"environment__environmentDOTyml": "", "Dockerfile_old": ""}, Recipe()),
    ],
)
def test_what_counts(files: dict[str, str], expected: Recipe) -> None:
    assert recipe(**files) == expected


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"Dockerfile": ""}, "has Dockerfile: a machine cannot build that; build an image of it"),
        ({"binder__Dockerfile": "", "binder__requirementsDOTtxt": ""}, "has binder/Dockerfile: "),
        ({"environmentDOTyaml": ""}, "repo2docker and machines read environment.yml only; rename it"),
        ({"defaultDOTnix": ""}, "has default.nix: a machine cannot build that"),
        ({"ProjectDOTtoml": ""}, "an environment of Julia"),
        ({"installDOTR": ""}, "an environment of R"),
        (
            {"runtimeDOTtxt": "r-4.4-2026-01-01"},
            "has runtime.txt with 'r-4.4-2026-01-01': it describes an env",
        ),
        ({"DESCRIPTION": ""}, "has DESCRIPTION: it describes an environment of R"),
        ({"runtimeDOTtxt": "3.11"}, "has runtime.txt with '3.11'; allowed is a version of Python, such as python-3.11"),
        ({"PipfileDOTlock": "", "Pipfile": ""}, "has Pipfile.lock: list the packages in requirements.txt"),
        ({"aptDOTtxt": ""}, "packages of the system are the same for all hubs"),
        ({"binder__a": "", "DOTbinder__a": ""}, "has both binder and .binder"),
    ],
)
def test_what_a_machine_cannot_build(files: dict[str, str], message: str) -> None:
    with pytest.raises(RepositoryError) as error:
        recipe(**files)
    assert message in str(error.value) and "\n" not in str(error.value)
