# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML as Helm reads it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.errors import FleetImportError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.importing.helm_yaml import (
    read_mapping,
    resolve,
    resolve_yaml_1_2,
)

#: What Helm's own parser (helm-python-sdk 0.2.2) makes of these words.
WORDS: dict[str, Any] = {
    "y": True,
    "Off": False,
    "tRue": "tRue",
    "~": None,
    "Null": None,
    "0644": 420,
    "0o644": 420,
    "0b11": 3,
    "-0x1F": -31,
    "1_000": 1000,
    "08": 8.0,
    "1e3": 1000.0,
    "69e8": 6900000000.0,
    "69e8f": "69e8f",
    "1e400": "1e400",
    "5.": 5.0,
    ".5": 0.5,
    ".e5": ".e5",
    "+5": 5,
    "0b12": "0b12",
    "99999999999999999999": 1e20,
    "1:30": "1:30",
    "2024-04-08": "2024-04-08",
    "_1": "_1",
    "=": "=",
}


@pytest.mark.parametrize(("word", "value"), WORDS.items())
def test_word(word: str, value: Any) -> None:
    found = resolve(word)
    assert (type(found), found) == (type(value), value)


DOCUMENTS = [
    *(f"a: {word}" for word in WORDS if word not in ("99999999999999999999",)),
    "a: !!str 1",
    "a: !!int '3'",
    "a: !!float 3",
    "a: !!binary aGk=",
    "a: !other text",
    "1: a\n2.0: b\n1.5: c\ntrue: d\n0x10: e\ny: f",
    "1e21: a\n123456789.5: b\n1e-7: c\n100000.0: d\n1e6: e\n0.0001: f\n-1.5: g\n-0.0: h\n1e39: i\n123456.7: j\n.1: k",
    "9223372036854775807: a\n-9223372036854775808: b",
    "a: &x 1\nb: *x\nc: &x {d: 2}\ne: *x",
    "x: &x {a: 1, b: 2}\nc: {b: 3, <<: *x}\nd: {<<: *x, b: 3}",
    "x: &x {a: 1}\nz: &z {a: 2, b: 3}\nc: {<<: [*x, *z]}",
    "a: 1\na: 2",
    "a:\t1\nb: x\t\nc: 'x'\t# c\nd: [1,\t2\t,\n\t3]\ne: {f:\t1}\ng:\t\n  h: 1\n",
    "a: 1\n---\nb: 2",
    "",
    "a: {b, c}",
    "a: '1'\nb: \"2\"\nc: |\n  3\n",
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_as_helm_itself(document: str) -> None:
    helm = pytest.importorskip("helm_python", reason="helm-python-sdk is not installed")
    assert read_mapping(document, "values.yaml").value == helm.values_from_yaml(document)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("a: 1\nb: [", "values.yaml:2: is not YAML"),
        ("a: 1\nnull: 2", "values.yaml:2: has null as a key"),
        ("a: 1\n[b]: 2", "values.yaml:2: has a key that is not text"),
        ("9223372036854775808: a", "values.yaml:1: has a number as a key that is too large for Helm"),
        (
            "a0: &a0 [1]\n" + "".join(f"a{n + 1}: &a{n + 1} [{f'*a{n},' * 10}]\n" for n in range(9)),
            "values.yaml:7: has anchors",
        ),
        ("a:\n\tb: 1", "values.yaml:2: is not YAML: found character '\\t'"),
        ("a:\n  -\tb: 1", "values.yaml:2: is not YAML: found character '\\t'"),
        ("a: *b", "values.yaml:1: is not YAML: found undefined alias 'b'"),
        ("a: .nan", "values.yaml:1: .nan is a number that Helm does not support"),
        ("a: &a [*a]", "values.yaml:1: has an anchor that contains itself"),
        ("a: 1\n<<: 2", "values.yaml:2: '<<' merges only mappings"),
        ('a: "\\ud800"', "values.yaml:1: contains half of a surrogate pair"),
        ("a: !!int x", "values.yaml:1: does not match its tag !!int"),
        ("a: !!binary '*'", "values.yaml:1: is binary data that is not text"),
        ("a: 1\nb: \x01", "values.yaml:2: contains a character that YAML does not allow"),
        ("- a", "values.yaml: is not a mapping"),
        ("[" * 3000, "values.yaml: is nested too deeply"),
    ],
)
def test_what_helm_refuses(document: str, message: str) -> None:
    with pytest.raises(FleetImportError) as raised:
        read_mapping(document, "values.yaml")
    assert str(raised.value).startswith(message)


def test_keys_that_are_there_twice_are_told() -> None:
    reading = read_mapping("a: 1\nb:\n  c: 1\n  c: 2\n", "values.yaml")
    assert reading.value == {"a": 1, "b": {"c": 2}}
    assert reading.notes == ["values.yaml:4: 'c' is defined twice; the last one is used"]


def test_more_documents_are_told() -> None:
    assert "values.yaml: contains several documents" in read_mapping("a: 1\n---\nb: 2", "values.yaml").notes[0]


@pytest.mark.parametrize(
    "word",
    ["yes", "no", "on", "Off", "y", "true", "TRUE", "tRue", "~", "null", "Null", "0123", "0o17", "0x1F", "0b101", "+12"]
    + ["1_000", "12:30", "2:30:15", "1.5", "1e3", ".5", "-.5", "_1", "1.2.3", "ada", "-", "0", "1__0", "89"],
)
def test_words_of_yaml_1_2(word: str) -> None:
    """They are what they are to ruamel.yaml, which reads YAML 1.2."""
    ruamel = pytest.importorskip("ruamel.yaml", reason="this test needs the package ruamel.yaml")
    expected = ruamel.YAML(typ="safe", pure=True).load(f"[{word}]")[0]
    found = resolve_yaml_1_2(word)
    assert (found, type(found)) == (expected, type(expected))
