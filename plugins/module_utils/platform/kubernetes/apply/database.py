# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of a hub's database from before its schema changes, and going back to them.

JupyterHub upgrades its database when it starts, and an older one cannot read what a newer one wrote. The copy is made
while the hub runs, beside the database in its claim. Databases outside of the cluster are their administrator's.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ....common.text import one_line
from ...errors import PlatformError
from ..api.client import Json
from ..api.pod_command import run_in_pod
from ..releases.records import Record
from .change import Change

#: Where the chart mounts the claim of the database, and the name of the database there.
DIRECTORY, NAME = "/srv/jupyterhub", "jupyterhub.sqlite"
CLAIM = "hub-db-dir"
#: The pod that moves a copy into place, and the seconds that it has.
_POD, _PATIENCE = "hubfleet-database", 120.0
_CONTAINER = "hub"

_COPY = """
import glob, os, sqlite3, sys
source, target, *needed = sys.argv[1:]
if not os.path.exists(source):
    sys.exit(3)
for old in glob.glob(os.path.join(os.path.dirname(target), "before-*.sqlite*")):
    if os.path.basename(old) not in needed:
        os.unlink(old)
with sqlite3.connect(source) as database, sqlite3.connect(target + ".new") as copy:
    database.backup(copy)
os.replace(target + ".new", target)
"""
#: What the copy exits with where the database is elsewhere.
_NO_DATABASE = 3


def minor(version: str) -> tuple[str, ...]:
    """Return what the schema of the database belongs to: the first two numbers of a version of JupyterHub."""
    return tuple(version.split(".")[:2])


def copy_before(change: Change, records: Sequence[Record], last: Record | None, jupyterhub: str, number: int) -> str:
    """Copy the database if a deploy may change its schema; return the name of the copy, "" if there is none.

    records: that are kept; copies of others are removed. last: the deploy that ran last. number: of this one.
    Raises PlatformError where the copy fails.
    """
    if last is None or not last.jupyterhub or minor(last.jupyterhub) == minor(jupyterhub):
        return ""
    pod = _hub_pod(change)
    if pod is None:
        change.report("the hub does not run, so its database is not copied")
        return ""
    name = f"before-{number}.sqlite"
    needed = [record.database for record in records if record.database]
    arguments = ["python3", "-c", _COPY, f"{DIRECTORY}/{NAME}", f"{DIRECTORY}/{name}", *needed]
    done = run_in_pod(change.api, change.place.namespace, pod, _CONTAINER, arguments, change.timeout)
    if done.status == _NO_DATABASE:
        change.report("the database is not in the cluster, so it is not copied")
        return ""
    if done.status != 0:
        why = one_line((done.errors.strip().splitlines() or ["no reason was given"])[-1], 300)
        raise PlatformError(f"the database could not be copied: {why}")
    change.report(f"database copied to {name}, since JupyterHub {last.jupyterhub} becomes {jupyterhub}")
    return name


def copy_of(records: list[Record], target: Record) -> str:
    """Return the copy that has the schema of a deploy: the first that was made after it; "" if there is none."""
    later = [record for record in reversed(records) if record.number > target.number and record.database]
    return later[0].database if later else ""


def restore(change: Change, name: str) -> None:
    """Stop the hub and put a copy in place of its database, which is kept; the proxy and sessions go on."""
    path = f"/apis/apps/v1/namespaces/{change.place.namespace}/deployments/hub"
    deployment = change.api.get(path)
    change.report(f"stopping the hub to restore its database from {name}")
    change.api.patch(f"{path}/scale", {"spec": {"replicas": 0}})
    _wait(change, "the hub to stop", lambda: _hub_pod(change) is None)
    pods = f"/api/v1/namespaces/{change.place.namespace}/pods"
    change.api.delete(f"{pods}/{_POD}", gracePeriodSeconds=0)
    _wait(change, "an earlier pod to end", lambda: change.api.find(f"{pods}/{_POD}") is None)
    change.api.create(pods, _restoring_pod(deployment["spec"]["template"], name))
    try:
        _wait(change, "the database to be restored", lambda: _ended(change.api.get(f"{pods}/{_POD}")))
    finally:
        change.api.delete(f"{pods}/{_POD}", gracePeriodSeconds=0)


def _restoring_pod(template: Json, name: str) -> Json:
    """Return a pod with the image and the account of the hub, which swaps the database for a copy."""
    spec, hub = template["spec"], template["spec"]["containers"][0]
    # A hub that was killed in the middle of a change leaves a journal, which SQLite would apply to the other database.
    swap = (
        f"cd {DIRECTORY} && cp {NAME} replaced.sqlite && cp {name} {NAME}.new "
        f"&& rm -f {NAME}-journal {NAME}-wal {NAME}-shm && mv {NAME}.new {NAME}"
    )
    mounts = {each["mountPath"].rstrip("/"): each for each in hub.get("volumeMounts") or ()}
    path = mounts.get(DIRECTORY, {}).get("subPath")
    folder = {"subPath": path} if path else {}
    container: dict[str, Any] = {
        "name": "restore",
        "image": hub["image"],
        "command": ["sh", "-c", swap],
        "volumeMounts": [{"name": "database", "mountPath": DIRECTORY, **folder}],
        "securityContext": hub.get("securityContext") or {},
    }
    kept = ("securityContext", "imagePullSecrets", "nodeSelector", "tolerations", "affinity")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": _POD, "labels": {"app.kubernetes.io/managed-by": "hubfleet"}},
        "spec": {
            **{key: spec[key] for key in kept if key in spec},
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "containers": [container],
            "volumes": [{"name": "database", "persistentVolumeClaim": {"claimName": CLAIM}}],
        },
    }


def _ended(pod: Json) -> bool:
    phase = pod["status"].get("phase")
    if phase == "Failed":
        raise PlatformError("the database could not be restored from its copy; the hub is stopped")
    return bool(phase == "Succeeded")


def _hub_pod(change: Change) -> str | None:
    """Return the name of the hub's pod that runs, None if there is none."""
    pods = change.api.list(f"/api/v1/namespaces/{change.place.namespace}/pods", "component=hub")
    return next((pod["metadata"]["name"] for pod in pods if pod["status"].get("phase") == "Running"), None)


def _wait(change: Change, what: str, done: Any) -> None:
    deadline = time.monotonic() + min(_PATIENCE, change.timeout)
    while not done():
        if time.monotonic() > deadline:
            raise PlatformError(f"gave up waiting for {what}")
        time.sleep(0.5)
