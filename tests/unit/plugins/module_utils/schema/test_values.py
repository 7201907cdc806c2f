# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that are easily got wrong, in every option; without any tool for it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.options import OPTIONS
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import nearest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.values import check_value
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.schema.sound import (
    SOUND,
    SOUND_ON_KUBERNETES,
    lines,
    sound_for,
)

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
        assert all("\n" not in message for _path, message in reported)
        # What is reported does not get as far as the checks of a whole hub.
        for sound in sound_for(OPTIONS[name]) if not reported else ():
            assert all("\n" not in line for line in lines({**sound, name: value}))


@pytest.mark.parametrize("sound", [SOUND, SOUND_ON_KUBERNETES], ids=["server", "kubernetes"])
def test_the_sound_hubs_are_sound(sound: dict[str, Any]) -> None:
    assert lines(sound) == []


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, option in OPTIONS.items()
        if option.kind in ("dict", "values") and not (option.options or option.elements)
    ],
)
def test_any_value_inside_of_free_mappings(name: str) -> None:
    """What is handed on as it is, is looked through for texts that are not the real ones yet, however deep."""
    for text, message in (("CHANGEME", "placeholder"), ("ENC[AES256_GCM,data:x", "encrypted"), ("TODO\nx = 1", "")):
        reported: dict[tuple[Any, ...], str] = {}
        check_value(OPTIONS[name], {"a": [{"b": text}]}, lambda path, said, found=reported: found.update({path: said}))
        assert list(reported) == ([("a", 0, "b")] if message else [])
        assert message in "".join(reported.values())


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("quay.io/jupyter/scipy-notebook:2025-11-10", ""),
        ("localhost:5000/a:1", ""),
        ("a@sha256:" + "0" * 64, ""),
        ("a:1@sha256:" + "0" * 64, ""),
        ("registry.example.org:5000/a", "has no tag"),
        ("a@sha256:0", "is not a container image"),
        ("Upper/case:1", ""),  # a host without a dot
        ("quay.io/Upper/case:1", "is not a container image"),
        ("https://quay.io/a:1", "(without https://)"),
        ("a b:1", "is not a container image"),
    ],
)
def test_images(image: str, message: str) -> None:
    reported: list[str] = []
    option = OPTIONS["hub_environment_catalogue"].elements
    assert option is not None
    check_value(option, {"image": image}, lambda _path, said: reported.append(said))
    assert len(reported) == bool(message)
    assert message in "".join(reported)


def test_every_size_without_memory_is_told() -> None:
    """One size that has no memory hides no other, nor what is wrong with the memory of a third."""
    sizes: dict[str, Any] = {"a": {}, "b": {"cpu": 1}, "c": {"memory": "lots"}, "unused": {}}
    found = lines({**SOUND, "hub_size_catalogue": sizes, "hub_sizes": ["a", "b", "c"]})
    assert [line.split(": ", 2)[1:] for line in found] == [
        ["hub_size_catalogue.a", "memory is missing (memory limit of a session; required on a server)"],
        ["hub_size_catalogue.b", "memory is missing (memory limit of a session; required on a server)"],
        ["hub_size_catalogue.c.memory", "'lots' is not memory; write it like 512M or 2G"],
    ]
    assert lines({**SOUND_ON_KUBERNETES, "hub_size_catalogue": {"small": {}, "unused": {}}}) == []


def test_nearest() -> None:
    assert nearest("memry", ["memory", "cpu"]) == "; did you mean 'memory'? (there are: cpu, memory)"
    assert nearest("x", []) == "; there are: none"
    assert nearest("hub_helicopter", OPTIONS, prefix="hub_") == ""
    assert nearest("hub_prot", OPTIONS, prefix="hub_") == "; did you mean 'hub_port'?"
    assert nearest("memry", ["cpu"], elsewhere=["memory"]) == "; did you mean 'memory'? (there are: cpu)"
