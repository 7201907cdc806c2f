# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""axe-core, which finds barriers on web pages; downloaded once with npm, and compared with a digest."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest
from prebuilt import cache

VERSION = "4.14.1"
SHA512 = (
    "1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b73"
    "4f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5"
)
#: The rules of WCAG 2.2, levels A and AA; each version adds to those before it.
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
_RUN = """
const done = arguments[arguments.length - 1];
axe.run({runOnly: {type: "tag", values: arguments[0]}}).then((found) => done(found.violations), done);
"""


def violations(driver: Any) -> list[str]:
    """Return what the page in a browser of Selenium's violates: rule, and the first element of each."""
    driver.execute_script(_script().read_text(encoding="utf-8"))
    found = driver.execute_async_script(_RUN, TAGS)
    assert isinstance(found, list), found
    return [f"{each['id']}: {node['target']} {node['failureSummary']}" for each in found for node in each["nodes"][:3]]


def _script() -> Path:
    path = cache() / "built" / f"axe-{VERSION}.min.js"
    if not path.exists():
        _download(path)
    return path


def _download(path: Path) -> None:
    if not shutil.which("npm"):
        pytest.skip("needs npm, to download axe-core")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        command = ["npm", "pack", "--silent", f"axe-core@{VERSION}"]
        subprocess.run(command, cwd=scratch, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=300)
        (archive,) = Path(scratch).glob("*.tgz")
        assert hashlib.sha512(archive.read_bytes()).hexdigest() == SHA512, "axe-core is not what it was"
        with tarfile.open(archive) as content:
            file = content.extractfile("package/axe.min.js")
            assert file
            made = Path(scratch, "axe.min.js")
            made.write_bytes(file.read())
        os.replace(made, path)
