# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories of other people are neither used nor removed."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server import state_directory
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.hub_files import (
    data_to_keep,
    data_to_remove,
    remove_data,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.backup.export import (
    export_hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.layout import Layout
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.state_directory import (
    ForeignDirectoryError,
    claim,
    foreign,
    release,
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(str(tmp_path / "state"))


@pytest.mark.parametrize("root", ["/", "/etc", "/home", "/usr", "/var", "/var/lib", "/mnt", "/usr/../etc"])
def test_the_system(root: str) -> None:
    assert foreign(Layout(root)) == "is a directory of the system"


def test_a_mark_does_not_make_the_system_ours(monkeypatch: pytest.MonkeyPatch, layout: Layout) -> None:
    os.mkdir(layout.root)
    claim(layout)
    monkeypatch.setattr(state_directory, "_SYSTEM", frozenset({layout.root}))
    assert foreign(layout) == "is a directory of the system"


def test_a_home(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also an empty one, and by another name."""
    os.mkdir(layout.root)
    os.symlink(layout.root, f"{layout.root}-link")
    ada = pwd.struct_passwd(("ada", "x", 7000, 7000, "", f"{layout.root}-link", "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwall", lambda: [ada])
    assert foreign(layout) == "is the home directory of ada"


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["tools"], "contains 'tools', which no deploy made"),
        (["homes", "hubs"], "contains 'homes', 'hubs', which no deploy made"),
        (["a", "b", "c", "d", "lost+found"], "contains 'a', 'b', 'c' and 1 more, which no deploy made"),
        (["lost+found"], ""),
        ([], ""),
    ],
)
def test_content(names: list[str], reason: str, layout: Layout) -> None:
    os.mkdir(layout.root)
    for name in names:
        os.mkdir(os.path.join(layout.root, name))
    assert foreign(layout) == reason
    claim(layout)
    assert foreign(layout) == ""


def test_no_directory(layout: Layout) -> None:
    assert foreign(layout) == ""
    Path(layout.root).write_text("")
    assert foreign(layout) == "is not a directory"


def test_released(layout: Layout) -> None:
    os.mkdir(layout.root)
    claim(layout)
    note = Path(layout.root, "note.txt")
    note.write_text("mine")
    release(layout)
    assert foreign(layout) == "" and note.exists()
    note.unlink()
    release(layout)
    assert not os.path.exists(layout.root)


# --- Removal


def make(layout: Layout, place: Path | None = None) -> list[Path]:
    """Make the directories of a hub; its homes lie behind a link where a place is given."""
    hub, homes = Path(layout.hub("demo").directory), Path(layout.homes("demo"))
    (hub / "config").mkdir(parents=True)
    homes.parent.mkdir()
    if place:
        homes.parent.rmdir()
        homes.parent.symlink_to(place)
    (homes / "ada").mkdir(parents=True)
    return [hub, homes]


def test_data_of_a_hub_is_removed(layout: Layout) -> None:
    hub, homes = make(layout)
    claim(layout)
    data = (layout.hub("demo"), "demo", str(homes), True)
    assert data_to_keep(layout.hub("demo"), str(homes), True) == []
    assert data_to_remove(*data) == remove_data(*data, "/nonexistent") == [str(homes), str(hub)]
    assert not hub.exists() and not homes.exists()


def test_data_behind_a_link_is_kept(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    hub, homes = make(layout, tmp_path / "disk")
    claim(layout)
    data = (layout.hub("demo"), "demo", str(homes), True)
    assert data_to_keep(layout.hub("demo"), str(homes), True) == [str(homes)]
    assert data_to_remove(*data) == remove_data(*data, "/nonexistent") == [str(hub)]
    assert (tmp_path / "disk" / "demo" / "ada").is_dir()


def test_data_of_others_is_neither_removed_nor_exported(layout: Layout) -> None:
    """It is called what a deploy would call it."""
    hub, homes = make(layout)
    data = (layout.hub("demo"), "demo", str(homes), True)
    with pytest.raises(ForeignDirectoryError, match="contains 'homes', 'hubs', which no deploy made; nothing in it is"):
        remove_data(*data, "/nonexistent")
    with pytest.raises(ForeignDirectoryError):
        data_to_remove(*data)
    with pytest.raises(ForeignDirectoryError):
        export_hub(layout, "demo", True, "now")
    assert (homes / "ada").is_dir() and hub.is_dir() and not os.path.exists(f"{layout.root}-exports")
