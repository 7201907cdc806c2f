# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests on clusters name options that exist, and the record holds nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import cluster_options
import pytest


def test_named_options_exist() -> None:
    assert cluster_options.named_options() <= set(cluster_options.kubernetes_options())


def test_recorded_options_are_named_by_tests() -> None:
    for chart, options in cluster_options.read_record().items():
        assert set(options) <= cluster_options.named_options(), chart


def test_options_that_no_test_names() -> None:
    """Only the rendered value of keys is tested in unit tests; options themselves are named, or have a reason."""
    given = {name for names in cluster_options.REASONS.values() for name in names}
    options = {name for name in cluster_options.kubernetes_options() if "." not in name}
    assert given <= set(cluster_options.kubernetes_options())
    assert sorted(given & cluster_options.named_options()) == []
    assert sorted(options - given - cluster_options.named_options()) == []


def test_update(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "test_one.py").write_text('@pytest.mark.options("hub_title", "hub_files.mode")\ndef test(): ...\n')
    monkeypatch.setattr(cluster_options, "TESTS", tmp_path)
    monkeypatch.setattr(cluster_options, "RECORD", tmp_path / "seen.json")
    cluster_options.update_record("a chart", {"hub_title", "hub_files", "hub_files.mode", "hub_logo"}, set())
    assert json.loads((tmp_path / "seen.json").read_text()) == {"a chart": ["hub_files", "hub_files.mode", "hub_title"]}
    cluster_options.update_record("a chart", {"hub_title"}, {"hub_title"})
    assert cluster_options.read_record() == {"a chart": ["hub_files", "hub_files.mode"]}
    assert "| `hub_files` | yes |" in cluster_options.table()
