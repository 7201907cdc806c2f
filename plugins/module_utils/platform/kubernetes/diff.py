# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare a hub on its cluster with what it should be."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from ...fleet.changes import (
    CHANGED_ELSEWHERE,
    CONFIGURATION,
    CREATE,
    DRIFTED,
    NEW,
    NOT_ANSWERING,
    NOT_CHECKED,
    NOT_RUNNING,
    SECRETS,
    UNCHANGED,
    UPDATE,
    VERSION,
    HubDiff,
    Reason,
)
from ...fleet.revisions import APPLYING, CHECKED
from .drift.ignored import Rule, is_ignored, parse_rules
from .install_files import HEADER, values_text
from .observe import ObservedRelease
from .releases.desired import ADDON, CHART, VALUES, DesiredRelease, without
from .releases.preview import Preview
from .releases.records import Record
from .values.generated import places
from .values.layers import Values

#: Codes of reasons that only this platform has.
INTERRUPTED, NOT_OURS, ADDON_CHANGED, EDITED = "interrupted", "not-ours", "add-on", "edited"
RESTART, REFUSED, MOVED = "restart", "refused", "moved"
#: Helm's word for a revision that runs.
_DEPLOYED = "deployed"


def diff_release(desired: DesiredRelease, observed: ObservedRelease) -> HubDiff:
    """Return what a deploy would do to a hub, and why."""
    found = HubDiff(desired.place.hub, UNCHANGED, desired=desired.fingerprint, live=observed.fingerprint)
    if observed.newest is None:
        earlier = [Reason(MOVED, f"{place} stays") for place in observed.earlier_places]
        found.action, found.reasons = CREATE, [Reason(NEW, "new"), *earlier]
        found.after = _text(desired.redactor.mask(desired.values))
        return found
    last = observed.records[0] if observed.records else None
    same = last is not None and last.result != APPLYING and last.parts == desired.parts
    changed = list(_missing_addons(desired, last) if same else _changes(desired, last))
    drifted = [*_by_hand(observed, last, parse_rules(desired.ignored_drift)), *_states(observed, last)]
    found.reasons = changed + drifted + list(_effects(observed.preview))
    if drifted and not changed:
        found.action = DRIFTED if same else UPDATE
    elif found.reasons:
        found.action = UPDATE
    elif last and last.result != CHECKED:
        found.action, found.reasons = UPDATE, [Reason(NOT_CHECKED, "not checked")]
    if found.reasons and observed.release:
        before = without(observed.release.config, places(observed.release.config), desired.values)
        sides = ("", "")
        if before != desired.values:
            shown = desired.redactor.mask_change(before, desired.values)
            sides = (_text(shown[0]), _text(shown[1]))
        objects = observed.preview or Preview()
        found.before, found.after = sides[0] + _texts(objects.before), sides[1] + _texts(objects.after)
    return found


def _effects(preview: Preview | None) -> Iterator[Reason]:
    """Yield what a deploy does to pods; a restart of the proxy cuts open connections."""
    for name in preview.restarts if preview else ():
        yield Reason(RESTART, f"{name} restarts" + (", which cuts open connections" if name == "proxy" else ""))
    for text in preview.refused if preview else ():
        yield Reason(REFUSED, text)


def _text(values: Values) -> str:
    """Return values for people, in the order of their keys: Helm does not keep another one."""
    return values_text(json.loads(json.dumps(values, sort_keys=True))).removeprefix(HEADER)


def _texts(objects: dict[str, Any]) -> str:
    """Return objects for people, as YAML documents."""
    return "".join(f"--- # {name}\n{_text(each)}" for name, each in sorted(objects.items()))


def needs_content(desired: DesiredRelease, observed: ObservedRelease) -> bool:
    """Tell whether the content of the live release is needed to show the difference."""
    last = observed.records[0] if observed.records else None
    if observed.newest is None:
        return False
    return last is None or last.parts != desired.parts or last.number != observed.newest.number


def _changes(desired: DesiredRelease, last: Record | None) -> Iterator[Reason]:
    """Yield what differs from the last deploy of this collection."""
    if last is None:
        yield Reason(NOT_OURS, "not deployed by this collection")
        return
    if last.result == APPLYING:
        yield Reason(INTERRUPTED, "the last deploy did not end")
    before, after = last.parts, desired.parts
    if before.get(CHART) != after[CHART]:
        versions = f" {last.chart} → {desired.version}" if last.chart != desired.version else ""
        yield Reason(VERSION, f"chart{versions}")
        if last.jupyterhub != desired.jupyterhub:
            yield Reason(VERSION, f"JupyterHub {last.jupyterhub} → {desired.jupyterhub}")
    if before.get(CONFIGURATION) != after[CONFIGURATION]:
        yield Reason(CONFIGURATION, "configuration")
    elif before.get(VALUES) != after[VALUES]:
        yield Reason(SECRETS, "secrets")
    for name in sorted({name for name in (*before, *after) if name.startswith(ADDON)}):
        if before.get(name) != after.get(name):
            yield Reason(ADDON_CHANGED, name if name in after else f"{name} to remove")


def _missing_addons(desired: DesiredRelease, last: Record | None) -> Iterator[Reason]:
    """Yield the add-ons that the last deploy did not come to, or that a rollback could not bring back."""
    for addon in desired.addons:
        if last and not last.addons.get(addon.name):
            yield Reason(ADDON_CHANGED, f"{ADDON}{addon.addon} is missing")


def _by_hand(observed: ObservedRelease, last: Record | None, ignored: Sequence[Rule]) -> Iterator[Reason]:
    """Yield what people did since the last deploy of this collection."""
    newest = observed.newest
    if newest is None or last is None:
        return
    if newest.pending:
        yield Reason(INTERRUPTED, f"helm did not end ({newest.status})")
    elif newest.number > last.number:
        yield Reason(CHANGED_ELSEWHERE, f"revision {newest.number} was made with helm")
    elif newest.number < last.number and last.result != APPLYING:
        yield Reason(CHANGED_ELSEWHERE, f"revision {last.number} was removed from Helm's history")
    elif newest.status not in (_DEPLOYED, "superseded"):
        yield Reason(INTERRUPTED, f"helm says: {newest.status}")
    elif last.result != APPLYING:
        for name in observed.edited():
            if name not in observed.ignored and not is_ignored(ignored, "Deployment", name, ""):
                editor = observed.workloads[name].editor
                yield Reason(EDITED, f"{name} was changed" + (f" by {editor}" if editor else ""))


def _states(observed: ObservedRelease, last: Record | None) -> Iterator[Reason]:
    """Yield which Deployments are missing, stopped or not ready."""
    for name in sorted(last.workloads if last else ()):
        if name not in observed.workloads:
            yield Reason(NOT_RUNNING, f"{name} is missing")
    for name, workload in sorted(observed.workloads.items()):
        if not workload.wanted:
            if last is None or last.workloads.get(name) != workload.generation:
                by = f" (changed by {workload.editor})" if workload.editor else ""
                yield Reason(NOT_RUNNING, f"{name} not running{by}")
        elif workload.ready < workload.wanted and not _is_recent(observed):
            yield Reason(NOT_ANSWERING, f"{name} not ready ({workload.ready} of {workload.wanted})")


def _is_recent(observed: ObservedRelease, seconds: float = 30.0) -> bool:
    """Tell whether Helm changed the release just now, so that its pods may be starting."""
    return bool(observed.newest and time.time() - observed.newest.modified < seconds)


def reasons_of_people(reasons: Sequence[Reason]) -> bool:
    """Tell whether somebody changed the hub by hand, so that a deploy has to take fields over."""
    return any(reason.code in (CHANGED_ELSEWHERE, EDITED, NOT_RUNNING) for reason in reasons)
