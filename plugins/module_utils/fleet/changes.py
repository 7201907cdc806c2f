# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deploy would do to a hub, whatever platform it is on."""

from __future__ import annotations

from dataclasses import dataclass, field

CREATE, UPDATE, UNCHANGED = "create", "update", "unchanged"
#: The inventory is what was deployed, but the hub is not: somebody or something changed it.
DRIFTED = "drifted"
#: It is there, but not in the inventory.
ORPHANED = "orphaned"
#: Nobody knows, since its cluster does not answer.
UNREACHABLE = "unreachable"


@dataclass
class Change:
    """What a deploy would do to one hub.

    action: CREATE, UPDATE, UNCHANGED, DRIFTED, ORPHANED or UNREACHABLE.
    reasons: short phrases for the recap, such as "configuration" or "hub not running".
    before, after: texts for ``--diff``, secrets masked; equal where nothing readable differs.
    desired, live: fingerprints of what the hub should be and of what it is; "" where it is neither.
    """

    hub: str
    action: str
    reasons: list[str] = field(default_factory=list)
    before: str = ""
    after: str = ""
    desired: str = ""
    live: str = ""
