# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan: what would change of each hub, for people, for CI, and to be kept and deployed later."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from ..common.errors import HubfleetError
from ..common.text import aligned, markdown_row, markdown_table, plural
from .changes import CREATE, DRIFTED, ORPHANED, UNCHANGED, UNREACHABLE, UPDATE, HubDiff, Reason

#: Version of the file that a plan is kept in.
FORMAT = 1

#: Actions, as they are counted; the order is that of the report.
WORDS = {
    CREATE: "to create",
    UPDATE: "to update",
    DRIFTED: "drifted",
    ORPHANED: "orphaned",
    UNREACHABLE: "unreachable",
    UNCHANGED: "unchanged",
}
#: What a deploy acts on.
DEPLOYED = (CREATE, UPDATE, DRIFTED)
#: Characters that the last line of a comment may take.
_LAST_LINE = 100


class PlanError(HubfleetError):
    """A kept plan cannot be used; the message says why, in one sentence."""


@dataclass
class HubPlan(HubDiff):
    """What would change of one hub, and where it is; tier and url are "" for hubs that left the inventory."""

    cluster: str = ""
    tier: str = ""
    url: str = ""

    @property
    def changes(self) -> bool:
        """Whether a deploy would act on the hub."""
        return self.action in DEPLOYED

    def summary(self) -> dict[str, Any]:
        """Return what playbooks work with."""
        keys = ("hub", "cluster", "tier", "url", "action", "live")
        return {**{key: getattr(self, key) for key in keys}, "reasons": list(map(str, self.reasons))}

    @property
    def why(self) -> str:
        """The reasons as one text."""
        return ", ".join(map(str, self.reasons))

    def diff(self) -> str:
        """Return the difference as a unified diff; secrets are not part of it."""
        lines = difflib.unified_diff(
            self.before.splitlines(), self.after.splitlines(), "live", "inventory", lineterm=""
        )
        return "\n".join(lines)


def hub_plan(change: HubDiff, cluster: str, tier: str = "", url: str = "") -> HubPlan:
    """Return the plan of a hub from what its platform found."""
    return HubPlan(**vars(change), cluster=cluster, tier=tier, url=url)


@dataclass
class Plan:
    """The plan of a fleet. against: what it was compared with, "" for the hubs themselves."""

    hubs: list[HubPlan]
    against: str = ""

    def counts(self) -> Counter[str]:
        """Return how many hubs each action has."""
        return Counter(hub.action for hub in self.hubs)

    @property
    def differs(self) -> bool:
        """Whether anything differs from the inventory, including hubs that were removed from it."""
        return any(hub.action != UNCHANGED for hub in self.hubs)

    def lines(self) -> list[str]:
        """Return a table of the hubs that differ, and the counts, for people."""
        rows = [(hub.hub, hub.cluster, hub.tier, hub.action, hub.why) for hub in self._differing()]
        if not rows:
            return [f"{plural(len(self.hubs), 'hub')}: nothing to change"]
        return [*aligned(rows), self.counted()]

    def counted(self) -> str:
        """Return how many hubs there are of each action, as ``2 to update, 5 unchanged``."""
        counts = self.counts()
        return ", ".join(f"{counts[action]} {word}" for action, word in WORDS.items() if counts[action])

    def _differing(self) -> list[HubPlan]:
        return [hub for hub in self.hubs if hub.action != UNCHANGED]

    def as_json(self) -> str:
        """Return the plan as a file for CI, or to be deployed later."""
        content = {"format": FORMAT, "against": self.against, "hubs": [asdict(hub) for hub in self.hubs]}
        return json.dumps(content, indent=2) + "\n"

    def markdown(self, title: str = "Plan", room: int = 60000) -> str:
        """Return the plan as a comment of a pull request.

        room: most characters, since forges refuse long comments; diffs that do not fit are left out, saying so.
        """
        lines = [
            f"## {title}",
            "",
            f"**{self.counted()}**" + (f", against `{self.against}`" if self.against else ""),
            "",
        ]
        differing = self._differing()
        if differing:
            lines += markdown_table(("hub", "cluster", "tier", "action", "why"), ())
        text, rows = _fitting("\n".join(lines) + "\n", [_row(hub) for hub in differing], room)
        text, diffs = _fitting(text, [_details(hub) for hub in differing if hub.diff()], room)
        left_out = [f"{count} {what}" for count, what in ((rows, "hubs"), (diffs, "long differences")) if count]
        return text + (f"\nLeft out here: {', '.join(left_out)}.\n" if left_out else "")


def _fitting(text: str, parts: list[str], room: int) -> tuple[str, int]:
    """Return a text with those of the parts that it has room for, and how many it has none for."""
    left_out = 0
    for part in parts:
        if len(text) + len(part) < room - _LAST_LINE:
            text += part
        else:
            left_out += 1
    return text, left_out


def _row(hub: HubPlan) -> str:
    return markdown_row((hub.hub, hub.cluster, hub.tier, hub.action, hub.why)) + "\n"


def _details(hub: HubPlan) -> str:
    diff = hub.diff()
    fence = "`" * max(3, _longest_run(diff, "`") + 1)
    return f"\n<details><summary>{hub.hub}</summary>\n\n{fence}diff\n{diff}\n{fence}\n\n</details>\n"


def _longest_run(text: str, letter: str) -> int:
    longest = run = 0
    for each in text:
        run = run + 1 if each == letter else 0
        longest = max(longest, run)
    return longest


def load_plan(text: str, name: str) -> Plan:
    """Return the plan that a file called ``name`` contains; raises PlanError."""
    try:
        content = json.loads(text)
        if content["format"] != FORMAT:
            raise PlanError(f"{name} was written by another release of the collection; create a new plan")
        return Plan([_hub_of(hub) for hub in content["hubs"]], content["against"])
    except (ValueError, KeyError, TypeError) as error:
        raise PlanError(f"{name} holds no plan: {error}") from None


def _hub_of(content: dict[str, Any]) -> HubPlan:
    return HubPlan(**{**content, "reasons": [Reason(**reason) for reason in content["reasons"]]})


def outdated_reasons(saved: Plan, now: Plan) -> list[str]:
    """Return why a saved plan is out of date, one sentence per hub; empty if it is not.

    Its hubs must be unchanged on the machine and in the inventory, and no other hub may change.
    Raises PlanError if it is a comparison with a revision.
    """
    if saved.against:
        raise PlanError(
            f"the plan compares with {saved.against}, not with the hubs; create a plan without plan_against"
        )
    known = {hub.hub: hub for hub in now.hubs if hub.action != ORPHANED}
    planned = {hub.hub: hub for hub in saved.hubs if hub.action != ORPHANED}
    found = []
    for name, before in planned.items():
        after = known.get(name)
        if after is None:
            found.append(f"{name} is no longer in the inventory")
        elif after.desired != before.desired:
            found.append(f"the inventory of {name} has changed")
        elif after.live != before.live or (after.changes and not before.changes):
            found.append(f"{name} was changed after the plan was created")
    found += [f"{name} would change, and is not part of the plan" for name in known if _is_new(known[name], planned)]
    return found


def _is_new(hub: HubPlan, planned: dict[str, HubPlan]) -> bool:
    return hub.changes and hub.hub not in planned
