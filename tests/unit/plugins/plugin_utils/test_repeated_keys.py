# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that stand twice in files of an inventory."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.repeated_keys import repeated_keys


def found(directory: Path) -> list[tuple[str, int, int, str]]:
    return [
        (repeated.key, int(repeated.origin.rpartition(":")[2]), repeated.line, repeated.host)
        for repeated in repeated_keys([str(directory)], ["alpha"])
    ]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("a: 1\nb: 2\na: 3\n", [("a", 3, 1)]),
        ("a: {b: 1,\n 'b': 2}\n", [("b", 2, 1)]),
        ('{"a":1,\n"a":2}', [("a", 2, 1)]),
        ("a:\n  - {b: 1}\n  - {b: 2}\n", []),
        ("a: {b: 1}\nb: {a: 2}\n", []),
        ("a: !vault |\n  $ANSIBLE_VAULT\nb: {a: 1}\na: 2\n", [("a", 4, 1)]),
        ("a: 1\na: [\n", []),
        ("# a: 1\na: 'a: b'\n", []),
    ],
)
@pytest.mark.parametrize(("place", "host"), [("host_vars/alpha.yml", "alpha"), ("group_vars/all/more.yml", "")])
def test_repeated_keys(place: str, host: str, text: str, keys: list[tuple[str, int, int]], tmp_path: Path) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert found(tmp_path) == [(*key, host) for key in keys]


def test_files_that_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "host_vars" / "alpha").mkdir(parents=True)
    (tmp_path / "hosts.yml").write_text("all: {}\n")
    (tmp_path / "readme.md").write_text("a: 1\na: 2\n")
    (tmp_path / "host_vars" / "alpha" / "binary").write_bytes(b"a: \xff\na: 1\n")
    encrypted = VaultLib([("default", VaultSecret(b"password"))]).encrypt("a: 1\na: 2\n")
    (tmp_path / "host_vars" / "alpha" / "vault.yml").write_bytes(encrypted)
    assert found(tmp_path) == []


def test_variables_beside_a_file(tmp_path: Path) -> None:
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars" / "alpha.yml").write_text("a: 1\na: 2\n")
    (tmp_path / "hosts.yml").write_text("all: {}\n")
    assert [repeated.key for repeated in repeated_keys([str(tmp_path / "hosts.yml")], ["alpha"])] == ["a"]


def test_a_line_of_an_image_takes_no_time(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text(f"a: {'x' * 1_000_000}\na: 1\n")
    assert found(tmp_path) == [("a", 2, 1, "")]
