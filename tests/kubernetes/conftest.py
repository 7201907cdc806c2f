# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory with hubs on Kubernetes, on which playbooks run as an operator runs them."""

from __future__ import annotations

from pathlib import Path

import pytest
from kubernetes_fleet import KubernetesFleet


@pytest.fixture
def fleet(tmp_path: Path) -> KubernetesFleet:
    """A fleet of two hubs on Kubernetes, and one on a machine."""
    made = KubernetesFleet(tmp_path)
    made.write()
    return made
