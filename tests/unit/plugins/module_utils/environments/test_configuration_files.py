# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of a repository count."""

from __future__ import annotations

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.configuration_files import (
    ConfigurationFiles,
    ContentError,
    find_configuration_files,
)

PACKAGE = '[project]\nname = "a"\n\n[build-system]\nrequires = ["hatchling"]\n'
PROJECT = ' [ project ]\nname = "a"\ndependencies = ["numpy"]\n[tool.uv]\n'
TOOLS_ONLY = "[tool.ruff]\nline-length = 100\n"


def found(files: dict[str, str]) -> ConfigurationFiles:
    """Return what is found among files: path -> text."""
    return find_configuration_files(files, files.__getitem__)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, ConfigurationFiles()),
        ({"requirements.txt": "numpy"}, ConfigurationFiles(requirements="requirements.txt")),
        (
            {"requirements.txt": "a", "binder/requirements.txt": "b", ".binder.txt": ""},
            ConfigurationFiles(requirements="binder/requirements.txt"),
        ),
        ({".binder/requirements.txt": "b"}, ConfigurationFiles(requirements=".binder/requirements.txt")),
        ({"binder/README": "", "requirements.txt": "a", "postBuild": ""}, ConfigurationFiles()),
        ({"binder/postBuild": "", "start": ""}, ConfigurationFiles(post_build="binder/postBuild")),
        ({".binder/start": ""}, ConfigurationFiles(start=".binder/start")),
        ({"pyproject.toml": PACKAGE}, ConfigurationFiles(project=".")),
        ({"setup.py": "", "requirements.txt": "a"}, ConfigurationFiles(requirements="requirements.txt", project=".")),
        (
            {"pyproject.toml": PROJECT, "uv.lock": ""},
            ConfigurationFiles(dependencies="pyproject.toml", uv_lock="uv.lock"),
        ),
        ({"pyproject.toml": TOOLS_ONLY, "uv.lock": ""}, ConfigurationFiles()),
        ({"binder/postBuild": "", "pyproject.toml": PACKAGE}, ConfigurationFiles(post_build="binder/postBuild")),
        ({"runtime.txt": "python-3.11\n"}, ConfigurationFiles(python="3.11")),
        ({"runtime.txt": "python-3.12.4"}, ConfigurationFiles(python="3.12")),
        (
            {"environment.yml": "", "requirements.txt": "a", "pyproject.toml": PACKAGE, "runtime.txt": "python-3.8"},
            ConfigurationFiles(conda="environment.yml"),
        ),
        ({"environment.yaml": "", "Pipfile": ""}, ConfigurationFiles(conda="environment.yaml")),
        ({"tests/data": ""}, ConfigurationFiles(tests="tests")),
        ({"environment/environment.yml": "", "Dockerfile_old": ""}, ConfigurationFiles()),
    ],
)
def test_what_counts(files: dict[str, str], expected: ConfigurationFiles) -> None:
    assert found(files) == expected


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"Dockerfile": ""}, "has Dockerfile: a machine cannot build that; offer it on Kubernetes"),
        ({"binder/Dockerfile": "", "binder/requirements.txt": ""}, "has binder/Dockerfile: "),
        ({"default.nix": ""}, "has default.nix: a machine cannot build that"),
        ({"Project.toml": ""}, "an environment of Julia"),
        ({"install.R": ""}, "an environment of R"),
        (
            {"runtime.txt": "r-4.4-2026-01-01"},
            "has runtime.txt with 'r-4.4-2026-01-01': it describes an env",
        ),
        ({"runtime.txt": "r-4.4", "environment.yml": ""}, "has runtime.txt with 'r-4.4': it describes an env"),
        ({"DESCRIPTION": ""}, "has DESCRIPTION: it describes an environment of R"),
        ({"runtime.txt": "3.11"}, "has runtime.txt with '3.11'; allowed is a version of Python, such as python-3.11"),
        ({"Pipfile.lock": "", "Pipfile": ""}, "has Pipfile.lock: list the packages in requirements.txt"),
        ({"apt.txt": ""}, "packages of the system are the same for all hubs"),
        ({"binder/a": "", ".binder/a": ""}, "has both binder and .binder"),
    ],
)
def test_what_a_machine_cannot_build(files: dict[str, str], message: str) -> None:
    with pytest.raises(ContentError) as error:
        found(files)
    assert message in str(error.value) and "\n" not in str(error.value)
