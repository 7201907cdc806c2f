# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every change of a hub on Kubernetes needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ....fleet.lock_owner import GONE, LockOwner
from ...errors import PlatformError
from ..api.client import KubernetesApi
from ..lease import ClusterLock
from ..observe import HelmRevision, Observation, ObservedRelease, newest_revision, observe
from ..releases.records import HubSecret, Place, Record
from .helm_commands import Helm


@dataclass(frozen=True)
class Change:
    """A change of one hub.

    author: when, who, collection and revision of its record. keep: number of deploys that are kept.
    timeout: seconds that pods have to start. report: prints a line of progress. mask: hides secrets in a text.
    """

    api: KubernetesApi
    place: Place
    lock: ClusterLock
    owner: LockOwner
    author: dict[str, str]
    keep: int
    timeout: float
    report: Callable[[str], None]
    mask: Callable[[str], str] = str

    @property
    def helm(self) -> Helm:
        """Helm in the hub's namespace."""
        return Helm(self.api.credentials, self.place.namespace, self.timeout, self.mask)

    def observe(self) -> ObservedRelease:
        """Read the hub."""
        found: Observation = observe(self.api, [self.place], everywhere=False)
        return found.hubs[self.place.hub]

    def newest(self, release: str) -> HelmRevision | None:
        """Return the newest revision of a release in the hub's namespace."""
        return newest_revision(self.api, self.place.namespace, release)

    def record(self, number: int, **more: Any) -> Record:
        """Return the record of a deploy by this author."""
        return Record(number, **{**self.author, **more})

    def secret(self) -> HubSecret:
        """Read the Secret with the hub's records."""
        return HubSecret(self.api, self.place)

    def has_ended(self) -> bool:
        """Tell whether the playbook was killed: a task outlives it, but others may have its lock from then on."""
        return self.owner.state() == GONE

    def renew(self) -> None:
        """Renew the lock before a step; raises PlatformError where it was lost, or where the playbook was killed."""
        if self.has_ended():
            raise PlatformError("the playbook of this task has ended; nothing more is changed")
        self.lock.renew(self.owner)
