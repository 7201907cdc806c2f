# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deploy lock of a cluster: a Lease with its holder and its expiry.

One Lease per cluster, in a namespace that every cluster has; with permissions in single namespaces, one in each.
Source: https://kubernetes.io/docs/concepts/architecture/leases/
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from ...fleet.lock_owner import ALIVE, GONE, LockOwner
from ..errors import PlatformError
from .api.client import ApiError, KubernetesApi, ignoring

NAME = "hubfleet-deploy"
#: Namespace of the Lease of a cluster. Managed clusters may forbid changes in kube-system.
NAMESPACE = "default"
#: Seconds after which a holder that does not renew its Lease has lost it, unless its steps may take longer.
DURATION = 1800
_OWNER = "hubfleet.jupyterhub/owner"
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"

#: So many times a Lease is renewed that others renew at the same time.
_ATTEMPTS = 20


class _Conflict(PlatformError):
    """A Lease was changed since it was read."""


class ClusterLock:
    """The Leases that a deploy needs. namespaces: of these. cluster: its name, for messages. duration: in seconds."""

    def __init__(self, api: KubernetesApi, namespaces: Sequence[str], cluster: str, duration: int = DURATION):
        self.api, self.namespaces, self.cluster = api, sorted(set(namespaces)), cluster
        self.duration = duration

    def take(self, owner: LockOwner, force: bool = False) -> bool:
        """Take all Leases or none; see Platform.lock(). Namespaces that do not exist yet are left out."""
        replaced = False
        taken: list[str] = []
        for namespace in self.namespaces:
            try:
                found = self._take(namespace, owner, force)
            except PlatformError:
                for name in taken:
                    self._release(name, owner)
                raise
            if found is not None:
                replaced |= found
                taken.append(namespace)
        return replaced

    def release(self, owner: LockOwner) -> bool:
        """Release the Leases of an owner; return whether there was one."""
        released = [self._release(namespace, owner) for namespace in self.namespaces]
        return any(released)

    def renew(self, owner: LockOwner) -> None:
        """Renew the Leases of an owner before a step that changes the cluster; PlatformError where they were lost."""
        for namespace in self.namespaces:
            # Tasks of one playbook, each for a hub of its own, renew the same Lease at the same time.
            for attempt in range(_ATTEMPTS):
                lease = self._held_by(owner, namespace)
                if lease is None:
                    break
                try:
                    self._replace(namespace, self._renewed(lease, owner))
                    break
                except _Conflict:
                    if attempt == _ATTEMPTS - 1:
                        raise

    def _held_by(self, owner: LockOwner, namespace: str) -> dict[str, Any] | None:
        """Return the Lease of an owner, None where there is no such namespace; PlatformError where it was lost."""
        lease = self.api.find(self._path(namespace))
        if lease is None:
            if self.api.find(f"/api/v1/namespaces/{namespace}") is None:
                return None  # who makes it takes its Lease
            # Somebody took the lock after it expired, changed the cluster, and released the lock.
            raise PlatformError(f"the lock of cluster {self.cluster} was lost; nothing more is changed")
        holder = _holder(lease)
        if not owner.is_same(holder):
            by = f" by {holder.describe()}" if holder else ""
            raise PlatformError(f"the lock of cluster {self.cluster} was taken over{by}; nothing more is changed")
        return lease

    def _take(self, namespace: str, owner: LockOwner, force: bool) -> bool | None:
        """Take one Lease; return whether another holder was replaced, None where there is no such namespace."""
        path = self._path(namespace)
        lease = self.api.find(path)
        if lease is None:
            try:
                if ignoring(404, lambda: self.api.create(path.rpartition("/")[0], self._new(namespace, owner))):
                    return False
                return None
            except ApiError as error:
                if error.status != 409:
                    raise
                lease = self.api.get(path)
        holder = _holder(lease)
        other = holder is not None and not owner.is_same(holder)
        if other and not _may_replace(lease, holder, force):
            raise PlatformError(self._held(lease, holder))
        self._replace(namespace, self._renewed(lease, owner, taken=holder is None or other))
        return other

    def _replace(self, namespace: str, lease: dict[str, Any]) -> None:
        try:
            self.api.replace(self._path(namespace), lease)
        except ApiError as error:
            if error.status != 409:
                raise
            raise _Conflict(f"another deploy took the lock of cluster {self.cluster} at this moment") from None

    def _release(self, namespace: str, owner: LockOwner) -> bool:
        lease = self.api.find(self._path(namespace))
        if lease is None or not owner.is_same(_holder(lease)):
            return False
        return self.api.delete(
            self._path(namespace), preconditions={"resourceVersion": lease["metadata"]["resourceVersion"]}
        )

    def _new(self, namespace: str, owner: LockOwner) -> dict[str, Any]:
        metadata = {"name": NAME, "namespace": namespace, "labels": {"app.kubernetes.io/managed-by": "hubfleet"}}
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": {}}
        return self._renewed(lease, owner, taken=True)

    def _renewed(self, lease: dict[str, Any], owner: LockOwner, taken: bool = False) -> dict[str, Any]:
        """Return a Lease as its owner renews it; taken: whether the owner is a new one."""
        now = _now().strftime(_TIME)
        spec = {**(lease.get("spec") or {}), "renewTime": now, "leaseDurationSeconds": self.duration}
        if taken:
            spec.update(acquireTime=now, holderIdentity=f"{owner.who} (process {owner.pid})")
        annotations = {**(lease["metadata"].get("annotations") or {}), _OWNER: owner.to_text()}
        return {**lease, "metadata": {**lease["metadata"], "annotations": annotations}, "spec": spec}

    def _path(self, namespace: str) -> str:
        return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{NAME}"

    def _held(self, lease: dict[str, Any], holder: LockOwner | None) -> str:
        who = holder.describe() if holder else "somebody is under way"
        text = f"a deploy by {who}; wait for its end"
        if holder and holder.state() == ALIVE:
            return text
        until = _expiry(lease).strftime("%Y-%m-%d %H:%M UTC")
        return (
            f"{text}. Whether it still runs cannot be seen from here; if it ended without releasing the lock, the lock "
            f"expires at {until}, or free it with -e deploy_break_lock={self.cluster}"
        )


def _may_replace(lease: dict[str, Any], holder: LockOwner | None, force: bool) -> bool:
    state = holder.state() if holder else GONE
    # Between two waves, a deploy may wait for longer than its Lease lasts.
    return state == GONE or (state != ALIVE and (force or _expiry(lease) < _now()))


def _holder(lease: dict[str, Any]) -> LockOwner | None:
    return LockOwner.from_text((lease["metadata"].get("annotations") or {}).get(_OWNER) or "")


def _expiry(lease: dict[str, Any]) -> datetime.datetime:
    """Return when a Lease ends that is not renewed."""
    spec = lease.get("spec") or {}
    try:
        renewed = datetime.datetime.strptime(str(spec["renewTime"]), _TIME).replace(tzinfo=datetime.timezone.utc)
        return renewed + datetime.timedelta(seconds=int(spec["leaseDurationSeconds"]))
    except (KeyError, ValueError, TypeError):
        return datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)
