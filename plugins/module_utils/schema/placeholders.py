# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find texts that are not the real value yet: placeholders, and what is still encrypted."""

from __future__ import annotations

import re

#: Placeholders that are to be replaced by a value.
PLACEHOLDER = re.compile(
    r"\b(CHANGE[-_ ]?ME|REPLACE[-_ ]?ME|FIX[-_ ]?ME|TODO|TBD|FILL[-_ ]?ME[-_ ]?IN)\b|<your[-_ ]",
    re.IGNORECASE,
)

#: Longer texts, and those of several lines, are documents or code, where such words are comments.
_LONGEST_PLACEHOLDER = 200

#: The start of values of a SOPS file that was not decrypted.
SOPS = re.compile(r"ENC\[AES256_GCM,")


def unfinished(text: str, code: bool | None = None) -> str:
    """Return the message about a text that is still encrypted or a placeholder, or ""; in code, only the former.

    code: whether the text is code; if unknown, texts that look like documents are.
    """
    if code is None:
        code = "\n" in text or len(text) > _LONGEST_PLACEHOLDER
    if SOPS.match(text):
        return "is still encrypted; enable the vars plugin community.sops.sops to read SOPS files"
    return "is a placeholder; set the real value" if not code and PLACEHOLDER.search(text) else ""
