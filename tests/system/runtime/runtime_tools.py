# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hubs without playbooks run from: tools and an environment that all tests share, and this checkout's code."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from prebuilt import prebuilt

FILES = Path(__file__).resolve().parents[3] / "roles" / "cluster" / "files"
PYTHON = "/usr/bin/python3"  # one that other accounts may use too
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: accounts are made")
needs_bwrap = pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap")


@dataclass(frozen=True)
class Tools:
    """The paths of what hubs need."""

    code: Path
    hub: Path
    user: Path
    broken: Path
    node: Path
    proxy: Path


def make_tools(directory: Path) -> Tools:
    """Return the tools; a copy of the runtime and an environment without a server are written into the directory."""
    built = prebuilt()
    broken = directory / "environments" / "broken-1"
    (broken / "bin").mkdir(parents=True)
    program = broken / "bin" / "jupyterhub-singleuser"
    program.write_text(f"#!{PYTHON}\nimport no_such_module\n", encoding="utf-8")
    program.chmod(0o755)
    code = directory / "code"
    shutil.copytree(FILES / "runtime", code, ignore=shutil.ignore_patterns("__pycache__"))
    return Tools(
        code=code,
        hub=built["jupyterhub"],
        user=built["python"],
        broken=broken,
        node=built["node"] / "bin" / "node" if "node" in built else Path(shutil.which("node") or ""),
        proxy=built["proxy"] / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy",
    )
