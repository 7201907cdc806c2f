# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which hubs are deployed, and which hubs continue after others failed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..schema.model import PRODUCTION, STAGING
from .plan import DEPLOYED

#: What became of a hub, as the recap says it.
DONE, ROLLED_BACK, FAILED, SKIPPED, SAME = "deployed", "rolled back", "FAILED", "skipped", "unchanged"


@dataclass(frozen=True)
class Gate:
    """The hubs that continue, in order. skipped: hub -> reason. remarks: for the operator."""

    hubs: list[str]
    skipped: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def gate(
    stage: str,
    changes: list[dict[str, Any]],
    failed: Collection[str],
    broken_clusters: Mapping[str, str] | None = None,
    failures_allowed: int | None = None,
) -> Gate:
    """Return the hubs of a stage that may be deployed.

    stage: a tier. changes: hub, cluster, tier and action of every hub of the run. failed: hubs that did not come
    through, rolled back or not, before the stage began, for example since an environment could not be built.
    broken_clusters: those whose machine could not be prepared -> why.
    failures_allowed: stop where more hubs than that have failed; None for no limit.
    """
    broken = broken_clusters or {}
    staged = (change for change in changes if change["tier"] == stage and change["action"] in DEPLOYED)
    wanted = [change for change in staged if change["hub"] not in failed]
    skipped: dict[str, str] = {}
    too_many = failures_allowed is not None and len(failed) > failures_allowed
    staging_failed = {change["cluster"]: change["hub"] for change in changes if _failed_staging(change, failed)}
    for change in wanted:
        if change["cluster"] in broken:
            why = broken[change["cluster"]]
            told = f"the machine of {change['cluster']} could not be prepared"
            skipped[change["hub"]] = f"{told}: {why}" if why else told
        elif stage == PRODUCTION and change["cluster"] in staging_failed:
            skipped[change["hub"]] = f"staging hub {staging_failed[change['cluster']]} of its cluster failed"
        elif too_many:
            skipped[change["hub"]] = f"{_hubs(len(failed))} failed, and deploy_max_failures is {failures_allowed}"
    going = [change["hub"] for change in wanted if change["hub"] not in skipped]
    return Gate(going, skipped, _remarks(stage, changes, going))


def _hubs(count: int) -> str:
    return f"{count} hub{'' if count == 1 else 's'}"


def _failed_staging(change: dict[str, Any], failed: Collection[str]) -> bool:
    return change["tier"] == STAGING and change["hub"] in failed


def _remarks(stage: str, changes: list[dict[str, Any]], going: Collection[str]) -> list[str]:
    if stage != PRODUCTION:
        return []
    with_staging = {change["cluster"] for change in changes if change["tier"] == STAGING}
    without = sorted({change["cluster"] for change in changes if change["hub"] in going} - with_staging)
    return [f"{cluster}: no staging hub is part of this run; its production hubs go straight on" for cluster in without]


def waves(hubs: list[str], sizes: Iterable[int | str]) -> list[list[str]]:
    """Return hubs in waves; sizes are numbers of hubs or shares such as ``10%``, and the last wave takes what is left.

    Raises ValueError for anything else.
    """
    left, found = list(hubs), []
    for size in sizes:
        count = _count(size, len(hubs))
        if left:
            found.append(left[:count])
            left = left[count:]
    return [*found, left] if left else found


def _count(size: int | str, total: int) -> int:
    text = str(size).strip()
    number = text[:-1] if text.endswith("%") else text
    if not re.fullmatch("[0-9]+", number) or int(number) == 0:
        raise ValueError(f"{size!r} is not a number of hubs, or a share such as 10%")
    return max(1, total * int(number) // 100) if text.endswith("%") else int(number)


#: Fleets with more hubs to change than this are deployed in waves, unless the operator says otherwise.
LARGE = 20


def usual_waves(count: int) -> list[int | str]:
    """Return the sizes of waves that suit a number of hubs: one hub, a tenth of them, the rest."""
    return [1, "10%", "100%"] if count > LARGE else ["100%"]
