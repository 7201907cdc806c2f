# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roll a hub back to an earlier revision of its release, and of its add-ons."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from ....fleet.revisions import APPLIED, APPLYING, FAILED, GOOD, REPLACED
from ...errors import PlatformError
from ..observe import ObservedRelease, read_release
from ..releases.records import HubSecret, Record, good_before
from . import database
from .change import Change
from .deploy import finish, recover, wait_until_ready
from .helm_commands import helm_version


class RollbackError(PlatformError):
    """There is nothing that the hub can be rolled back to; the message says why."""


@dataclass(frozen=True)
class RollbackPlan:
    """target: the deploy to restore. arrived: whether the hub is what it was then."""

    target: Record
    arrived: bool


def rollback_plan(
    change: Change, secret: HubSecret, number: int | None, undone: Mapping[str, str] | None = None
) -> RollbackPlan:
    """Return the plan of a rollback; changes nothing.

    number: of the revision; None for the newest version that ran before the current one. undone: parts of a deploy
    that is undone, where that came so far and brought another version. Raises RollbackError.
    """
    observed = change.observe()
    if observed.newest is None and not secret.records:
        raise RollbackError(f"hub {change.place.hub} is not deployed")
    if undone is not None and (secret.newest is None or secret.newest.parts != undone):
        raise RollbackError("the deploy changed nothing yet, so there is nothing to go back to")
    if undone is not None and _ran_already(secret):
        raise RollbackError("the deploy did not change its version, so there is nothing to go back to")
    target = _target(change, secret, number)
    return RollbackPlan(target, _is_at(observed, secret, target))


def roll_back(change: Change, secret: HubSecret, plan: RollbackPlan) -> int:
    """Roll a hub back, and return the revision that this made."""
    target, place = plan.target, change.place
    helm_version()  # before anything is changed
    recover(change, secret)
    observed = change.observe()
    number = (observed.newest.number if observed.newest else 0) + 1
    made = change.record(
        number,
        parts=target.parts,
        chart=target.chart,
        jupyterhub=target.jupyterhub,
        addons=target.addons,
        back_to=target.number,
    )
    left = secret.newest
    secret.begin(made)
    if str(target.number) in secret.checks:
        secret.checks[str(number)] = secret.checks[str(target.number)]
    secret.write(change.keep)
    change.renew()
    try:
        _restore_database(change, secret, target, made)
        change.report(f"helm rollback {place.release} {target.number}")
        change.helm.rollback(place.release, target.number, change.keep, take_over=True)
        addons = _roll_back_addons(change, target)
        wait_until_ready(change, (place.release, *addons))
    except PlatformError:
        with contextlib.suppress(PlatformError):
            finish(change, secret, number, FAILED)
        raise
    if left and left.number != target.number:
        secret.finish(left.number, result=REPLACED)
    return finish(change, secret, number, APPLIED, addons=addons)


def _target(change: Change, secret: HubSecret, number: int | None) -> Record:
    found = secret.records
    if number is None and found and found[0].result == APPLYING and found[0].back_to:
        number = found[0].back_to  # an interrupted rollback
    if number is None:
        target = good_before(found)
        if target is None:
            raise RollbackError("there is no earlier deploy that ran; nothing to go back to")
        return target
    known = {record.number: record for record in found}
    if number in known:
        return known[number]
    release = read_release(change.api, change.place, number)
    if release is None:
        there = ", ".join(map(str, sorted(known))) or "none"
        raise RollbackError(f"there is no revision {number} of {change.place.release}; recorded are: {there}")
    # Made with helm, without this collection.
    return Record(number, release.when, "", "", "", release.app_version, release.chart_version)


def _is_at(observed: ObservedRelease, secret: HubSecret, target: Record) -> bool:
    """Tell whether the last deploy is the target, or brought it back, and still is what runs."""
    last, newest = secret.newest, observed.newest
    if last is None or newest is None or newest.number != last.number or newest.status != "deployed":
        return False
    same = target.number in (last.number, last.back_to) or bool(target.parts and target.parts == last.parts)
    return same and last.result in GOOD


def _ran_already(secret: HubSecret) -> bool:
    """Return whether the last deploy brought no other version than ran before."""
    if not secret.records:
        return False
    last, *earlier = secret.records
    since = itertools.takewhile(
        lambda record: record.parts == last.parts, (record for record in earlier if record.result != APPLYING)
    )
    return any(record.result in GOOD for record in since)


def _restore_database(change: Change, secret: HubSecret, target: Record, made: Record) -> None:
    """Restore the copy of the database with the schema of a deploy, if that may be another one than now."""
    since = [record for record in secret.records if record.number > target.number and record.number < made.number]
    if not target.jupyterhub or all(
        database.minor(each.jupyterhub) == database.minor(target.jupyterhub) for each in since
    ):
        return
    name = database.copy_of(secret.records, target)
    if name:
        database.restore(change, name)
    else:
        change.report(f"there is no copy of the database from JupyterHub {target.jupyterhub}; it stays as it is")


def _roll_back_addons(change: Change, target: Record) -> dict[str, int]:
    """Roll add-ons back to their revisions of a deploy; return release -> revision."""
    found = {}
    for name, revision in target.addons.items():
        newest = change.newest(name)
        if newest is None and revision:
            change.report(f"the add-on {name} was removed since; a deploy of the inventory of that time brings it back")
        if newest and revision and newest.number != revision:
            change.renew()
            change.report(f"helm rollback {name} {revision}")
            change.helm.rollback(name, revision, change.keep, take_over=True)
            newest = change.newest(name)
        found[name] = newest.number if newest else 0
    return found
