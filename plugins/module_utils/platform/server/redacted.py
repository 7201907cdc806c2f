# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people see of a hub on a machine: hub.json, and hub_jupyterhub_config but for lines that may hold a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from ...redaction.mask import MASK, mask_lines, mask_values

#: Key of hub.json with the numbers of the lines of extra.py that may hold a secret; it is there where extra.py has any.
PRIVATE_LINES = "private_lines"
#: Key of hub.json with the names on such lines that are no secret; the hub tells them where they are wrong.
PUBLIC_NAMES = "public_names"
_HEADING = "hub_jupyterhub_config:\n"


def lines_of(code: str) -> list[str]:
    """Return the lines of Python code, as Python counts them."""
    lines = re.split(r"\r\n|\r|\n", code)
    return lines if lines[-1] else lines[:-1]


def public_lines(extra: str, config: dict[str, Any]) -> str:
    """Return extra.py with stars for the lines that may hold a secret, by its hub.json; an older one cannot tell."""
    lines = lines_of(extra)
    private = config.get(PRIVATE_LINES, range(1, len(lines) + 1))
    return "".join(f"{MASK if number in private else line}\n" for number, line in enumerate(lines, 1))


def shown_text(config: dict[str, Any], public: str) -> str:
    """Return what is shown of a hub; public: as :func:`public_lines` returns it."""
    told = {key: value for key, value in config.items() if key not in (PRIVATE_LINES, PUBLIC_NAMES)}
    text = json.dumps(told, indent=2) + "\n"
    return f"{text}{_HEADING}{public}" if public else text


def parts_of(text: str) -> tuple[dict[str, Any], str]:
    """Return what :func:`shown_text` made a text from."""
    config, _heading, public = text.partition("\n" + _HEADING)  # texts inside of JSON have no line breaks
    return json.loads(config), public


def shown_without(text: str, secrets: Collection[str]) -> str:
    """Return what is shown of a hub with stars for secret texts."""
    config, public = parts_of(text)
    return shown_text(mask_values(config, secrets), mask_lines(public, secrets))
