# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which machine a cluster is, recorded beside the inventory."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ansible.inventory.manager import IGNORED
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.identities import (
    NAME,
    forget,
    mismatch,
    record,
    recorded,
)


def test_first_contact(tmp_path: Path) -> None:
    """It is recorded once, and never silently replaced."""
    directory = str(tmp_path)
    assert recorded(directory) == {}
    assert mismatch("a", "machine-id:1", directory) == ""
    assert record({"b": "machine-id:2", "a": "machine-id:1"}, directory) == ["a", "b"]
    assert json.loads((tmp_path / NAME).read_text()) == {"a": "machine-id:1", "b": "machine-id:2"}
    assert record({"a": "machine-id:9"}, directory) == []
    assert recorded(directory)["a"] == "machine-id:1"


def test_a_cluster_more(tmp_path: Path) -> None:
    record({"a": "machine-id:1"}, str(tmp_path))
    assert record({"a": "machine-id:1", "b": "machine-id:2"}, str(tmp_path)) == ["b"]
    assert recorded(str(tmp_path)) == {"a": "machine-id:1", "b": "machine-id:2"}


def test_nothing_new_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"a":   "machine-id:1"}')
    assert record({"a": "machine-id:1"}, str(tmp_path)) == []
    assert (tmp_path / NAME).read_text() == '{"a":   "machine-id:1"}'


def test_mismatch(tmp_path: Path) -> None:
    directory = str(tmp_path)
    record({"a": "machine-id:1"}, directory)
    assert mismatch("a", "machine-id:1", directory) == ""
    message = mismatch("a", "machine-id:2", directory)
    assert message == (
        "this is another a than the one that was deployed before (machine-id:2, not machine-id:1); if it moved, "
        f"remove its line from {directory}/{NAME}"
    )
    assert mismatch("b", "machine-id:2", directory) == ""


def test_parts(tmp_path: Path) -> None:
    """Namespaces, of which runs see different ones, and which may be removed."""
    directory = str(tmp_path)
    assert record({"a": "lab="}, directory) == [], "not there yet"
    assert record({"a": "lab=1,maps=2"}, directory) == ["a"]
    assert mismatch("a", "maps=2,new=", directory) == "" == mismatch("a", "new=3", directory)
    assert "(lab=9, not lab=1,maps=2)" in mismatch("a", "lab=9", directory)
    assert mismatch("a", "lab=,maps=2", directory) == "", "the same cluster"
    gone = mismatch("a", "lab=", directory)
    assert gone.startswith("a does not have lab, where hubs were deployed"), gone
    gone = mismatch("a", "lab=,maps=", directory)
    assert gone.startswith("a does not have lab, maps, where hubs were deployed: it is another cluster"), gone
    assert forget("a", "lab", directory)
    assert mismatch("a", "lab=", directory) == ""
    assert not forget("a", "lab", directory) and not forget("b", "lab", directory)
    assert recorded(directory) == {"a": "maps=2"}
    forget("a", "maps", directory)
    assert recorded(directory) == {}


def test_machines_without_identity(tmp_path: Path) -> None:
    """Some containers have none: nothing is recorded, and nothing refused."""
    assert record({"a": ""}, str(tmp_path)) == []
    assert not (tmp_path / NAME).exists()
    record({"a": "machine-id:1"}, str(tmp_path))
    assert mismatch("a", "", str(tmp_path)) == ""


@pytest.mark.parametrize("text", ["", "no json", "[]", '"text"', '["a"]', "\udcff"])
def test_broken_record(text: str, tmp_path: Path) -> None:
    """Nobody guesses what it said, and nobody writes over it."""
    content = text.encode(errors="surrogateescape")
    (tmp_path / NAME).write_bytes(content)
    for ask in (lambda: recorded(str(tmp_path)), lambda: record({"a": "machine-id:1"}, str(tmp_path))):
        with pytest.raises(PlatformError) as raised:
            ask()
        assert str(tmp_path / NAME) in str(raised.value)
        assert "\n" not in str(raised.value)
    assert (tmp_path / NAME).read_bytes() == content


def test_inventory_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWX has a checkout that is not its own."""
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    assert record({"a": "machine-id:1"}, str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []
    (tmp_path / NAME).write_text('{"a": "lab=1"}')
    with pytest.raises(PlatformError, match="cannot be written; remove lab of a from it"):
        forget("a", "lab", str(tmp_path))


def test_ansible_leaves_it_alone() -> None:
    """Ansible reads every file of an inventory directory but those with a leading dot."""
    assert IGNORED.search(NAME.encode())
