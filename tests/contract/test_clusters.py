# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the clusters of a fleet are read: at the same time where their platform allows it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.planning import for_each_cluster
from contract_inventory import inventory_of
from memory_platform import MemoryPlatform, MemoryPlatforms


@pytest.mark.parametrize("threads", [True, False])
def test_clusters_answer_in_their_order(threads: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryPlatform, "threads", threads)
    inventory, hubs = inventory_of({}, clusters=("far", "near"))
    clusters = MemoryPlatforms(inventory).deployable(hubs)
    together = threading.Barrier(2 if threads else 1, timeout=10)
    waited: list[str] = []

    @contextmanager
    def waiting() -> Iterator[None]:
        waited.append("entered")
        yield

    def ask(_platform: Any, members: list[Any]) -> str:
        together.wait()  # raises unless the other one comes meanwhile
        return str(members[0].name)

    assert list(for_each_cluster(clusters, ask, waiting()).items()) == [("far", "alpha"), ("near", "beta")]
    assert waited == (["entered"] if threads else [])
