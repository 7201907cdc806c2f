# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine whose own Python is too old for hubs."""

from __future__ import annotations

from typing import Any

import pytest
from booted_machine import Machine
from verbs_fleet import Fleet

UNSET = "this machine has no Python 3.10 or newer in /usr/bin or /usr/local/bin; install one, or set cluster_python"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, UNSET),
        ({"cluster_python": "/usr/bin/python3"}, "cluster_python: /usr/bin/python3 is not a Python 3.10 or newer"),
    ],
)
def test_it_is_refused_before_anything_is_touched(machine: Machine, given: dict[str, Any], message: str) -> None:
    if machine.release.python:
        pytest.skip("needs a release whose own Python is too old: HUBFLEET_TEST_RELEASE=bullseye")
    reached = {name: value for name, value in machine.settings().items() if name != "cluster_python"}
    fleet = Fleet("old", machine.account(), **reached, **given)
    fleet.add("desk", "staging")
    fleet.write()
    result = fleet.run("deploy")
    assert result.code and message in " ".join(result.output.split()), result.output
    assert not fleet.state.exists() and not machine.run("find", "/var/lib", "/run", "-name", "hubfleet*")
