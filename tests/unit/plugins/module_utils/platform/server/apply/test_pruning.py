# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was built and nobody needs any more is removed, and nothing else is."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.pruning import (
    prune,
    unneeded,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.revisions import history
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.fake_machine import AUTHOR

#: Other names wherever tests run at the same time, since processes of the whole machine are looked at.
OLD, NEW, TOOL = (f"{name}-{secrets.token_hex(6)}" for name in ("python", "python", "jupyterhub"))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A machine with an old and a new environment and a tool, of which nobody knows anything."""
    for path in (f"environments/{OLD}", f"environments/{NEW}", f"tools/{TOOL}"):
        (tmp_path / path / "bin").mkdir(parents=True)
    (tmp_path / "environments" / "python").symlink_to(NEW)
    (tmp_path / "hubs").mkdir()
    return Layout(str(tmp_path))


def deploy(layout: Layout, hub: str, *builds: str) -> None:
    """Write down that a hub was deployed."""
    config = Path(layout.hub(hub).config("hub.json"))
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("{}")
    history.begin(layout.hub(hub), {**AUTHOR, "fingerprint": str(builds), "builds": list(builds)}, {"hub.json": b"{}"})


def left(layout: Layout) -> set[str]:
    root = Path(layout.root)
    return {path.name for folder in ("environments", "tools") for path in (root / folder).iterdir()}


def test_what_nobody_knows_goes(layout: Layout) -> None:
    deploy(layout, "alpha", NEW)
    assert sorted(unneeded(layout, set())) == sorted([TOOL, OLD])
    assert left(layout) == {OLD, NEW, TOOL, "python"}, "only looked at"
    assert sorted(prune(layout, set())) == sorted([TOOL, OLD])
    assert left(layout) == {NEW, "python"}
    assert prune(layout, set()) == []


def test_what_a_killed_build_of_a_repository_left_goes(layout: Layout) -> None:
    deploy(layout, "alpha", NEW, OLD, TOOL)
    work = Path(layout.root, "environments/.work-maps")
    (work / "environment/closed").mkdir(parents=True)
    (work / "environment/closed").chmod(0)
    assert prune(layout, set()) == [] and not work.exists()


def test_every_deploy_that_is_remembered_counts(layout: Layout) -> None:
    """Also of hubs that the inventory does not know."""
    deploy(layout, "alpha", OLD)
    deploy(layout, "alpha", NEW)
    deploy(layout, "gone", TOOL)
    assert prune(layout, set()) == []


def test_what_the_inventory_needs_stays(layout: Layout) -> None:
    deploy(layout, "alpha", NEW)
    assert prune(layout, {OLD, TOOL}) == []


def test_a_link_to_nothing_goes(layout: Layout) -> None:
    deploy(layout, "alpha", OLD)
    assert prune(layout, {TOOL}) == [NEW]
    assert left(layout) == {OLD, TOOL}


def test_a_hub_without_history(layout: Layout) -> None:
    """Nobody knows what it needs."""
    deploy(layout, "alpha", NEW)
    config = Path(layout.hub("beta").config("hub.json"))
    config.parent.mkdir(parents=True)
    config.write_text("{}")
    assert prune(layout, set()) == []


def test_what_is_no_build_stays(layout: Layout) -> None:
    (Path(layout.root) / "environments" / "mine").mkdir()
    (Path(layout.root) / "environments" / ".python.lock").touch()
    assert prune(layout, {OLD, NEW, TOOL}) == []
    assert {"mine", ".python.lock"} <= left(layout)


@pytest.mark.parametrize("trace", ["command", "environment"])
def test_what_a_process_came_from_stays(layout: Layout, trace: str) -> None:
    deploy(layout, "alpha", NEW)
    place = f"{layout.root}/environments/{OLD}/bin"
    arguments = [f"{place}/notebook"] if trace == "command" else []
    environment = {**os.environ, "PATH": f"{place}:{os.environ['PATH']}"} if trace == "environment" else None
    code = "import sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stdout.readline()
        assert prune(layout, set()) == [TOOL]
        process.communicate()
    assert prune(layout, set()) == [OLD]
