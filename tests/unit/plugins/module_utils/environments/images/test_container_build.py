# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What images answer is not trusted, and what a build leaves is removed; a program takes the place of podman."""

from __future__ import annotations

import json
import sys
import tarfile
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.steps import BuildError, Steps
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.tools import Tools
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.address import ImageAddress
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.container_build import (
    ContainerBuild,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.engine import find_engine

PODMAN = """\
#!/bin/sh
echo "$@" >> "{log}"
case "$1 $*" in
  start*) cat "{answer}" ;;
  ps*) echo left ;;
esac
"""


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ContainerBuild:
    """A build whose engine answers what the file ``answer`` has, and writes its commands to ``log``."""
    programs, work, tool = (tmp_path / name for name in ("programs", "work", "tool"))
    for directory in (programs, work, tool / "bin"):
        directory.mkdir(parents=True)
    (programs / "podman").write_text(PODMAN.format(log=tmp_path / "log", answer=tmp_path / "answer"))
    described = {"context": str(tmp_path), "dockerfile": "Dockerfile", "arguments": {"NB_UID": "1000"}, "labels": {}}
    python = f"#!{sys.executable}\nprint('a warning')\nprint('hubfleet: ' + {json.dumps(json.dumps(described))})\n"
    (tool / "bin/python").write_text(python)
    for program in (programs / "podman", tool / "bin/python"):
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    archive = tmp_path / "repository.tar"
    with tarfile.open(archive, "w"):
        pass
    address = ImageAddress.parse("registry.example.org/hubs/maps:0123456789ab")
    tools = Tools(uv="", archive=str(archive), repo2docker=str(tool))
    return ContainerBuild("maps", address, find_engine(Steps("maps"), "a1"), tools, str(work), lambda line: None)


@pytest.mark.parametrize(
    ("answer", "versions"),
    [
        ('hubfleet: {"jupyterhub": "5.4.0", "jupyterlab": "4.6.6"}', {"jupyterhub": "5.4.0", "jupyterlab": "4.6.6"}),
        ('hello\nhubfleet: {"jupyterhub": "5.4.0"}\nbye', {"jupyterhub": "5.4.0", "jupyterlab": ""}),
        ('hubfleet: {"jupyterhub": "5.4.0", "jupyterlab": {"a": 1}}', {"jupyterhub": "5.4.0", "jupyterlab": ""}),
    ],
)
def test_versions_are_what_the_image_tells(
    answer: str, versions: dict[str, str], build: ContainerBuild, tmp_path: Path
) -> None:
    (tmp_path / "answer").write_text(answer)
    assert build.run() == versions
    commands = (tmp_path / "log").read_text().splitlines()
    assert "push registry.example.org/hubs/maps:0123456789ab" in commands
    assert "rm --force --time 0 left" in commands
    assert commands[-1] == "rmi --no-prune localhost/hubfleet-build/a1"


@pytest.mark.parametrize(
    "answer", ["", "5.4.0", "hubfleet: [", "hubfleet: []", "hubfleet: 5", 'hubfleet: {"jupyterhub": {"a": "b\\n"}}']
)
def test_an_image_that_does_not_answer_is_not_pushed(answer: str, build: ContainerBuild, tmp_path: Path) -> None:
    (tmp_path / "answer").write_text(answer)
    with pytest.raises(BuildError, match="jupyterhub do not answer in its image"):
        build.run()
    assert "push" not in (tmp_path / "log").read_text()
    assert "rmi --no-prune localhost/hubfleet-build/a1" in (tmp_path / "log").read_text()
