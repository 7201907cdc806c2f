# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables from the command line are those that playbooks describe."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.extra_variables import (
    EXTRA_VARIABLES,
    check_extra_variables,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import Problems

PLAYBOOKS = Path(__file__).parents[5] / "playbooks"


def test_every_variable_is_known() -> None:
    described = {
        name
        for path in PLAYBOOKS.glob("*.yml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("#")
        for name in re.findall(r"-e (\w+)=", line)
    }
    assert described - set(EXTRA_VARIABLES) == set()
    used = "".join(path.read_text(encoding="utf-8") for path in PLAYBOOKS.glob("*.yml"))
    assert [name for name in EXTRA_VARIABLES if name not in used] == []


def test_only_near_names_are_reported() -> None:
    problems = Problems()
    names = {"deploy_brake_lock", "deploy_waves", "remove-data", "deploy_region", "region", "hub_prot", "CHECK_EVERY"}
    check_extra_variables(FleetInput({}, {}, extra_variables=frozenset(names)), problems)
    assert [problem.line() for problem in problems.of([])] == [
        f"{name}: no playbook has such a variable; did you mean {near!r}?"
        for name, near in (
            ("CHECK_EVERY", "check_every"),
            ("deploy_brake_lock", "deploy_break_lock"),
            ("remove-data", "remove_data"),
        )
    ]
