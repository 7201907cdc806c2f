# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build and install the collection once, and write one repository per platform with it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from repository import PLATFORMS, PROJECT, init, program, run


@pytest.fixture(scope="session")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collections path with the built collection, installed as operators install it."""
    directory = tmp_path_factory.mktemp("collections")
    galaxy = str(program("ansible-galaxy"))
    run([galaxy, "collection", "build", str(PROJECT), "--output-path", str(directory)], directory)
    (archive,) = directory.glob("*.tar.gz")
    run([galaxy, "collection", "install", "--offline", str(archive), "--collections-path", str(directory)], directory)
    return directory


@pytest.fixture(scope="session")
def written(collections: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One complete repository per platform; tests must not change them."""
    directory = tmp_path_factory.mktemp("written")
    for platform in PLATFORMS:
        done = init(directory, collections, f"init_directory={platform}", f"init_platform={platform}")
        assert done.returncode == 0, done.stdout + done.stderr
    return {platform: directory / platform for platform in PLATFORMS}


@pytest.fixture(params=PLATFORMS)
def platform(request: pytest.FixtureRequest) -> str:
    """Each platform in turn."""
    return str(request.param)


@pytest.fixture
def repository(written: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the repository for a server, which tests may change."""
    return Path(shutil.copytree(written["server"], tmp_path / "my-fleet", symlinks=True))
