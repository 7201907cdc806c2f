# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown of hub.json and of hub_jupyterhub_config."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.server.redacted import (
    HubContent,
    mask_change,
    mask_content,
    mask_earlier,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.redaction.redactor import Redactor

CODE = "import os\r\nkey = 'zebra-9f2'\n\x0cprint(key)\n"
REDACTOR = Redactor(secret_texts=lambda: {"zebra-9f2"})


@pytest.mark.parametrize(
    ("config", "shown"),
    [
        ({"private_lines": [2]}, "import os\n***\n\x0cprint(key)\n"),
        ({"private_lines": []}, CODE.replace("\r", "")),
        ({}, "***\n***\n***\n"),  # an older deploy does not tell
        (None, "***\n***\n***\n"),
    ],
)
def test_private_lines_are_masked(config: dict[str, Any] | None, shown: str) -> None:
    assert HubContent.read(config, CODE).code == shown
    assert HubContent.read(config, "").code == ""


def test_text() -> None:
    """What says which lines are private is not shown."""
    config = {"title": "a", "private_lines": [1], "public_names": ["a"]}
    assert HubContent(config).text() == '{\n  "title": "a"\n}\n'
    assert HubContent(config, "b = 1\n").text() == '{\n  "title": "a"\n}\nhub_jupyterhub_config:\nb = 1\n'


def test_secret_texts_are_masked() -> None:
    content = HubContent({"a": "zebra-9f2"}, "a = 1\nb = 'zebra-9f2'\nc = 2\n")
    masked = HubContent({"a": "***"}, "a = 1\n***\nc = 2\n").text()
    assert mask_content(REDACTOR, content) == masked
    assert mask_change(REDACTOR, content, content) == (masked, masked)


def test_earlier_deploys() -> None:
    """Of what was deployed once, as much is shown as a plan shows of what was before."""
    now = HubContent({"environment": {"T": "zebra-9f2"}, "key": "zebra-9f2", "url": "b"}, "a = 1\n")
    earlier = json.dumps({"environment": {"T": "old", "E": "once"}, "key": "older", "url": "a"})
    found = json.loads(mask_earlier(REDACTOR, earlier, now))
    assert found == {"environment": {"T": "***", "E": "***"}, "key": "***", "url": "a"}
    for damaged in ("edited by hand", '["a"]', ""):
        with pytest.raises(ValueError):
            mask_earlier(REDACTOR, damaged, now)
