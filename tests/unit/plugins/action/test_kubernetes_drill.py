# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub of a drill never works on the database of the hub itself."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.action.kubernetes_drill import refuse_database_of_hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError

Values = dict[str, Any]


@pytest.mark.parametrize("hub", [{}, {"db": {"type": "sqlite-pvc"}}, {"db": {"pvc": {"storage": "1Gi"}}}])
def test_a_database_in_a_claim(hub: Values) -> None:
    refuse_database_of_hub({"hub": hub})


@pytest.mark.parametrize(
    "hub",
    [
        {"db": {"type": "postgres", "url": "postgresql://hub@database/hub"}},
        {"db": {"type": "mysql"}},
        {"db": {"type": "other"}},
        {"config": {"JupyterHub": {"db_url": "postgresql://hub@database/hub"}}},
    ],
)
def test_a_database_elsewhere(hub: Values) -> None:
    with pytest.raises(PlatformError, match="its database is not in a claim of the hub"):
        refuse_database_of_hub({"hub": hub})
