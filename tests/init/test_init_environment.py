# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook init_environment writes the repository of an environment; tests/cluster builds one and starts it."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.configuration_files import (
    find_configuration_files,
)
from jobs import github_steps, gitlab_scripts
from repo2docker.__main__ import get_argparser
from repository import content, playbook, program
from test_workflow_files import YAMLLINT, schema_problems, workflow

COMMON = {"README.md", "tests/test_packages.py", "tests/example.ipynb"}
GITHUB, GITLAB = ".github/workflows/build.yml", ".gitlab-ci.yml"
LISTS = {"python": "requirements.txt", "conda": "environment.yml"}


def write(directory: Path, collections: Path, *variables: str, check: bool = False) -> subprocess.CompletedProcess[str]:
    """Run the playbook in a directory."""
    extra = [part for variable in variables for part in ("-e", variable)]
    return playbook(directory, collections, "init_environment", *extra, *(["--check", "--diff"] if check else []))


@pytest.fixture(scope="module", params=LISTS)
def packages(request: pytest.FixtureRequest) -> str:
    """What lists the packages."""
    return str(request.param)


@pytest.fixture(scope="module")
def repository(packages: str, collections: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that was written."""
    directory = tmp_path_factory.mktemp("environment")
    done = write(directory, collections, "environment_directory=mine", f"environment_packages={packages}")
    assert done.returncode == 0, done.stdout + done.stderr
    return directory / "mine"


def test_files(repository: Path, packages: str) -> None:
    found = content(repository)
    assert set(found) == {*COMMON, GITHUB, GITLAB, LISTS[packages]}
    for name, text in found.items():
        assert not any(mark in text for mark in ("<%", "%>", "{%", "environment_repository_")), name
        assert ("\n\n\n" not in text or name.endswith(".py")) and text.endswith("\n") and not text.endswith("\n\n"), (
            name
        )


def test_it_is_what_builds_read(repository: Path, packages: str) -> None:
    found = content(repository)
    read = find_configuration_files(found, found.__getitem__)
    assert (read.conda or read.requirements) == LISTS[packages]
    assert read.tests == "tests"


def test_workflows_are_valid(repository: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(program("yamllint")), "--strict", "--config-data", YAMLLINT, "."],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert schema_problems("github-workflows", workflow(repository / GITHUB), tmp_path) == ""
    assert schema_problems("gitlab-ci", workflow(repository / GITLAB), tmp_path) == ""


def test_workflows_build_with_options_that_repo2docker_has(repository: Path) -> None:
    scripts = [str(github_steps(repository)["build/build/Build"]["run"])]
    scripts.append(gitlab_scripts(repository)[".gitlab-ci.yml/build/script"].splitlines()[0])
    for script in scripts:
        words = shlex.split(script)
        assert words[0].endswith("/jupyter-repo2docker")
        read = get_argparser().parse_args(words[1:])
        assert (read.repo, read.run, read.image_name) == (".", False, "environment")


@pytest.mark.parametrize(("chosen", "written"), [("github", {GITHUB}), ("gitlab", {GITLAB}), ("none", set())])
def test_workflows_of_choice(chosen: str, written: set[str], collections: Path, tmp_path: Path) -> None:
    done = write(tmp_path, collections, "environment_directory=mine", f"environment_ci={chosen}", check=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []
    listed = {line.split("item=")[1].rstrip(")") for line in done.stdout.splitlines() if "=> (item=" in line}
    assert {name for name in listed if not name.startswith("/")} == {*COMMON, "requirements.txt", *written}


def test_a_second_run_keeps_what_is_there(repository: Path, packages: str, collections: Path) -> None:
    (repository / "README.md").write_text("ours\n")
    before = content(repository)
    done = write(repository.parent, collections, "environment_directory=mine", f"environment_packages={packages}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=0 " in done.stdout and "existing files kept: README.md" in done.stdout
    assert content(repository) == before


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ((), "environment_directory is not set; set it with -e environment_directory=PATH"),
        (("environment_directory=mine", "environment_packages=julia"), "must be one of: python, conda, got: julia"),
        (("environment_directory=mine", "environment_ci=jenkins"), "must be one of: github, gitlab, both, none"),
    ],
)
def test_bad_input(variables: tuple[str, ...], message: str, collections: Path, tmp_path: Path) -> None:
    done = write(tmp_path, collections, *variables)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []
