# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: a booted machine, and fleets on it of its root and of an ordinary account."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "verbs"))  # the fleets of tests

from booted_machine import Machine
from verbs_fleet import CHECKOUT


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    """A machine whose first process is systemd."""
    if os.geteuid() != 0:
        pytest.skip("needs root: systemd boots in a container with rights of its own")
    missing = [name for name in ("podman", "runc", "debootstrap") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"needs the packages {' '.join(missing)}: systemd boots in a container")
    if not (CHECKOUT / ".venv/bin/uv").exists():
        pytest.skip("this checkout is not set up: scripts/setup")
    made = Machine()
    try:
        made.boot()
        yield made
    finally:
        made.remove()
