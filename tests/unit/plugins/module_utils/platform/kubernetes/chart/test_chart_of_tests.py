# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chart that tests install on a cluster has the values of zero-to-jupyterhub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.nested import leaves, value_at
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.content import read
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.option_places import (
    PLACES,
)

PROJECT = Path(__file__).resolve().parents[7]
VALUES = read(str(PROJECT / "tests/support/charts/jupyterhub")).values
RECORDED = json.loads((PROJECT / "roles/hub/files/charts/4.4.0/values.json").read_text(encoding="utf-8"))
#: Below these, anything may be set.
OPEN = "hub/config/"


@pytest.mark.parametrize(
    "place", sorted({place for each in PLACES for place in each.expected if not place.startswith(OPEN)})
)
def test_has_every_value_that_options_set(place: str) -> None:
    current: Any = VALUES
    for key in place.split("/"):
        if current in (None, {}, []):
            return
        assert key in current
        current = current[key]


def test_has_the_same_defaults_except_for_images_and_the_scheduler_that_it_leaves_out() -> None:
    def differs(path: tuple[Any, ...]) -> bool:
        return path[-2:] in (("image", "name"), ("image", "tag")) or path[-1] in ("plugins", "pluginConfig")

    found = {path: value for path, value in leaves(VALUES) if not differs(path)}
    assert found == {path: value_at(RECORDED, path, "missing") for path in found}
