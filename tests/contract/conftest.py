# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the collection of this checkout importable, and a cluster of each platform with an inventory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / ".ansible" / "collections"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cluster"))

from api_server import api_server  # noqa: F401  # pylint: disable=unused-import
from harnesses import HARNESSES, Harness
from kubernetes_harness import KubernetesHarness


@pytest.fixture(params=[*HARNESSES, "kubernetes"])
def harness(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Harness:
    """A cluster without hubs, of each platform."""
    if request.param == "kubernetes":
        return KubernetesHarness(request.getfixturevalue("api_server"), tmp_path, monkeypatch)
    made: Harness = HARNESSES[request.param](tmp_path, monkeypatch)
    return made
