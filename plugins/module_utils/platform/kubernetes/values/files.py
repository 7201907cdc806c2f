# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contents of files, as the chart takes them for ``extraFiles``."""

from __future__ import annotations

import base64

#: The chart does not take an empty text, but one without characters of base64.
_EMPTY = "\n"


def file_content(content: bytes) -> dict[str, str]:
    """Return the key and value that make a file with exactly this content: text, or else base64.

    The chart writes text as a block of YAML, which ends with one newline and has no other white space at its ends.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text.strip() and text == f"{text.strip()}\n" and text.translate({ord("\n"): "", ord("\t"): ""}).isprintable():
        return {"stringData": text}
    return {"binaryData": base64.b64encode(content).decode("ascii") or _EMPTY}
