# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take away the right of a hub's admins to become root; hubfleet_runtime/admin_sudo.py gives it when a hub starts."""

from __future__ import annotations

import hashlib
import os

_FOLDER = "/etc/sudoers.d"


def end_admin_sudo(directory: str) -> None:
    """Remove the hub's file of sudoers.d, if there is one. Raises OSError."""
    path = os.path.join(_FOLDER, f"hubfleet-{hashlib.sha256(directory.encode()).hexdigest()[:16]}")
    if os.geteuid() == 0 and os.path.lexists(path):
        os.unlink(path)
