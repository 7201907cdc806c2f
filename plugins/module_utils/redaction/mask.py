# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stars in place of secrets."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..common.nested import map_leaves

#: What stands in place of a secret.
MASK = "***"


def is_secret_text(value: Any, secrets: Collection[str]) -> bool:
    """Tell whether a value is one of the secret texts, or holds one that is too long to be there by chance."""
    return isinstance(value, str) and any(value == text or len(text) > 5 and text in value for text in secrets)


def mask_values(value: Any, secrets: Collection[str]) -> Any:
    """Return a value with stars for everything inside it that is, or holds, one of the secret texts."""
    return map_leaves(value, lambda leaf: MASK if is_secret_text(str(leaf), secrets) else leaf)


def mask_lines(text: str, secrets: Collection[str]) -> str:
    """Return a text with stars for each line that is, or holds, one of the secret texts."""
    return "\n".join(MASK if is_secret_text(line.strip(), secrets) else line for line in text.split("\n"))
