# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing of a lower layer disappears without being told."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.nested import depth_of, value_at

pytest.importorskip("hypothesis", reason="these tests need the Python package hypothesis")

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.chart_values import (
    ChartValues,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.layers import (
    leaves,
    same,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.replaced import (
    Replacement,
    replacements,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.settings import (
    Setting,
)
from hypothesis import given, settings
from hypothesis import strategies as st

KEYS = st.sampled_from("abc")
VALUES = st.recursive(
    st.sampled_from([None, 1, "x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
LAYER = st.dictionaries(KEYS, VALUES, max_size=3)


def found(option: dict[str, Any], *layers: dict[str, Any]) -> list[Replacement]:
    """Return what layers over values that options made replace."""
    made = [Setting((key,), value, ("hub_option", key)) for key, value in option.items()]
    return list(replacements(ChartValues(made, [(f"layer{number}", layer) for number, layer in enumerate(layers)])))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(LAYER, LAYER)
def test_what_is_gone_is_told(lower: dict[str, Any], upper: dict[str, Any]) -> None:
    """Every value that has no place in the result is at or below the place of a replacement."""
    merged = ChartValues([], [("lower", lower), ("upper", upper)]).merged
    for told in (found(lower, upper), found({}, lower, upper)):
        places = [each.path for each in told]
        for path, value in leaves(lower) if lower else ():
            if value in (None, {}, []):
                continue
            now = value_at(merged, path)
            kept = depth_of(merged, path) == len(path) and now is not None
            kept = kept and not (isinstance(value, list) and lost(value, now))
            assert kept or any(path[: len(place)] == place for place in places), path


def lost(below: list[Any], value: Any) -> bool:
    return not isinstance(value, list) or any(not any(same(item, other) for other in value) for item in below)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(LAYER, LAYER)
def test_what_is_told_is_gone(lower: dict[str, Any], upper: dict[str, Any]) -> None:
    """Nothing is told of the same values once more, nor of what merges."""
    assert found({}, lower, lower) == []
    for each in found(lower, upper):
        before, after = value_at(lower, each.path), value_at(upper, each.path)
        assert not same(before, after)
        assert not (isinstance(before, dict) and isinstance(after, dict))
        assert each.removed[0][0] == "hub_option"


@pytest.mark.parametrize(
    ("option", "layer", "kind"),
    [
        ({"a": {"b": 1}}, {"a": [1]}, "mapping"),
        ({"a": {"b": 1}}, {"a": "x"}, "mapping"),
        ({"a": {"b": 1}}, {"a": None}, "null"),
        ({"a": {"b": 1}}, {"a": {}}, ""),
        ({"a": {"b": 1}}, {"a": {"c": 1}}, ""),
        ({"a": [1]}, {"a": {"b": 1}}, "list"),
        ({"a": [1, 2]}, {"a": [2]}, "items"),
        ({"a": [1, 2]}, {"a": [0, 2, 1]}, ""),
        ({"a": []}, {"a": {"b": 1}}, ""),
        ({"a": 1}, {"a": 2}, ""),
        ({"a": 1}, {"a": None}, "null"),
        ({"a": "x"}, {"a": {"valueFrom": 1}}, ""),
        ({"hub": {"extraConfig": {"ours": "code"}}}, {"hub": {"extraConfig": {"ours": "other"}}}, "code"),
        ({"hub": {"extraConfig": {"ours": "code"}}}, {"hub": {"extraConfig": {"more": "other"}}}, ""),
    ],
)
def test_kinds(option: dict[str, Any], layer: dict[str, Any], kind: str) -> None:
    assert [each.kind for each in found(option, layer)] == ([kind] if kind else [])
