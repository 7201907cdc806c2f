# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find and remove the groups that a hub made for its shared directories."""

from __future__ import annotations

import grp
import json
import os
import subprocess

#: Written by hubfleet_runtime/isolation/shared_directories.py, in the directory of the homes.
_RECORD = os.path.join(".shared", ".groups.json")
_PREFIX = "hg-"


def groups_of(homes: str) -> list[str]:
    """Return the groups that were made for the shared directories beside some homes, and exist."""
    try:
        with open(os.path.join(homes, _RECORD), encoding="utf-8") as file:
            names = json.load(file)["groups"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [name for name in names if str(name).startswith(_PREFIX) and _exists(name)] if os.geteuid() == 0 else []


def remove_group(name: str) -> None:
    """Remove a group. Raises OSError."""
    done = subprocess.run(["groupdel", name], capture_output=True, text=True, check=False)
    if done.returncode and _exists(name):
        raise OSError(f"group {name} could not be removed: {done.stderr.strip()}")


def _exists(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True
