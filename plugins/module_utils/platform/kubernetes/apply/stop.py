# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop a hub, end sessions, and remove a hub."""

from __future__ import annotations

from typing import Any

from ....common.text import abbreviated
from ...errors import PlatformError
from ..api.client import ApiError
from ..labels import SESSIONS, USER
from ..releases import helm_secrets
from ..releases.records import CLUSTER_LABEL
from ..values.check_service import CHECK_SERVICE
from .change import Change
from .helm_commands import helm_version

#: Seconds that a server has to end after the signal to do so.
_GRACE = 30
#: What keeps a namespace is named up to this number.
_MOST_NAMES = 5


def users_with_sessions(change: Change) -> list[str]:
    """Return the users with running servers."""
    users = {_user(pod) for pod in _session_pods(change)}
    return sorted(user for user in users if not user.startswith(CHECK_SERVICE))


def end_sessions(change: Change) -> None:
    """End the servers of all users."""
    for pod in _session_pods(change):
        change.api.delete(_path(change, "pods", pod["name"]), gracePeriodSeconds=_GRACE)


def stop(change: Change) -> list[str]:
    """Stop hub, proxy and all other Deployments of the release; return the names of those that ran."""
    change.renew()
    running = sorted(name for name, workload in change.observe().workloads.items() if workload.wanted)
    for name in running:
        path = f"/apis/apps/v1/namespaces/{change.place.namespace}/deployments/{name}/scale"
        change.api.patch(path, {"spec": {"replicas": 0}})
    return running


def remove(change: Change, remove_data: bool) -> bool:
    """Remove a hub; return whether there was one. Claims stay, unless its data is removed as well."""
    helm_version()  # before anything is changed
    secret, observed = change.secret(), change.observe()
    there = observed.newest is not None
    change.renew()
    for release in (*sorted(secret.addons), change.place.release):
        change.report(f"helm uninstall {release}")
        change.helm.uninstall(release)
    # Pods of sessions belong to no release.
    end_sessions(change)
    if not remove_data:
        return there
    for claim in change.api.list(_path(change, "persistentvolumeclaims"), metadata=True):
        if _is_of_hub(claim["metadata"]):
            change.api.delete(_path(change, "persistentvolumeclaims", claim["metadata"]["name"]))
            there = True
    there |= bool(secret.records)
    secret.delete()
    _remove_namespace(change)
    return there


def is_namespace_removed(change: Change) -> bool:
    """Tell whether the namespace of a hub is not there any more, or is about to go."""
    try:
        found = change.api.find(f"/api/v1/namespaces/{change.place.namespace}")
    except ApiError as error:
        if error.status != 403:
            raise
        return False
    return found is None or found["status"].get("phase") == "Terminating"


def _remove_namespace(change: Change) -> None:
    """Remove the namespace if a deploy made it and nothing of others is in it."""
    path = f"/api/v1/namespaces/{change.place.namespace}"
    try:
        found = change.api.find(path)
        if found is None or CLUSTER_LABEL not in (found["metadata"].get("labels") or {}):
            return
        others = _of_others(change)
        if others:
            change.report(f"the namespace {change.place.namespace} stays, with {abbreviated(others, _MOST_NAMES)}")
        else:
            change.api.delete(path)
    except ApiError as error:
        if error.status != 403:
            raise


def _of_others(change: Change) -> list[str]:
    """Return claims, releases and pods in the namespace that the removal of the hub has left alone."""
    claims = change.api.list(_path(change, "persistentvolumeclaims"), metadata=True)
    secrets = change.api.list(_path(change, "secrets"), helm_secrets.SELECTOR, metadata=True)
    pods = change.api.list(_path(change, "pods"), metadata=True)
    releases = {helm_secrets.name_of(each["metadata"])[0] for each in secrets} - {""}
    # Pods of the hub that have not ended by now are about to.
    left = [each["metadata"] for each in pods if not _is_of_hub(each["metadata"])]
    return [
        *(f"claim {each['metadata']['name']}" for each in claims if not each["metadata"].get("deletionTimestamp")),
        *(f"release {name}" for name in sorted(releases)),
        *(f"pod {metadata['name']}" for metadata in left if not metadata.get("deletionTimestamp")),
    ]


def _is_of_hub(metadata: dict[str, Any]) -> bool:
    """Tell whether a claim or pod is of the hub or one of its users; claims for homes that operators made are not."""
    labels = metadata.get("labels") or {}
    return labels.get("app") == "jupyterhub" or labels.get("app.kubernetes.io/name") == "jupyterhub"


def _session_pods(change: Change) -> list[dict[str, Any]]:
    found = change.api.list(_path(change, "pods"), SESSIONS, metadata=True)
    return [pod["metadata"] for pod in found if not pod["metadata"].get("deletionTimestamp")]


def _user(pod: dict[str, Any]) -> str:
    return str((pod.get("annotations") or {}).get(USER) or pod["name"])


def _path(change: Change, kind: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{change.place.namespace}/{kind}" + (f"/{name}" if name else "")


def refuse_sessions(users: list[str], variable: str) -> None:
    """Raise PlatformError where sessions would be ended that nobody asked to end."""
    if users:
        raise PlatformError(
            f"this would end the sessions of {', '.join(users)}; wait until they are done, or end them with "
            f"-e {variable}=true; nothing was changed"
        )
