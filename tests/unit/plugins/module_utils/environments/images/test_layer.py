# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same files make the same layer."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.layer import LayerError, pack

zstandard = pytest.importorskip("zstandard")


def fill(directory: Path, names: list[str], time: int) -> None:
    """Write files in an order, with a time."""
    for name in names:
        path = directory / "opt" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}")
        os.utime(path, (time, time))


def test_order_and_times_do_not_count(tmp_path: Path) -> None:
    names = ["b/ä", "a", "b/B", "b/a"]
    fill(tmp_path / "1", names, 1_000_000_000)
    fill(tmp_path / "2", names[::-1], 1_700_000_000)
    first, second = (pack(str(tmp_path / each), "opt", str(tmp_path / f"{each}.tar.zst")) for each in "12")
    assert (first.digest, first.diff_id, first.size) == (second.digest, second.diff_id, second.size)
    assert first.size == os.path.getsize(first.path)
    with open(first.path, "rb") as file:
        content = zstandard.ZstdDecompressor().stream_reader(file).read()
    assert first.diff_id == f"sha256:{hashlib.sha256(content).hexdigest()}"
    (tmp_path / "2/opt/a").write_text("other content")
    assert pack(str(tmp_path / "2"), "opt", str(tmp_path / "3")).digest != first.digest


def test_what_cannot_be_packed(tmp_path: Path) -> None:
    with pytest.raises(LayerError, match="tar failed"):
        pack(str(tmp_path), "missing", str(tmp_path / "layer"))
