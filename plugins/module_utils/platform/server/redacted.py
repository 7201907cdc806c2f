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


def mask_difference(before: str, after: str, secrets: Collection[str]) -> tuple[str, str]:
    """Return what is shown of a hub as it is and as it should be, with secrets masked on both sides.

    secrets: texts that the inventory keeps encrypted now, and what it makes of them. What runs may hold older ones,
    which are not known any more: so on the side of ``before`` everything is masked that is masked in ``after``, and
    every environment variable whose value differs.
    """
    shown = shown_without(after, secrets) if after else ""
    return _mask_earlier(before, shown, secrets) if before else "", shown


def mask_earlier(earlier: str, now: str, secrets: Collection[str]) -> str:
    """Return an earlier configuration with secrets masked as :func:`mask_difference` does; ValueError without JSON."""
    return _mask_earlier(earlier, shown_without(now, secrets), secrets)


def _mask_earlier(text: str, after: str, secrets: Collection[str]) -> str:
    config, public = parts_of(shown_without(text, secrets))
    return shown_text(_mask_counterpart(config, parts_of(after)[0] if after else None, False), public)


def _mask_counterpart(before: Any, after: Any, private: bool) -> Any:
    """Return an earlier value as far as it may be shown; private: only what has not changed since may be."""
    if isinstance(before, dict):
        now = after if isinstance(after, dict) else {}
        return {
            key: _mask_counterpart(item, now.get(key), private or key == "environment" or after == MASK)
            for key, item in before.items()
        }
    if isinstance(before, list):
        same = isinstance(after, list) and len(after) == len(before)
        others = after if same else [None] * len(before)
        # Items cannot be told apart where their number changed.
        hide = private or after == MASK or (not same and MASK in json.dumps(after))
        return [_mask_counterpart(item, other, hide) for item, other in zip(before, others)]
    return MASK if after == MASK or private and before != after else before
