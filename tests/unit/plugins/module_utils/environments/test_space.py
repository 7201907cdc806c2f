# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A build that cannot end for want of space does not begin."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.space import (
    require_space,
    size_of,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.build.steps import BuildError


def test_the_largest_build_tells_how_much_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("maps-0123456789ab", 3_000_000), ("maps-ba9876543210", 1), ("maps-of-geo-0123456789ab", 9)):
        (tmp_path / name).mkdir()
        with open(tmp_path / name / "file", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, size * 100)
    os.link(tmp_path / "maps-0123456789ab/file", tmp_path / "maps-0123456789ab/same")
    assert 300_000_000 <= size_of(str(tmp_path / "maps-0123456789ab")) < 301_000_000
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=290_000_000))
    with pytest.raises(BuildError, match=r"building maps: a build needs about 30\d MB in .*, and 290 MB are free"):
        require_space("maps", str(tmp_path))
    require_space("maps-of", str(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=240_000_000))
    with pytest.raises(BuildError, match="building geo: a build needs about 250 MB"):
        require_space("geo", str(tmp_path))
