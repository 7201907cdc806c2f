# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers merge as the real Helm merges them, and come apart again."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.nested import depth_of, path_text

pytest.importorskip("hypothesis", reason="these tests need the Python package hypothesis")

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.layers import (
    Values,
    assign,
    common,
    leaves,
    merge,
    merge_all,
    over_defaults,
    overlay,
    same,
    undotted,
    without,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.helm_chart import (
    ANYTHING,
    LAYER,
    merged_by_helm,
    seen_by_templates,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

LAYERS = st.lists(LAYER, min_size=1, max_size=4)
SETTINGS = settings(max_examples=150, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for the chart that shows values; each example writes it anew."""
    pytest.importorskip("helm_python", reason="what Helm does is not compared without the package helm-python-sdk")
    return tmp_path_factory.mktemp("tiny")


def shown(result: Any, defaults: Any) -> Any:
    """Return what templates see, without null where the chart's default is null.

    Helm 3 leaves such a null, Helm 4.0 to 4.2 leave out the key; templates cannot tell both apart by its value.
    """
    if not isinstance(result, dict):
        return result
    below = defaults if isinstance(defaults, dict) else {}
    return {
        key: shown(value, below.get(key))
        for key, value in result.items()
        if value is not None or below.get(key, "nothing") is not None
    }


@given(layers=LAYERS)
@SETTINGS
def test_several_values_files_merge_as_in_helm(chart: Path, layers: list[Values]) -> None:
    assert merge_all(layers) == merged_by_helm(chart, list(map(json.dumps, layers)))


@given(defaults=LAYER, layers=LAYERS)
@example(defaults={"alpha": {"beta": 1}}, layers=[{"alpha": 2}])
@example(defaults={"alpha": 2}, layers=[{"alpha": {"beta": None}}])
@example(defaults={"alpha": {"beta": {"gamma": 1}}}, layers=[{"alpha": {"beta": None}}, {"alpha": {"beta": {}}}])
@example(defaults={"alpha": {"beta": None}}, layers=[{"alpha": {"beta": {"gamma": None}}}])
@SETTINGS
def test_templates_see_what_helm_shows_them(chart: Path, defaults: Values, layers: list[Values]) -> None:
    ours = over_defaults(defaults, merge_all(layers))
    helms = seen_by_templates(chart, [json.dumps(defaults)], merge_all(layers))
    assert shown(ours, defaults) == shown(helms, defaults)


@given(defaults=LAYER, lower=LAYER, upper=LAYER)
@SETTINGS
def test_nothing_given_is_changed(defaults: Values, lower: Values, upper: Values) -> None:
    before = copy.deepcopy((defaults, lower, upper))
    over_defaults(defaults, merge(lower, upper))
    overlay(lower, upper)
    without(lower, common([lower, upper]))
    assert (defaults, lower, upper) == before


def test_null_deletes_a_default_and_the_last_layer_wins() -> None:
    defaults = {"limits": {"memory": "1G", "cpu": 1}, "list": [1, 2]}
    layers: list[Values] = [{"limits": {"memory": None}}, {"list": [3], "new": None}, {"limits": {"cpu": 2}}]
    assert over_defaults(defaults, merge_all(layers)) == {"limits": {"cpu": 2}, "list": [3], "new": None}
    assert over_defaults(defaults, merge_all([*layers, {"limits": {"memory": "2G"}}]))["limits"]["memory"] == "2G"


def test_same_is_stricter_than_equal() -> None:
    assert same({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]})
    for one, other in ((True, 1), (1, 1.0), ([1], [1, 2]), ({"a": 1}, {"a": 1, "b": None}), (None, ""), ([True], [1])):
        assert not same(one, other)


@given(ours=LAYER, wanted=LAYER)
@SETTINGS
def test_overlay_makes_ours_into_wanted_but_for_what_it_names(ours: Values, wanted: Values) -> None:
    layer, surplus = overlay(ours, wanted)
    result = merge(ours, layer)
    for path in surplus:
        assert depth_of(wanted, path) < len(path)
        holder = result
        for key in path[:-1]:
            holder[key] = dict(holder[key])
            holder = holder[key]
        del holder[path[-1]]
    assert same(result, wanted)


@given(ours=LAYER, more=LAYER)
@SETTINGS
def test_overlay_is_the_least_that_is_needed(ours: Values, more: Values) -> None:
    wanted = merge(ours, more)
    layer, surplus = overlay(ours, wanted)
    assert surplus == []
    for path, value in leaves(layer):
        if path:
            there = depth_of(ours, path) == len(path)
            assert not there or not same(_at(ours, path), value)
    assert overlay(wanted, wanted) == ({}, [])


@given(layers=LAYERS)
@SETTINGS
def test_what_is_common_and_what_is_left_are_the_layer_again(layers: list[Values]) -> None:
    shared = common(layers)
    for layer in layers:
        assert same(merge(shared, without(layer, shared)), layer)
        assert same(merge(without(layer, shared), shared), layer)


@given(layer=LAYER)
@SETTINGS
def test_everything_is_common_to_a_layer_and_itself(layer: Values) -> None:
    assert same(common([layer, copy.deepcopy(layer)]), layer)
    assert without(layer, layer) == {}


def test_common_is_as_large_as_it_can_be() -> None:
    one: Values = {"a": {"x": 1, "y": 2}, "b": [1], "c": {}, "d": None, "e": True}
    other: Values = {"a": {"x": 1, "y": 3}, "b": [1], "c": {}, "d": None, "e": 1}
    assert common([one, other]) == {"a": {"x": 1}, "b": [1], "c": {}, "d": None}
    assert without(one, common([one, other])) == {"a": {"y": 2}, "e": True}


@given(layer=LAYER)
@SETTINGS
def test_leaves_are_all_of_a_layer(layer: Values) -> None:
    rebuilt: Values = {}
    for path, value in leaves(layer):
        if path:
            assign(rebuilt, path, value)
    assert same(rebuilt, layer)


def test_assign_merges_mappings_and_replaces_the_rest() -> None:
    values: Values = {}
    assign(values, ("singleuser", "extraEnv"), {"A": "1"})
    assign(values, ("singleuser", "extraEnv", "B"), "2")
    assign(values, ("singleuser", "extraEnv"), {"A": "3"})
    assign(values, ("singleuser", "tolerations"), [1])
    assign(values, ("singleuser", "tolerations"), [2])
    assert values == {"singleuser": {"extraEnv": {"A": "3", "B": "2"}, "tolerations": [2]}}


def test_assign_leaves_alone_what_was_assigned() -> None:
    """Hubs share the mappings of their groups: what one hub adds must not come to the others."""
    of_the_group = {"A": "1"}
    values: Values = {}
    assign(values, ("singleuser", "extraEnv"), of_the_group)
    assign(values, ("singleuser", "extraEnv", "B"), "2")
    assert of_the_group == {"A": "1"}
    assert values["singleuser"]["extraEnv"] == {"A": "1", "B": "2"}


def test_assign_puts_a_mapping_in_the_place_of_anything_else() -> None:
    values: Values = {"a": "text"}
    assign(values, ("a", "b", "c"), 1)
    assert values == {"a": {"b": {"c": 1}}}


@given(values=LAYER, path=st.lists(st.one_of(st.sampled_from(["alpha", "beta"]), st.integers(-1, 2)), max_size=4))
@SETTINGS
def test_deepest_tells_how_far_a_place_exists(values: Values, path: list[Any]) -> None:
    steps = depth_of(values, tuple(path))
    assert 0 <= steps <= len(path)
    here = _at(values, tuple(path[:steps]))
    if steps < len(path):
        part = path[steps]
        assert not (isinstance(here, dict) and part in here)
        assert not (isinstance(here, list) and isinstance(part, int) and 0 <= part < len(here))


#: Keys as they are in charts: annotations hold dots and slashes, Python classes capitals.
WRITTEN_KEYS = st.sampled_from(["hub", "a.b", "example.org/team", "nvidia.com/gpu", "01", "x-y", "a"])


@given(values=st.recursive(ANYTHING, lambda inner: st.dictionaries(WRITTEN_KEYS, inner, max_size=3), max_leaves=6))
@SETTINGS
def test_places_are_found_by_how_they_are_written(values: Any) -> None:
    for path, _value in leaves({"top": values}):
        read = undotted(path_text(path), {"top": values})
        # Where both a.b and a with b in it exist, the text is ambiguous; the longer key is meant.
        assert path_text(read) == path_text(path)
        assert depth_of({"top": values}, read) == len(read)


def test_places_are_read_as_people_write_them() -> None:
    values: Values = {
        "hub": {"annotations": {"example.org/team": "x", "plain": "y"}},
        "singleuser": {"profileList": [{"slug": "a"}]},
    }
    readings: dict[str, tuple[Any, ...]] = {
        "hub.annotations.example.org/team": ("hub", "annotations", "example.org/team"),
        "hub.annotations.plain": ("hub", "annotations", "plain"),
        "singleuser.profileList[0].slug": ("singleuser", "profileList", 0, "slug"),
        "singleuser.profileList.0.slug": ("singleuser", "profileList", 0, "slug"),
        "singleuser.profileList[7].slug": ("singleuser", "profileList", 7, "slug"),
        "singleuser.nothing.here": ("singleuser", "nothing", "here"),
    }
    for text, path in readings.items():
        assert undotted(text, values) == path
    assert path_text(("singleuser", "profileList", 0, "slug")) == "singleuser.profileList[0].slug"
    assert path_text(()) == ""


def _at(values: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        values = values[part]
    return values
