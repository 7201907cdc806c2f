# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deploy would do to a hub, from its records and what its release is."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.changes import (
    CREATE,
    DRIFTED,
    UNCHANGED,
    UPDATE,
    HubDiff,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.revisions import (
    APPLIED,
    APPLYING,
    CHECKED,
    FAILED,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.chart.content import (
    ChartReference,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.diff import diff_release
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.observe import (
    HelmRevision,
    ObservedRelease,
    Workload,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases.desired import (
    DesiredRelease,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.releases.records import (
    Place,
    Record,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.kubernetes.values.addons import AddonRelease

PLACE = Place("cloud", "research", "research", "research")
LONG_AGO = int(time.time()) - 3600


def desired(**changes: Any) -> DesiredRelease:
    chart = ChartReference("jupyterhub", "4.4.0", "https://charts.example.org")
    values = {"hub": {"templateVars": {"hub_title": "Research"}}}
    return DesiredRelease(PLACE, chart, **{"version": "4.4.0", "jupyterhub": "5.5.0", "values": values, **changes})


def record(wanted: DesiredRelease, **changes: Any) -> Record:
    about = {"parts": wanted.parts, "chart": wanted.version, "jupyterhub": wanted.jupyterhub, "result": CHECKED}
    given = {"workloads": {"hub": 2, "proxy": 1}, **about, **changes}
    return Record(
        **{"number": 3, "when": "2026-11-24T08:15:00Z", "who": "ada@desk", "collection": "", "revision": ""} | given
    )


def observed(
    deployed: Record | None, number: int = 3, status: str = "deployed", **workloads: Workload
) -> ObservedRelease:
    found = {"hub": Workload("hub", 2, 1, 1), "proxy": Workload("proxy", 1, 1, 1), **workloads}
    records = [deployed] if deployed else []
    return ObservedRelease(PLACE, HelmRevision(number, status, LONG_AGO), records, found)


def said(found: HubDiff) -> tuple[str, list[str]]:
    return found.action, [str(reason) for reason in found.reasons]


def test_new() -> None:
    assert said(diff_release(desired(), ObservedRelease(PLACE))) == (CREATE, ["new"])


def test_another_namespace() -> None:
    moved = ObservedRelease(PLACE, earlier_places=["release research in namespace old"])
    assert said(diff_release(desired(), moved)) == (CREATE, ["new", "release research in namespace old stays"])


def test_unchanged() -> None:
    assert said(diff_release(desired(), observed(record(desired())))) == (UNCHANGED, [])


def test_not_checked() -> None:
    found = diff_release(desired(), observed(record(desired(), result=APPLIED)))
    assert said(found) == (UPDATE, ["not checked"])


def test_another_version() -> None:
    newer = desired(version="4.5.0", jupyterhub="6.1.0")
    found = diff_release(newer, observed(record(desired())))
    assert said(found) == (UPDATE, ["chart 4.4.0 → 4.5.0", "JupyterHub 5.5.0 → 6.1.0"])


def test_a_release_of_others() -> None:
    assert said(diff_release(desired(), observed(None))) == (UPDATE, ["not deployed by this collection"])


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (lambda deployed: observed(deployed, number=4), "revision 4 was made with helm"),
        (lambda deployed: observed(deployed, status="failed"), "helm says: failed"),
        (lambda deployed: observed(deployed, hub=Workload("hub", 3, 1, 1, "kubectl-edit, now")),
         "hub was changed by kubectl-edit, now"),
        (lambda deployed: observed(deployed, hub=Workload("hub", 3, 0, 0)), "hub not running"),
        (lambda deployed: observed(deployed, proxy=Workload("proxy", 1, 0, 1)), "proxy not ready (0 of 1)"),
    ],
)  # fmt: skip
def test_drift(seen: Any, reason: str) -> None:
    assert said(diff_release(desired(), seen(record(desired())))) == (DRIFTED, [reason])


def test_a_missing_deployment() -> None:
    found = observed(record(desired()))
    del found.workloads["proxy"]
    assert said(diff_release(desired(), found)) == (DRIFTED, ["proxy is missing"])


def test_an_addon_that_a_failed_deploy_did_not_come_to() -> None:
    addon = AddonRelease("research-dask", "dask", "dask", "1.0", "https://charts.example.org", {})
    wanted = desired(addons=[addon])
    failed = record(wanted, result=FAILED, addons={"research-dask": 0})
    assert said(diff_release(wanted, observed(failed))) == (UPDATE, ["add-on dask is missing"])
    assert said(diff_release(wanted, observed(record(wanted, addons={"research-dask": 2})))) == (UNCHANGED, [])


def test_an_interrupted_deploy() -> None:
    found = diff_release(desired(), observed(record(desired(), result=APPLYING), status="pending-upgrade"))
    assert said(found) == (UPDATE, ["the last deploy did not end", "helm did not end (pending-upgrade)"])


def test_pods_that_start_just_now_are_no_drift() -> None:
    found = observed(record(desired()), proxy=Workload("proxy", 1, 0, 1))
    found.newest = dataclasses.replace(found.newest, modified=int(time.time())) if found.newest else None
    assert said(diff_release(desired(), found)) == (UNCHANGED, [])


def test_ignored_edits() -> None:
    edited = observed(record(desired()), hub=Workload("hub", 3, 1, 1, "kubectl-edit, now"))
    assert said(diff_release(desired(ignored_drift=["Deployment/hub"]), edited)) == (UNCHANGED, [])
