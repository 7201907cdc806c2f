# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places of values, and plain data out of ansible-core's."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import ReadAs
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils import origin
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.inventory import plain

FILE = """---
title: A
flag: true
nothing:
list:
  - 1
  - true
  - name: inner
    flag: false
mapping:
  a: 1
  2026: {b: [x]}
"""


@pytest.fixture
def variables(tmp_path: Path) -> Any:
    """A file as ansible-core reads it."""
    path = tmp_path / "all.yml"
    path.write_text(FILE)
    return DataLoader().load_from_file(str(path))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("list", 0), 6),
        (("list", 2), 8),
        (("list", 2, "name"), 8),
        (("list", 2, "flag"), 9),
        (("list", 2, "unknown"), 8),
        (("mapping", "a"), 11),
        (("mapping", "2026"), 12),
        (("mapping", "2026", "b", 0), 12),
    ],
)
def test_find(variables: Any, path: tuple[Any, ...], line: int) -> None:
    place = origin.find(variables[path[0]], path[1:])
    assert place is not None
    assert place[1] == line


def test_find_nothing(variables: Any) -> None:
    assert origin.find(variables["list"], (99,)) is None
    assert origin.find(variables["title"], ("a", 0)) is None
    assert origin.find(None, ("a",)) is None


@pytest.mark.parametrize(("name", "line"), [("title", 2), ("flag", 3), ("nothing", 4), ("list", 5), ("mapping", 10)])
def test_variable_place(variables: Any, tmp_path: Path, name: str, line: int) -> None:
    path = str(tmp_path / "all.yml")
    assert origin.variable_place(variables, name, [path]) == (path, line)


def test_the_layer_that_wins_is_the_place(variables: Any, tmp_path: Path) -> None:
    """A boolean says nothing of where it stands; its key is that of the outermost layer."""
    path = tmp_path / "alpha.yml"
    path.write_text("a: 1\nflag: true\n")
    assert origin.variable_place(variables, "flag", [str(path), str(tmp_path / "all.yml")]) == (str(path), 2)
    assert origin.variable_place(variables, "flag", [variables]) == (str(tmp_path / "all.yml"), 3)
    # What carries its place needs no layers; a list is found in its own file only.
    assert origin.variable_place(variables, "title", []) == (str(tmp_path / "all.yml"), 2)
    assert origin.variable_place(variables, "list", [str(path)]) == (str(tmp_path / "all.yml"), 6)
    assert origin.variable_place(variables, "unknown", []) is None


def test_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert origin.shown((str(tmp_path / "group_vars" / "all.yml"), 3)) == "group_vars/all.yml:3"
    assert origin.shown(("/elsewhere/all.yml", 3)) == "/elsewhere/all.yml:3"
    assert origin.shown((str(tmp_path / "all.json"), 0)) == "all.json"
    assert origin.shown(None) == ""


def test_encrypted_files(tmp_path: Path) -> None:
    (tmp_path / "vault.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n00\n")
    (tmp_path / "plain.yml").write_text("a: 1\n")
    assert origin.is_encrypted_file(str(tmp_path / "vault.yml"))
    assert not origin.is_encrypted_file(str(tmp_path / "plain.yml"))
    assert not origin.is_encrypted_file(str(tmp_path / "missing.yml"))
    assert origin.is_encrypted_file("host_vars/alpha/secrets.sops.yaml")


def test_plain(variables: Any) -> None:
    """No type of ansible-core reaches the engine."""

    def types(value: Any) -> set[type]:
        inner = (
            [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
        )
        return {type(value)}.union(*map(types, inner))

    value = plain(variables)
    assert value["mapping"] == {"a": 1, "2026": {"b": ["x"]}}
    assert types(value) <= {dict, list, str, int, bool, type(None), ReadAs}
    assert [key.kind for key in value["mapping"] if isinstance(key, ReadAs)] == ["number"]
    assert plain(OrderedDict(a=(1, 2.5))) == {"a": [1, 2.5]}


WRITTEN = {
    "octal": "0123",
    "sexagesimal": "12:30",
    "fraction": "1.10",
    "date": "2026-01-02",
    "same": "7",
    "negative": "-.5",
}
NUMBERS = (
    "".join(f"{key}: {text} # comment\n" for key, text in WRITTEN.items())
    + "flow: {012: [0x1F,1_000], b: 7}\nquoted: '08'\n"
)


@pytest.mark.parametrize("encrypted", [False, True])
def test_written(encrypted: bool, tmp_path: Path) -> None:
    """The characters of a number are found, also in a file that is encrypted."""
    secret = [("default", VaultSecret(b"password"))]
    path = tmp_path / "numbers.yml"
    path.write_bytes(VaultLib(secret).encrypt(NUMBERS) if encrypted else NUMBERS.encode())
    loader = DataLoader()
    loader.set_vault_secrets(secret)
    found: Any = loader.load_from_file(str(path))
    assert {key: origin.written(found[key], loader) for key in WRITTEN} == WRITTEN
    key, items = origin.step(found["flow"], "10")
    assert [origin.written(value, loader) for value in (key, *items)] == ["012", "0x1F", "1_000"]
    assert origin.written(found["quoted"], loader) == ""
    assert origin.written(7, loader) == ""


def test_written_in_a_file_that_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "numbers.yml"
    path.write_text("number: 0123\n")
    found: Any = DataLoader().load_from_file(str(path))
    path.write_text("other: [1, 2]\n")
    assert origin.written(found["number"], DataLoader()) == ""
