# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The import of the library kubernetes."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.api import library

PROGRAM = """
import importlib.util, sys
given = importlib.util.spec_from_file_location("library", sys.argv[1])
library = importlib.util.module_from_spec(given)
given.loader.exec_module(library)
library.load()
assert "kubernetes" in sys.modules and "jsonschema" not in sys.modules
import kubernetes_validate  # those who need it still get it
library.load()
"""


def test_what_nobody_asks_for_is_not_imported() -> None:
    """In a process of its own, since other tests have imported everything."""
    for name in ("kubernetes", "kubernetes_validate"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(library.__file__)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
