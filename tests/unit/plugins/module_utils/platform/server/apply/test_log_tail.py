# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets are masked in what is shown of the logs of programs that were given them."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.log_tail import (
    last_lines,
    log_size,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.services import (
    Service,
)


def logged(directory: Path, log: str, **config: str) -> str:
    """Return what is shown of the log of a hub with these files."""
    files = {f"config/{name.replace('_', '.')}": text for name, text in config.items()}
    for name, text in {"logs/hub.log": log, "secrets/proxy_token": "made-here\n", **files}.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text)
    return last_lines(Service("name", "hub", str(directory), (), "digest"))


def test_end_of_a_log(tmp_path: Path) -> None:
    """Such as traits, which tell the value that is of the wrong type."""
    said = logged(
        tmp_path,
        "\n".join(f"line {number}" for number in range(30))
        + "\nnot the str 'zebra \\\\9f2'; made-here, hunter22, shown",
        hub_json=json.dumps({"private_lines": [2]}),
        extra_py="c.A.a = 'shown'\nc.A.b = r'zebra \\9f2'\n",
        secrets_json=json.dumps({"traits": {"A": {"secret": "hunter22", "scope": ["x"]}}}),
    )
    assert said.splitlines()[0] == "line 16"
    assert said.splitlines()[-1] == "not the str '***'; ***, ***, shown"


def test_log_of_no_hub(tmp_path: Path) -> None:
    assert logged(tmp_path, "a\nb", hub_json="{", extra_py="(", secrets_json="{") == "a\nb"
    assert last_lines(Service("name", "hub", str(tmp_path / "none"), (), "digest")) == ""


def test_log_since_a_start(tmp_path: Path) -> None:
    """What earlier processes logged is left out; a log that was rotated meanwhile is shown from its beginning."""
    service = Service("name", "hub", str(tmp_path), (), "digest")
    assert log_size(service) == 0
    logged(tmp_path, "earlier\n")
    size = log_size(service)
    logged(tmp_path, "earlier\nlater\n")
    assert last_lines(service, start=size) == "later"
    logged(tmp_path, "new\n")
    assert last_lines(service, start=size) == "new"
