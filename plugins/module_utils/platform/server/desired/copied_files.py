# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates and logo of a hub: files of the controller that are copied to its machine."""

from __future__ import annotations

import os

from ....common import files
from ....schema.model import Hub


def copied_files(hub: Hub, directory: str) -> dict[str, str]:
    """Return file below config/ -> path on the controller; ``directory`` is the inventory's."""
    found = {}
    if hub["hub_templates"]:
        root = os.path.join(directory, os.path.expanduser(hub["hub_templates"]))
        for folder, _folders, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                found[os.path.join("templates", os.path.relpath(path, root))] = path
    if hub["hub_logo"]:
        path = os.path.join(directory, os.path.expanduser(hub["hub_logo"]))
        found[f"logo{os.path.splitext(path)[1]}"] = path
    return found


def copied_digests(hub: Hub, directory: str) -> dict[str, str]:
    """Return file below config/ -> SHA-256."""
    return {name: files.sha256(path) for name, path in copied_files(hub, directory).items()}
