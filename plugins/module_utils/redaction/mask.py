# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mask secret texts in all their forms."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterable
from typing import Any

#: What stands in place of a secret.
MASK = "***"
#: A secret this short is masked only where it is the whole value: inside of other text it may be there by chance.
SHORT = 5
#: Characters from which on a single line of a longer secret, such as a private key, is a secret itself.
_SECRET_LINE = 8


def secret_forms(secret: str) -> set[str]:
    """Return a secret as programs write it: as it is, stripped, line by line, escaped, and in base64."""
    whole = {secret, secret.strip()} - {""}
    lines = {line.strip() for line in secret.splitlines()}
    found = whole | {line for line in lines if len(line) >= _SECRET_LINE and not line.startswith("-----")}
    escaped = {form for text in found for form in (repr(text)[1:-1], json.dumps(text)[1:-1])}
    return found | escaped | {base64.b64encode(text.encode()).decode() for text in whole}


def is_secret_text(value: Any, secrets: Collection[str]) -> bool:
    """Return whether a value is one of the secret texts, or contains one that is too long to be there by chance."""
    text = str(value)
    return any(text == secret or len(secret) > SHORT and secret in text for secret in secrets)


def mask_inside(text: str, secrets: Iterable[str]) -> str:
    """Return a text with a mask for each occurrence of a secret text; the rest of its line stays."""
    # The longest first: one may be part of another.
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text
