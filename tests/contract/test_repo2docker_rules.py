# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of a repository count is what repo2docker itself says of the same files."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.configuration_files import (
    ConfigurationFiles,
    ContentError,
    find_configuration_files,
)
from repo2docker.app import Repo2Docker
from repo2docker.buildpacks import PythonBuildPack

#: Nothing is built.
BASE_IMAGE = "example.org/base"
PACKAGE = '[project]\nname = "a"\nversion = "1"\n[build-system]\nrequires = ["hatchling"]\n'
TREES: dict[str, dict[str, str]] = {
    "nothing": {},
    "requirements": {"requirements.txt": "numpy"},
    "binder before the top": {"binder/requirements.txt": "a", "requirements.txt": "b"},
    "an empty binder hides the top": {"binder/README": "", "requirements.txt": "b", "environment.yml": "name: x"},
    "hidden binder": {".binder/requirements.txt": "a"},
    "both": {".binder/requirements.txt": "a", "binder/requirements.txt": "b"},
    "package": {"pyproject.toml": PACKAGE},
    "package below binder": {"pyproject.toml": PACKAGE, "binder/postBuild": ""},
    "setup.py": {"setup.py": "from setuptools import setup\nsetup()\n"},
    "runtime": {"runtime.txt": "python-3.11"},
    "runtime of R": {"runtime.txt": "r-4.4-2026-01-01", "requirements.txt": "a"},
    "runtime that is none": {"runtime.txt": "3.11"},
    "description": {"DESCRIPTION": "Package: a"},
    "description below binder": {"DESCRIPTION": "Package: a", "binder/requirements.txt": "a"},
    "conda": {"environment.yml": "dependencies: [python]", "requirements.txt": "a"},
    "conda below binder": {".binder/environment.yml": "dependencies: []", "pyproject.toml": PACKAGE},
    "docker": {"Dockerfile": "FROM scratch", "environment.yml": "dependencies: []"},
    "docker below binder": {"binder/Dockerfile": "FROM scratch"},
    "docker elsewhere": {"docker/Dockerfile": "FROM scratch", "requirements.txt": "a"},
    "julia": {"Project.toml": "[deps]", "requirements.txt": "a"},
    "old julia": {"REQUIRE": "julia"},
    "nix": {"default.nix": "{}", "requirements.txt": "a"},
    "pipfile": {"Pipfile": "[packages]", "requirements.txt": "a"},
    "conda before pipfile": {"environment.yml": "dependencies: []", "Pipfile": "", "Pipfile.lock": "{}"},
    "R before conda": {"environment.yml": "dependencies: []", "runtime.txt": "r-4.4-2026-01-01"},
    "other ending": {"environment.yaml": "dependencies: []"},
    "locked pipfile": {"Pipfile.lock": "{}"},
}


def of_repo2docker(monkeypatch: pytest.MonkeyPatch, directory: Path) -> str:
    """Return the name of the build pack that repo2docker selects; "" where it refuses."""
    monkeypatch.chdir(directory)
    application = Repo2Docker()
    application.log.setLevel(logging.CRITICAL)
    try:
        for kind in application.buildpacks:
            if kind(BASE_IMAGE).detect():
                return str(kind.__name__)
    except (RuntimeError, ValueError):
        return ""
    return str(application.default_buildpack.__name__)


@pytest.mark.parametrize("name", TREES)
def test_detects_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, text in TREES[name].items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    try:
        found: ConfigurationFiles | None = find_configuration_files(TREES[name], TREES[name].__getitem__)
    except ContentError:
        found = None
    detected = of_repo2docker(monkeypatch, tmp_path)
    # Machines build what repo2docker builds of packages of Python and conda, and refuse everything else.
    assert (found is not None) == (detected in ("PythonBuildPack", "CondaBuildPack")), detected
    assert bool(found and found.conda) == (detected == "CondaBuildPack")
    if found and not found.conda:
        monkeypatch.chdir(tmp_path)
        pack = PythonBuildPack(BASE_IMAGE)
        requirements = pack.binder_path("requirements.txt")
        assert found.requirements == (requirements if Path(requirements).exists() else "")
        assert bool(found.project) == pack._is_python_package()
