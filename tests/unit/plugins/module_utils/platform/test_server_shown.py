# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown of hub_jupyterhub_config, and of the logs of programs that were given secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.apply.log_tail import (
    last_lines,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.desired.services import (
    Service,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.redacted import (
    parts_of,
    public_lines,
    shown_text,
    shown_without,
)

CODE = "import os\r\nkey = 'zebra-9f2'\n\x0cprint(key)\n"


def test_lines_that_may_hold_a_secret() -> None:
    assert public_lines(CODE, {"private_lines": [2]}) == "import os\n***\n\x0cprint(key)\n"
    assert public_lines(CODE, {"private_lines": []}) == CODE.replace("\r", "")
    assert public_lines(CODE, {}) == "***\n***\n***\n", "an older deploy does not tell"
    assert public_lines("", {}) == ""


def test_parts() -> None:
    config: dict[str, Any] = {"title": "a\nhub_jupyterhub_config:\nb", "n": 1}
    for public in ("", "a = 1\n", "hub_jupyterhub_config:\n"):
        assert parts_of(shown_text({**config, "private_lines": [1], "public_names": ["a"]}, public)) == (config, public)


def test_secret_texts_are_stars() -> None:
    text = shown_text({"a": "zebra-9f2"}, "a = 1\nb = 'zebra-9f2'\nc = 2\n")
    assert shown_without(text, {"zebra-9f2"}) == shown_text({"a": "***"}, "a = 1\n***\nc = 2\n")


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
