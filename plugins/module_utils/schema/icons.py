# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Image files of the inventory that become a part of pages."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable

from ..common.errors import reason

#: Ending of a file -> its media type. Browsers run no code of an SVG that is shown as an image.
TYPES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
#: Bytes. All icons of a hub are in one object of Kubernetes, which holds 1 MiB.
LARGEST = 8192


def read_icon(name: str | None, directory: str, report: Callable[[str], None]) -> str:
    """Return an image file as a data URL (RFC 2397); "" if none is named, or it cannot be used.

    directory: where relative paths start. report: takes what is wrong with the file.
    """
    if not name:
        return ""
    kind = TYPES.get(os.path.splitext(name)[1].lower())
    if not kind:
        report(f"{name!r} is not an image for web pages; possible endings: {', '.join(TYPES)}")
        return ""
    path = os.path.join(directory, os.path.expanduser(name))
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            report(f"{name!r} is not a file")  # reading a pipe would never end
            return ""
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else "it is no name of a file"
        report(f"{name!r} cannot be read: {why}")
        return ""
    if not content:
        report(f"{name!r} is empty")
        return ""
    if len(content) > LARGEST:
        report(f"{name!r} has more than {LARGEST // 1024} KiB; make it smaller")
        return ""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
