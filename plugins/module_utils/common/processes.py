# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of the machine this runs on."""

from __future__ import annotations

#: Where programs lie that every account of the machine can run.
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


def start_time(pid: int) -> str:
    """Return the start time of a process in clock ticks since boot, or "" if there is none (proc(5))."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # The command name in parentheses may hold anything, so count from behind it.
            return file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
