# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What plans show of hubs with encrypted values, now and before."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.redacted import (
    mask_difference,
    mask_earlier,
)


def shown(before: Any, after: Any, encrypted: set[str]) -> tuple[Any, Any]:
    """Return what a plan shows of a hub's configuration."""
    texts = ["" if config is None else json.dumps(config) for config in (before, after)]
    before, after = mask_difference(*texts, encrypted)
    return json.loads(before) if before else None, json.loads(after) if after else None


def environment(**variables: Any) -> dict[str, Any]:
    return {"title": "Hub", "traits": {"Spawner": {"environment": variables}}}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # Rotated, added, removed, no longer encrypted.
        (environment(T="old"), environment(T="secret"), (environment(T="***"), environment(T="***"))),
        (environment(), environment(T="secret"), (environment(), environment(T="***"))),
        (environment(T="old"), environment(), (environment(T="***"), environment())),
        (environment(T="old"), environment(T="plain"), (environment(T="***"), environment(T="plain"))),
        # Inside of other text, as in an address.
        (None, {"url": "https://me:secret@host"}, (None, {"url": "***"})),
        ({"key": "secret"}, {"key": "plain"}, ({"key": "***"}, {"key": "plain"})),
        ({"key": "old"}, {"key": "secret"}, ({"key": "***"}, {"key": "***"})),
        ({"keys": ["old", "a"]}, {"keys": ["secret", "a"]}, ({"keys": ["***", "a"]}, {"keys": ["***", "a"]})),
        ({"keys": ["old"]}, {"keys": ["a", "secret"]}, ({"keys": ["***"]}, {"keys": ["a", "***"]})),
        ({"key": {"in": "old"}}, {"key": "secret"}, ({"key": {"in": "***"}}, {"key": "***"})),
        # What is no secret is shown.
        ({"a": [1, {"b": None}]}, {"a": [2, {"b": True}]}, ({"a": [1, {"b": None}]}, {"a": [2, {"b": True}]})),
    ],
)
def test_secrets_are_stars(before: Any, after: Any, expected: tuple[Any, Any]) -> None:
    assert shown(before, after, {"secret"}) == expected


def test_earlier_deploys() -> None:
    """Of what was deployed once, as much is shown as a plan shows of what was before."""
    now = json.dumps({**environment(T="secret"), "key": "secret"})
    earlier = json.dumps({**environment(T="old", E="once"), "key": "older"})
    found = json.loads(mask_earlier(earlier, now, {"secret"}))
    assert found == {**environment(T="***", E="***"), "key": "***"}
    with pytest.raises(ValueError):
        mask_earlier("edited by hand", now, {"secret"})


def test_short_texts_only_hide_themselves() -> None:
    assert shown(None, {"a": "on", "b": "once"}, {"on"}) == (None, {"a": "***", "b": "once"})
