# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy a hub: its namespace, secrets, release and add-ons, in this order; interrupted, it can be repeated."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterable
from typing import Any

from ....fleet.revisions import APPLIED, APPLYING, FAILED
from ....redaction.mask import mask_inside
from ...errors import PlatformError
from ..api.client import ApiError, ignoring
from ..chart.charts import Charts
from ..chart.content import ChartReference
from ..chart_secret import CHART_SECRET
from ..drift.repair import remove_additions
from ..labels import RELEASE_NAME
from ..observe import HelmRevision, read_release
from ..releases.desired import ADDON, DesiredRelease
from ..releases.records import CLUSTER_LABEL, OWNER, HubSecret, Record
from ..values.generated import complete
from ..values.layers import Values
from . import database
from .change import Change
from .helm_commands import helm_version
from .image_puller import image_puller_problem
from .rollout import wait_for_rollout

#: Seconds after which somebody else's helm is no longer at work: more than its default timeout.
_OTHERS_AT_WORK = 600.0


def deploy(change: Change, desired: DesiredRelease, charts: Charts, check: dict[str, Any], take_over: bool) -> int:
    """Deploy a hub, and return the revision of its release.

    check: what its check tries, for later. take_over: whether people changed objects, which Helm 4 would not replace.
    Raises PlatformError.
    """
    place = change.place
    helm_version()  # before anything is changed
    make_namespace(change)
    secret = change.secret()
    recover(change, secret)
    observed = change.observe()
    number = (observed.newest.number if observed.newest else 0) + 1
    values, secret.generated = complete(desired.values, secret.generated, chart_secrets(change))
    addons = dict.fromkeys((addon.name for addon in desired.addons), 0)
    about = {"parts": desired.parts, "chart": desired.version, "jupyterhub": desired.jupyterhub, "addons": {**addons}}
    made = change.record(number, **about)
    copy = database.copy_before(change, secret.records, _last_that_ran(secret), desired.jupyterhub, number)
    change = dataclasses.replace(change, mask=masking(change.mask, secret.generated))
    secret.begin(dataclasses.replace(made, database=copy))
    secret.checks[str(number)] = check
    secret.write(change.keep)
    change.renew()
    # Nobody tells what is ignored, but it must not be in the way of helm.
    force = take_over or bool(desired.ignored_drift)
    try:
        _upgrade(change, place.release, charts.path(desired.chart), values, force)
        if take_over:
            _remove_additions(change, desired)
        _upgrade_addons(change, desired, secret, charts, force, addons)
        wait_until_ready(change, (place.release, *addons))
        _remove_addons(change, secret.addons - set(addons))
    except PlatformError:
        # Why it failed is worth more than why that could not be recorded.
        with contextlib.suppress(PlatformError):
            finish(change, secret, number, FAILED, addons=addons)
        raise
    return finish(change, secret, number, APPLIED, addons=addons)


def masking(mask: Callable[[str], str], generated: dict[str, Any]) -> Callable[[str], str]:
    """Return what hides generated secrets as well; what helm and pods say may repeat them."""
    secrets = [text for value in generated.values() for text in (value if isinstance(value, list) else [value])]
    return lambda text: mask_inside(mask(text), secrets)


def wait_until_ready(change: Change, releases: Iterable[str]) -> None:
    """Wait until the pods of releases run, one after the other; raises PlatformError."""
    namespace = change.place.namespace
    for release in releases:
        change.renew()
        wait_for_rollout(change.api, namespace, release, change.timeout, change.report, mask=change.mask)


def finish(change: Change, secret: HubSecret, number: int, result: str, **more: Any) -> int:
    """Record the result of a deploy, with the revision that it became; return this.

    Where helm refused before it made a revision, the hub is what it was, and no record stays.
    """
    observed = change.observe()
    newest = observed.newest.number if observed.newest else 0
    if newest < number:
        secret.drop(number)
        secret.write(change.keep)
        return newest
    workloads = {name: workload.generation for name, workload in observed.workloads.items()}
    check = secret.checks.pop(str(number), None)
    if check is not None:
        secret.checks[str(newest)] = check
    secret.finish(number, number=newest, result=result, workloads=workloads, **more)
    secret.write(change.keep)
    return newest


def recover(change: Change, secret: HubSecret) -> None:
    """Remove the revision of a helm that was killed, which Helm itself would take for one at work.

    Raises PlatformError where it may be somebody else's that still works.
    """
    for release in (change.place.release, *sorted(secret.addons)):
        newest = change.newest(release)
        if newest is None or not newest.pending:
            continue
        age = time.time() - newest.modified
        if not _is_left(secret.newest, release, newest, change.place.release) and age < _OTHERS_AT_WORK:
            raise PlatformError(
                f"somebody else's helm is at work on the release {release} ({newest.status} since {age:.0f} seconds); "
                f"wait for its end; if it was killed, deploy again in {_OTHERS_AT_WORK - age:.0f} seconds"
            )
        name = f"sh.helm.release.v1.{release}.v{newest.number}"
        change.report(
            f"{release}: removing revision {newest.number}, left as {newest.status} by a helm that was killed"
        )
        change.api.delete(f"/api/v1/namespaces/{change.place.namespace}/secrets/{name}")


def _is_left(last: Record | None, release: str, pending: HelmRevision, main: str) -> bool:
    """Tell whether the last deploy left a revision behind. main: the release of the hub itself.

    A deploy has failed, and did not just stop, where helm did not end in time, or the cluster did not answer it.
    """
    if last is None or last.result not in (APPLYING, FAILED):
        return False
    known = last.number >= pending.number if release == main else not last.addons.get(release)
    return last.result == APPLYING or known


def make_namespace(change: Change) -> None:
    """Make the namespace of a hub where there is none. Raises PlatformError while it is being removed."""
    namespace = change.place.namespace
    labels = {"app.kubernetes.io/managed-by": OWNER, CLUSTER_LABEL: change.place.cluster}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}
    try:
        found = change.api.find(f"/api/v1/namespaces/{namespace}")
        if found is None:
            ignoring(409, lambda: change.api.create("/api/v1/namespaces", body))
            change.lock.take(change.owner)  # where the lock is one for each namespace
        elif found["status"].get("phase") == "Terminating":
            raise PlatformError(f"the namespace {namespace} is being removed; deploy again when it is gone")
    except ApiError as error:
        if error.status != 403:
            raise
        # Whoever may not read namespaces finds out by the first object in it.


def chart_secrets(change: Change) -> dict[str, str]:
    """Return the content of the chart's own Secret, if it is of this release; {} where there is none."""
    found = change.api.find(f"/api/v1/namespaces/{change.place.namespace}/secrets/{CHART_SECRET}") or {}
    annotations = (found.get("metadata") or {}).get("annotations") or {}
    if annotations.get(RELEASE_NAME) != change.place.release:
        return {}
    content: dict[str, str] = found.get("data") or {}
    return content


def _upgrade(change: Change, release: str, chart: str, values: Values, take_over: bool) -> None:
    author = change.author
    words = [f"hubfleet {author['collection']}", author["who"]]
    if author["revision"]:
        words.append(f"inventory {author['revision']}")
    change.report(f"helm upgrade {release}")
    try:
        change.helm.upgrade(release, chart, values, change.keep, ", ".join(words), take_over)
    except PlatformError as error:
        # Helm waits for the pods that pull images in advance, and only says that its time was over.
        puller = image_puller_problem(change.api, change.place.namespace, release, change.mask)
        raise PlatformError(f"{error}; {puller}" if puller else str(error)) from None


def _remove_additions(change: Change, desired: DesiredRelease) -> None:
    """Remove what people added by hand; helm only replaces what they changed."""
    observed = change.observe()
    release = read_release(change.api, change.place, observed.newest.number) if observed.newest else None
    if release:
        for place in remove_additions(change.api, release, desired.ignored_drift, desired.redactor.mask):
            change.report(f"removed {place}")


def _upgrade_addons(
    change: Change,
    desired: DesiredRelease,
    secret: HubSecret,
    charts: Charts,
    take_over: bool,
    found: dict[str, int],
) -> None:
    """Upgrade the add-ons that differ from the last deploy.

    found: release -> 0, which becomes its revision one by one.
    """
    before = _last_that_ran(secret, skip=1)
    for addon in desired.addons:
        newest = change.newest(addon.name)
        if newest is None or not _is_deployed(f"{ADDON}{addon.addon}", addon.name, newest, desired, before):
            change.renew()
            chart = charts.path(ChartReference(addon.chart, addon.version, addon.repository))
            _upgrade(change, addon.name, chart, addon.values, take_over)
            newest = change.newest(addon.name)
        found[addon.name] = newest.number if newest else 0


def _remove_addons(change: Change, names: Iterable[str]) -> None:
    """Remove add-ons that the inventory does not have any more; last, since a rollback cannot bring them back."""
    for name in sorted(names):
        if change.newest(name):
            change.renew()
            change.report(f"removing the add-on {name}")
            change.helm.uninstall(name)


def _last_that_ran(secret: HubSecret, skip: int = 0) -> Record | None:
    """Return the newest record of a deploy that came to its end, after the newest ones that are skipped."""
    return next((record for record in secret.records[skip:] if record.result not in (APPLYING, FAILED)), None)


def _is_deployed(part: str, release: str, newest: HelmRevision, desired: DesiredRelease, before: Record | None) -> bool:
    """Tell whether an add-on is as it should be since the last deploy."""
    if before is None or before.parts.get(part) != desired.parts[part]:
        return False
    return newest.number == before.addons.get(release) and newest.status == "deployed"
