# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports that would slow down the start of hubs and servers."""

from __future__ import annotations

import json
import subprocess

import pytest
from runtime_tools import Tools

_IMPORTED = "import importlib, json, sys; importlib.import_module(sys.argv[1]); print(json.dumps(list(sys.modules)))"


@pytest.mark.parametrize(("environment", "module"), [("hub", "jupyterhub.app"), ("user", "jupyterhub.singleuser")])
def test_no_parser_is_built_at_start(tools: Tools, environment: str, module: str) -> None:
    """jsonschema must find rfc3987; else it builds a parser with lark, which takes as long as all other imports."""
    python = getattr(tools, environment) / "bin" / "python"
    done = subprocess.run([python, "-I", "-c", _IMPORTED, module], check=True, capture_output=True, text=True)
    modules = set(json.loads(done.stdout))
    assert "jsonschema" in modules  # else this would show nothing
    assert "rfc3987" in modules
    assert not {"lark", "rfc3987_syntax"} & modules
