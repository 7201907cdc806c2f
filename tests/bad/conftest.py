# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the collection of this checkout importable, and a place for inventories."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / ".ansible" / "collections"))


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory to stand in, as operators stand in that of their inventory."""
    directory = tmp_path / "inventory"
    directory.mkdir()
    monkeypatch.chdir(directory)
    # No charts that somebody downloaded: what is recorded of them counts.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return directory
