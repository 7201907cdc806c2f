# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Helm values of any form: accepted or reported in one line, once, and nothing raises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.charts import (
    Charts,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.validation.hubs import (
    KubernetesValidator,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.chart_values import (
    ChartCode,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import FleetInput, HostInput
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.validate import validate
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.schema.sound import SOUND_ON_KUBERNETES

pytest.importorskip("jsonschema_rs", reason="these tests need the Python package jsonschema-rs")

CHARTS = str(Path(__file__).parents[7] / "roles" / "hub" / "files" / "charts")
ANY: list[Any] = [
    None,
    True,
    0,
    -1,
    0.5,
    "",
    "text",
    "a\nb",
    [],
    ["text"],
    [None],
    [[]],
    [{}],
    {},
    {"a": None},
    {"": 1},
]
#: Places whose content the checks look into.
PLACES = [
    "hub",
    "hub/config",
    "hub/config/JupyterHub",
    "hub/config/JupyterHub/authenticator_class",
    "hub/config/JupyterHub/spawner_class",
    "hub/config/Authenticator",
    "hub/config/Authenticator/allow_all",
    "hub/config/Authenticator/allowed_users",
    "hub/config/NativeAuthenticator",
    "hub/config/CILogonOAuthenticator/allowed_idps",
    "hub/config/KubeSpawner",
    "hub/extraConfig",
    "hub/extraEnv",
    "hub/existingSecret",
    "hub/loadRoles",
    "hub/services",
    "hub/services/grader",
    "singleuser",
    "singleuser/extraEnv",
    "singleuser/storage",
    "singleuser/profileList",
    "singleuser/profileList/[]",
    "singleuser/profileList/[]/display_name",
    "singleuser/profileList/[]/kubespawner_override",
    "singleuser/profileList/[]/kubespawner_override/image",
    "singleuser/profileList/[]/profile_options",
    "singleuser/profileList/[]/profile_options/image",
    "singleuser/profileList/[]/profile_options/image/choices",
    "singleuser/profileList/[]/profile_options/image/choices/a",
    "singleuser/profileList/[]/profile_options/image/choices/a/kubespawner_override",
    "proxy",
    "ingress/hosts",
    "cull",
]


def found(**variables: Any) -> list[str]:
    """Return what is wrong with a hub, by its variables and by the chart."""
    host = HostInput("alpha", {**SOUND_ON_KUBERNETES, **variables}, frozenset({"staging"}))
    inventory = FleetInput({"alpha": host}, {"cloud": ["alpha"]})
    fleet, problems = validate(inventory)
    check = KubernetesValidator(inventory, Charts(CHARTS, "", ""), ChartCode("pass", "pass"), problems)
    check.check(hub for hub in fleet.hubs.values() if not problems.of(["alpha"]))
    return [problem.line() for problem in problems.of(["alpha"])]


def at(place: str, value: Any) -> dict[str, Any]:
    """Return Helm values with a value at a place."""
    for step in reversed(place.split("/")):
        value = [value] if step == "[]" else {step: value}
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("variable", ["hub_helm_values", "fleet_helm_values"])
def test_any_value_at_any_place(place: str, variable: str) -> None:
    for value in ANY:
        lines = found(**{variable: at(place, value)})
        assert all("\n" not in line for line in lines)
        places = [line.split(": ")[1] for line in lines]
        assert len(set(places)) == len(places), "two messages for one place"


def test_the_sound_hub_is_sound() -> None:
    assert found() == []
    assert found(hub_helm_values={"cull": {"every": 300}}) == []


@pytest.mark.parametrize("place", ["hub/config/JupyterHub/admin_acces", "singleuser/memmory"])
def test_ignored(place: str) -> None:
    """What a hub ignores stops nothing, but only at that place."""
    values = at(place, True)
    dotted = place.replace("/", ".")
    assert len(found(hub_helm_values=values)) == 1
    assert found(hub_helm_values=values, hub_ignored_problems=[dotted]) == []
    assert len(found(hub_helm_values=values, hub_ignored_problems=[f"{dotted}s"])) == 1
