# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chart of the tests, and archives made from it."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import yaml

TINY = Path(__file__).parent / "tiny"


def archive(version: str = "1.2.3", name: str = "tiny") -> bytes:
    """Return the chart of the tests as a .tgz with another version, and with a subchart."""
    metadata = yaml.safe_load((TINY / "Chart.yaml").read_text())
    texts = {path.relative_to(TINY).as_posix(): path.read_bytes() for path in TINY.rglob("*") if path.is_file()}
    texts["Chart.yaml"] = yaml.safe_dump({**metadata, "version": version, "name": name}).encode()
    texts["charts/sub/Chart.yaml"] = b"name: sub\nversion: 0.0.1\n"
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for path, text in texts.items():
            member = tarfile.TarInfo(f"tiny/{path}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
    return stream.getvalue()
