# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a recap prints of few hubs and of many."""

from __future__ import annotations

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.action import fleet_recap


@pytest.mark.parametrize("count, rows", [(20, 21), (21, 2)])
def test_many_unchanged_hubs_are_counted(count: int, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    printed: list[str] = []
    monkeypatch.setattr(fleet_recap.display, "display", lambda line, **_color: printed.append(line))
    results = {f"hub-{number}": ("unchanged", "") for number in range(count)} | {"research": ("FAILED", "no\nreason")}
    fleet_recap._print(results, dict.fromkeys(results, "https://example.org/"))
    assert len(printed) == rows
    assert any(line.split() == ["research", "FAILED", "https://example.org/", "no", "…", "reason"] for line in printed)
    assert ("21 hubs unchanged" in printed) == (count == 21)
