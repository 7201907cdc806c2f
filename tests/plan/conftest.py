# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the collection of this checkout importable, and a git repository with an inventory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / ".ansible" / "collections"))

from plan_repository import Repository


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with a sound fleet on both platforms, committed; operators stand in its inventory."""
    made = Repository(tmp_path / "repository")
    made.write_base()
    made.commit()
    monkeypatch.chdir(made.inventory)
    # No charts that somebody downloaded: what is recorded of them counts.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return made
