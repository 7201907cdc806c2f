# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts are read, from directories and archives, and what is none is told."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.content import (
    ChartError,
    read,
)
from ansible_collections.hubfleet.jupyterhub.tests.unit.plugins.module_utils.platform.kubernetes.tiny_chart import (
    TINY,
    archive,
)


def test_directory_and_archive_read_the_same(tmp_path: Path) -> None:
    packed = tmp_path / "tiny.tgz"
    packed.write_bytes(archive())
    content = read(str(packed))
    assert content == read(str(TINY))
    assert (content.name, content.version, content.app_version) == ("tiny", "1.2.3", "4.5")
    assert content.kube_version == ">=1.30.0-0"
    assert content.values["replicas"] == 1
    assert content.schema and content.schema["additionalProperties"] is False
    assert os.listdir(tmp_path) == ["tiny.tgz"]


def test_chart_may_have_metadata_only(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("name: bare\nversion: 1.0.0\n")
    content = read(str(tmp_path))
    assert (content.values, content.schema, content.app_version, content.kube_version) == ({}, None, "", "")


@pytest.mark.parametrize(
    "files, expected",
    [
        ({}, "is not a Helm chart: it has no Chart.yaml"),
        ({"Chart.yaml": "version: 1.0.0"}, "its Chart.yaml has no name"),
        ({"Chart.yaml": "name: x"}, "its Chart.yaml has no version"),
        ({"Chart.yaml": "a: b: c"}, "Chart.yaml of the chart .* is not YAML"),
        ({"Chart.yaml": "[1]"}, "Chart.yaml of the chart .* is not a mapping"),
        ({"Chart.yaml": "name: x\nversion: 1.0.0", "values.schema.json": "{"}, "is not JSON"),
        ({"Chart.yaml": "name: x\nversion: 1.0.0", "values.schema.json": "[]"}, "is not a JSON schema"),
    ],
)
def test_what_is_no_chart_is_told(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ChartError, match=expected) as error:
        read(str(tmp_path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"no archive", archive()[:-200], archive()[:200] + b"\0" * 200])
def test_what_is_no_archive_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tiny.tgz"
    path.write_bytes(content)
    with pytest.raises(ChartError, match="cannot be read as a Helm chart"):
        read(str(path))


def test_archive_is_not_believed_about_paths(tmp_path: Path) -> None:
    """Links and places outside are no files of the chart."""
    path = tmp_path / "tiny.tgz"
    secret = tmp_path / "secret"
    secret.write_text("name: stolen\nversion: 1.0.0\n")
    with tarfile.open(path, "w:gz") as tar:
        link = tarfile.TarInfo("tiny/Chart.yaml")
        link.type, link.linkname = tarfile.SYMTYPE, str(secret)
        tar.addfile(link)
    with pytest.raises(ChartError, match="it has no Chart.yaml"):
        read(str(path))
    assert sorted(os.listdir(tmp_path)) == ["secret", "tiny.tgz"]


def test_real_chart() -> None:
    chart = os.environ.get("HUBFLEET_TEST_CHART")
    if not chart:
        pytest.skip("HUBFLEET_TEST_CHART names no directory with a zero-to-jupyterhub chart")
    content = read(chart)
    assert content.name == "jupyterhub"
    assert content.kube_version.startswith(">=1.")
    assert "hub" in content.values and content.schema and "hub" in content.schema["properties"]
