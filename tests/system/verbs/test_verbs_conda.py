# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments of repositories with an environment.yml: packages of a channel of conda, with JupyterLab over them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import conda_channel
import pytest
from environment_repository import Repository
from verbs_fleet import Fleet

pytestmark = pytest.mark.skipif(
    not (conda_channel.PYTHON.exists() and Path("/etc/debian_version").exists()),
    reason="makes a package of Debian's Python",
)
ENVIRONMENT = """\
name: maps
channels: [shore, nodefaults]
variables: {DEPTH: 12}
dependencies:
  - coast>=1
  - pip
  - pip:
      - cowsay==6.1
      - -r more.txt
"""


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with a channel shore, which has Python and a package with a kernel."""
    directory = tmp_path_factory.mktemp("channels")
    conda_channel.add_shore(directory)
    server = conda_channel.Server(directory)
    yield server.address
    server.end()


@pytest.fixture(scope="module")
def fleet(channel: str) -> Iterator[Fleet]:
    """A fleet of its own, whose hub offers an environment of conda."""
    made = Fleet("conda", cluster_conda_channel_alias=channel)
    try:
        made.clusters["conda"]["hub_environment_catalogue"] = {"maps": {"repository": "../maps"}}
        made.add("lab", "staging", hub_environments=["maps"])
        made.write()
        made.use_prebuilt()
        yield made
    finally:
        made.end()


def test_an_environment_of_conda(fleet: Fleet) -> None:
    """Refuse what cannot be installed, then build, start and change it; each part goes on from the one before."""
    repository = Repository(fleet.directory / "maps")
    repository.commit(
        {
            "environment.yml": ENVIRONMENT.replace("coast>=1", "coast>=7"),
            "more.txt": "hatchling\n",
            "requirements.txt": "this-is-not-read\n",
            "tests/test_coast.py": "import coast\nimport cowsay\n\n\ndef test_coast():\n    assert coast.height == 3\n",
        }
    )
    fleet.succeed("environments")
    result = fleet.run("deploy")
    assert result.code == 2 and "the packages of environment.yml do not fit together" in result.output, result.output
    assert "coast" in result.output and not list((fleet.state / "environments").glob("maps*"))

    repository.commit({"environment.yml": ENVIRONMENT})
    fleet.succeed("environments", "-e", "environments_update=true")
    assert fleet.succeed("deploy").outcomes() == {"lab": "deployed"}
    assert "nothing to change" in fleet.succeed("deploy").output
    built = (fleet.state / "environments/maps").resolve()
    assert "/noarch/coast-1.1-0.tar.bz2#" in (built / "conda.txt").read_text()
    assert "cowsay==6.1" in (built / "lock.txt").read_text()
    for path in [built, *built.rglob("*")]:
        status = path.lstat()
        assert status.st_uid == os.geteuid() and (path.is_symlink() or not status.st_mode & 0o6022), path

    hub = fleet.hub("lab")
    hub.start_server("ada", {"profile": "maps"})
    kernel = hub.kernel("ada")
    variables = "os.environ['COAST'], os.environ['DEPTH']"
    shown = f"import coast, cowsay, os, shutil; print(coast.__file__, {variables}, shutil.which('coast'))"
    inside = f"{built}/conda"
    python = next(path.name for path in (built / "lib").glob("python3*"))
    expected = f"{inside}/lib/{python}/site-packages/coast.py of {inside} 12 {inside}/bin/coast"
    assert kernel.run(shown).strip() == expected
    status, text = hub.request("GET", "user/ada/api/kernelspecs", hub.server_token("ada"))
    assert status == 200 and set(json.loads(text)["kernelspecs"]) == {"python3", "coast"}
