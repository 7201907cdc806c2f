# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nested values are read and changed without losing their shape."""

from __future__ import annotations

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.nested import (
    depth_of,
    leaves,
    map_leaves,
    outside_lists,
    path_text,
    texts,
    value_at,
    walk,
)

VALUE = {"a": [1, {"b": "x"}], "c": {}, "d": None}


def test_walk() -> None:
    assert [path for path, _value in walk(VALUE)] == [("a",), ("a", 0), ("a", 1), ("a", 1, "b"), ("c",), ("d",)]
    assert dict(walk(VALUE))["a", 1] == {"b": "x"}


def test_leaves() -> None:
    assert list(leaves(VALUE)) == [(("a", 0), 1), (("a", 1, "b"), "x"), (("c",), {}), (("d",), None)]
    assert list(leaves(VALUE, ("v",), into_lists=False))[0] == (("v", "a"), VALUE["a"])
    assert list(leaves({})) == [((), {})]
    assert list(texts(VALUE)) == ["x"]


def test_map_leaves() -> None:
    assert map_leaves(VALUE, str) == {"a": ["1", {"b": "x"}], "c": {}, "d": "None"}


def test_places() -> None:
    assert value_at(VALUE, ("a", 1, "b")) == "x"
    assert value_at(VALUE, ("a", 2), "nothing") == "nothing"
    assert value_at(VALUE, ("d", "e"), "nothing") == "nothing"
    assert value_at(VALUE, ()) is VALUE
    assert depth_of(VALUE, ("a", 1, "z", "y")) == 2
    assert outside_lists(("a", 0, 1)) == ("a",)
    assert outside_lists(("a", 0, "b")) == ("a", 0, "b")


def test_path_text() -> None:
    assert path_text(("hub_sizes", 1, "memory")) == "hub_sizes[1].memory"
    assert path_text(("hub_sizes",)) == "hub_sizes"
    assert path_text(()) == ""
