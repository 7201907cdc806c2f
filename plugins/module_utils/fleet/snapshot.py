# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a revision of the inventory alone says of a hub, so that two revisions can be compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..common.digests import digest
from .changes import CREATE, NEW, ORPHANED, UNCHANGED, UPDATE, VERSION, HubDiff, Reason


@dataclass(frozen=True)
class Snapshot:
    """A hub in one revision of the inventory.

    show: makes a text for people, with secrets masked; only called where the hub differs.
    parts: what the hub consists of, name -> digest.
    versions: what the hub runs from, in words -> version.
    """

    show: Callable[[], str]
    parts: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Digest of all parts."""
        return digest(self.parts)


def compare(hub: str, before: Snapshot | None, after: Snapshot | None) -> HubDiff:
    """Return what a revision changes of a hub; None if the revision does not have the hub."""
    if before is None and after is not None:
        return HubDiff(hub, CREATE, [Reason(NEW, "new")], "", after.show(), after.fingerprint)
    if before is not None and after is None:
        reasons = [Reason("left-inventory", "left the inventory")]
        return HubDiff(hub, ORPHANED, reasons, before.show(), "", "", before.fingerprint)
    if before is None or after is None:
        raise ValueError(f"{hub} is in neither revision")
    reasons = version_reasons(before.versions, after.versions)
    reasons += [Reason(_code(part), part) for part, value in after.parts.items() if before.parts.get(part) != value]
    if not reasons:
        return HubDiff(hub, UNCHANGED, desired=after.fingerprint, live=before.fingerprint)
    return HubDiff(hub, UPDATE, reasons, before.show(), after.show(), after.fingerprint, before.fingerprint)


def version_reasons(before: dict[str, str], after: dict[str, str]) -> list[Reason]:
    """Return a reason such as "JupyterHub 5.5.4 → 6.1.1" for each version that differs; unknown ones are left out."""
    return [
        Reason(VERSION, f"{name} {before[name]} → {version}")
        for name, version in after.items()
        if before.get(name) and before[name] != version
    ]


def _code(part: str) -> str:
    return part.replace(" ", "-").replace("_", "-")
