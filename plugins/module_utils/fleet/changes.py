# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deploy would do to a hub, on any platform."""

from __future__ import annotations

from dataclasses import dataclass, field

CREATE, UPDATE, UNCHANGED = "create", "update", "unchanged"
#: The inventory was deployed, and the hub was changed since.
DRIFTED = "drifted"
#: The hub exists, but is not in the inventory.
ORPHANED = "orphaned"
#: The state of the hub is not known, since its cluster does not answer.
UNREACHABLE = "unreachable"

#: Codes of reasons that every platform uses; a platform may have others.
NEW, VERSION, CONFIGURATION, SECRETS = "new", "version", "configuration", "secrets"
NOT_RUNNING, NOT_SUPERVISED, NOT_ANSWERING = "not-running", "not-supervised", "not-answering"
NOT_CHECKED, CHANGED_ELSEWHERE = "not-checked", "changed-elsewhere"
#: Codes that say that a hub does not serve its users, or may cease to.
UNHEALTHY = frozenset({NEW, NOT_RUNNING, NOT_SUPERVISED, NOT_ANSWERING})


@dataclass(frozen=True)
class Reason:
    """Why a hub differs. code: for programs. text: a short phrase for people, such as "hub not running"."""

    code: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass
class HubDiff:
    """What a deploy would do to one hub.

    action: CREATE, UPDATE, UNCHANGED, DRIFTED, ORPHANED or UNREACHABLE.
    before, after: texts for ``--diff`` with secrets masked; equal where nothing readable differs.
    desired, live: fingerprints of what the hub should be and of what it is; "" where it is neither.
    """

    hub: str
    action: str
    reasons: list[Reason] = field(default_factory=list)
    before: str = ""
    after: str = ""
    desired: str = ""
    live: str = ""
