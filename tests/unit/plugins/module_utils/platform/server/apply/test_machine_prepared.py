# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making and removing a state directory, and foreseeing whether that would change anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common import files
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.machine import (
    is_left,
    is_prepared,
    prepare_machine,
    remove_machine,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.state_directory import (
    ForeignDirectoryError,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.fake_machine import (
    FakeSupervisor,
)

HUBSIDE = {"code.py": "pass"}


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    monkeypatch.setenv("PATH", "")  # no scheduler of this machine is looked at
    mask = os.umask(0o022)
    yield Layout(str(tmp_path / "state"))
    os.umask(mask)


def prepare(layout: Layout, shared: bool = True, digest: str = "one") -> bool:
    """Prepare the machine; what was foreseen is what comes."""
    foreseen = not is_prepared(layout, shared, digest)
    changed = prepare_machine(layout, shared, HUBSIDE, digest)
    assert changed == foreseen and is_prepared(layout, shared, digest)
    return changed


def remove(layout: Layout) -> bool:
    """Remove the machine; what was foreseen is what comes."""
    foreseen = is_left(layout)
    changed = remove_machine(layout, FakeSupervisor(layout.hub("alpha")))
    assert changed == foreseen and not is_left(layout)
    return changed


def test_prepared_once(layout: Layout) -> None:
    assert [prepare(layout), prepare(layout)] == [True, False]
    assert Path(layout.runtime("one"), "code.py").read_text() == "pass"


def test_each_thing_that_is_missing_is_foreseen(layout: Layout) -> None:
    prepare(layout)
    assert prepare(layout, digest="two"), "other code"
    assert prepare(layout, shared=False, digest="two"), "other modes"
    os.rmdir(os.path.join(layout.root, "homes"))
    assert prepare(layout, shared=False, digest="two"), "a directory is gone"


def test_locks_that_everybody_can_write_are_mended(layout: Layout) -> None:
    prepare(layout)
    lock = Path(layout.root, "environments", "python-0123456789ab", ".lock")
    lock.parent.mkdir()
    lock.touch()
    lock.chmod(0o666)
    assert [prepare(layout), prepare(layout)] == [True, False]
    assert lock.stat().st_mode & 0o777 == 0o644


def test_directory_of_others_is_refused_before_anything_is_made(layout: Layout) -> None:
    os.makedirs(os.path.join(layout.root, "tools"))
    for do in (
        lambda: is_prepared(layout, True, "one"),
        lambda: prepare_machine(layout, True, HUBSIDE, "one"),
        lambda: is_left(layout),
        lambda: remove_machine(layout, FakeSupervisor(layout.hub("alpha"))),
    ):
        with pytest.raises(ForeignDirectoryError, match="contains 'tools', which no deploy made"):
            do()
    assert os.listdir(layout.root) == ["tools"]


def test_interrupted_at_each_step(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first deploy that ended early is completed, and nothing of it makes the directory a foreign one."""
    make = files.directory

    def dying(path: str, mode: int) -> bool:
        steps.pop()
        return make(path, mode)

    for step in range(12):
        steps = [None] * step
        with monkeypatch.context() as patched:
            patched.setattr(files, "directory", dying)
            try:
                prepare_machine(layout, True, HUBSIDE, "one")
            except IndexError:
                assert not is_prepared(layout, True, "one")
            else:
                break
        assert prepare(layout) and remove(layout) and not os.path.exists(layout.root)
    assert step > 4


def test_removed_where_no_hub_is_left(layout: Layout) -> None:
    assert not remove(layout), "there is none"
    prepare(layout)
    hub = Path(layout.hub("alpha").directory)
    hub.mkdir()
    assert not is_left(layout) and not is_left(layout, ["beta"]) and is_left(layout, ["alpha", "beta"])
    assert not remove_machine(layout, FakeSupervisor(layout.hub("alpha")))
    hub.rmdir()
    assert remove(layout) and not os.path.exists(layout.root)


def test_what_is_kept_is_nothing_to_remove(layout: Layout) -> None:
    prepare(layout)
    os.mkdir(os.path.join(layout.root, "replaced"))
    assert [remove(layout), remove(layout)] == [True, False]
    assert sorted(os.listdir(layout.root)) == [".hubfleet-state", "replaced"]
    assert prepare(layout), "it is still the directory of deploys"


def test_homes_that_no_hub_had_are_kept(layout: Layout) -> None:
    prepare(layout)
    photos = Path(layout.root, "homes", "photos")
    photos.mkdir()
    assert [remove(layout), remove(layout)] == [True, False]
    assert photos.is_dir() and sorted(os.listdir(layout.root)) == [".hubfleet-state", "homes"]
