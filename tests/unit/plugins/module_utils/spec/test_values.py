# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that are easily got wrong, in every option; without any tool for it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.spec.problems import nearest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.spec.validate import OPTIONS
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.spec.values import check_value
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.spec.sound import SOUND, lines

SCALARS: list[Any] = [
    None, True, False, 0, 1, -1, 10**400, 0.5, math.nan, math.inf, "", " ", "a", "\0", "\ud800", "a\nb", "(" * 10000,
    "http://[", "http://x:99999999/", "http://x:a/", "/..", "~/", "9" * 400, "1e999", "true", "never", "2G", "CHANGEME",
    "python", "small", "٣",
]  # fmt: skip
KEYS = (
    "name",
    "memory",
    "cpu",
    "packages",
    "requirements",
    "variables",
    "url",
    "scopes",
    "services",
    "client_id",
    "x",
    "",
)
VALUES = [
    *SCALARS,
    [],
    {},
    *([value] for value in SCALARS),
    *([value, value] for value in SCALARS),
    *({key: value} for key in KEYS for value in SCALARS),
    *([{key: value}] for key in KEYS for value in SCALARS),
    *({"a": {key: value}} for key in KEYS for value in SCALARS),
    *([{"name": "a", key: value}] for key in KEYS for value in SCALARS),
    *([{"name": value}, {"name": value}] for value in SCALARS),
    [[]],
    [{}],
    {"a": []},
    {"a": {}},
]


@pytest.mark.parametrize("name", OPTIONS)
def test_any_value_of_any_variable(name: str) -> None:
    """Accepted or reported, never an exception."""
    for value in VALUES:
        reported: list[tuple[Any, ...]] = []
        checked = check_value(OPTIONS[name], value, lambda path, message, found=reported: found.append((path, message)))
        assert checked is not None or reported
        assert all("\n" not in line for line in lines({**SOUND, name: value}))


def test_the_sound_hub_is_sound() -> None:
    assert lines(SOUND) == []


def test_nearest() -> None:
    assert nearest("memry", ["memory", "cpu"]) == "; did you mean 'memory'? (there are: cpu, memory)"
    assert nearest("x", []) == "; there are: none"
    assert nearest("hub_helicopter", OPTIONS, prefix="hub_") == ""
    assert nearest("hub_prot", OPTIONS, prefix="hub_") == "; did you mean 'hub_port'?"
