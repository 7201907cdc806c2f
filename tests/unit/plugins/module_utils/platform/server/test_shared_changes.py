# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared directories and files of a hub on a machine: what is written, told and checked."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.check_choices import check_choices
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.shared_changes import (
    shared_sentences,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.redaction.redactor import Redactor
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.server.test_diff import (
    desired,
    hub_of,
)

GROUPS = {"teachers": {"users": ["ada"]}, "students": {"users": ["ada"]}}
COURSE = {"path": "~/teaching//course/", "subpath": "_course", "writable_by_groups": ["teachers"]}
WELCOME = {"path": "~/welcome.txt", "content": "The content"}
LATER = " (from the next start of a server on)"


def config_of(directories: dict[str, Any], files: dict[str, Any]) -> dict[str, Any]:
    given = {"hub_groups": GROUPS, "hub_shared_directories": directories, "hub_files": files}
    return desired(hub_of(**given)).config


def test_paths_are_relative_to_the_home() -> None:
    config = config_of({"course": COURSE}, {"welcome": WELCOME})
    assert config["shared_directories"] == {"course": {"path": "teaching/course", "writable_by_groups": ["teachers"]}}
    assert config["files"] == {"welcome": {"path": "welcome.txt", "content": "The content"}}


@pytest.mark.parametrize(
    "directories, files, told",
    [
        ({"course": COURSE}, {"welcome": WELCOME}, ""),
        ({}, {"welcome": WELCOME}, "shared directory course not shown any more; its files stay"),
        ({"course": COURSE, "data": {"path": "~/data"}}, {"welcome": WELCOME}, "shared directory data added"),
        (
            {"course": {**COURSE, "path": "~/course", "allowed_groups": ["students"]}},
            {"welcome": WELCOME},
            "shared directory course changed: allowed_groups, path",
        ),
        ({"course": {**COURSE, "subpath": "_other"}}, {"welcome": WELCOME}, ""),
        ({"course": COURSE}, {"welcome": {**WELCOME, "content": "Hi"}}, "file welcome changed: content"),
        ({"course": COURSE}, {}, "file welcome not shown any more; it stays in homes"),
    ],
)
def test_changes_are_told(directories: dict[str, Any], files: dict[str, Any], told: str) -> None:
    before = config_of({"course": COURSE}, {"welcome": WELCOME})
    found = shared_sentences(before, config_of(directories, files), Redactor())
    assert found == ([told + LATER] if told else [])
    # a hub.json of an earlier release has neither
    assert shared_sentences({}, before, Redactor()) == [f"shared directory course added; file welcome added{LATER}"]


def test_differences_do_not_show_the_content_of_files() -> None:
    shown = desired(hub_of(hub_files={"welcome": WELCOME})).shown()
    assert "welcome.txt" in shown and "The content" not in shown


def test_a_check_looks_for_what_everybody_finds() -> None:
    directories = {
        "everybody": {"path": "~/everybody"},
        "reading": {"path": "~/reading", "read_only": True},
        "course": COURSE,
        "data": {"path": "~/data", "source": "/srv/data"},
        "staff": {"path": "~/staff", "allowed_groups": ["teachers"]},
    }
    choices, _warnings = check_choices(hub_of(hub_groups=GROUPS, hub_shared_directories=directories), every=False)
    expected = {"everybody": True, "reading": False, "teaching/course": False, "data": False}
    assert choices[0].shared_directories == expected
