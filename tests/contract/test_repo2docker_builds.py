# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container engine is given is what repo2docker's own command would give it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import FILES

PROGRAM = Path(FILES, "repo2docker", "hubfleet_repo2docker.py")
OPTIONS = ("--user-id=1000", "--user-name=jovyan", "--target-repo-dir=/srv/repo")
#: Trees that no machine builds. Not those of R and Julia, for which repo2docker asks the internet for versions.
TREES: dict[str, dict[str, str]] = {
    "Dockerfile": {"Dockerfile": "FROM example.org/base\nRUN true\n", "requirements.txt": "numpy\n"},
    "Dockerfile below binder": {"binder/Dockerfile": "FROM example.org/base\n", "data.csv": "1\n"},
    "packages of the system": {"apt.txt": "gdal-bin\n", "requirements.txt": "rasterio\n", "postBuild": "#!/bin/sh\n"},
    "packages of the system and of conda": {
        "binder/apt.txt": "gdal-bin\n",
        "binder/environment.yml": "dependencies: [gdal]\n",
        "binder/start": '#!/bin/sh\nexec "$@"\n',
    },
    "Nix": {"default.nix": "{}\n"},
    "Pipfile": {"Pipfile": "[packages]\nnumpy = '*'\n[requires]\npython_version = '3.11'\n"},
}


def write(directory: Path, tree: dict[str, str]) -> None:
    """Write the files of a repository."""
    for path, text in tree.items():
        (directory / path).parent.mkdir(exist_ok=True, parents=True)
        (directory / path).write_text(text)


def described(source: Path, directory: Path) -> Any:
    """Return what the collection's program says."""
    command = [sys.executable, "-I", PROGRAM, source, directory]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.removeprefix("hubfleet: "))


def instructions(dockerfile: str) -> list[str]:
    """Return the lines of a Dockerfile without the labels that name where it came from."""
    return [line for line in dockerfile.splitlines() if line.strip() and not line.startswith("LABEL repo2docker.")]


@pytest.mark.parametrize("name", TREES)
def test_builds_as_repo2docker_does(name: str, tmp_path: Path) -> None:
    source, directory = tmp_path / "source", tmp_path / "context"
    directory.mkdir()
    write(source, TREES[name])
    found = described(source, directory)
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", *OPTIONS, str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    dockerfile = Path(found["dockerfile"]).read_text()
    printed = instructions(done.stdout + done.stderr)
    wanted = instructions(dockerfile)
    assert wanted and [line for line in printed if line in wanted][-len(wanted) :] == wanted
    context = Path(found["context"])
    below = context if "Dockerfile" in name else context / "src"
    assert {path: (below / path).read_text() for path in TREES[name]} == TREES[name]
    assert found["arguments"] == {"NB_USER": "jovyan", "NB_UID": "1000", "REPO_DIR": "/srv/repo"}


def test_what_repo2docker_refuses_is_told(tmp_path: Path) -> None:
    write(tmp_path / "source", {"binder/apt.txt": "gdal", ".binder/apt.txt": "gdal"})
    done = subprocess.run(
        [sys.executable, "-I", PROGRAM, tmp_path / "source", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and done.stderr.strip().splitlines()[-1].startswith("repo2docker: ")
    assert "Traceback" not in done.stderr
