# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore a hub beside itself, to test its backup: in a namespace of its own, which is removed afterwards."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from ...errors import PlatformError
from ..apply.change import Change
from ..apply.deploy import deploy
from ..chart.charts import Charts
from ..releases.desired import DesiredRelease
from ..releases.records import CLUSTER_LABEL, OWNER
from ..values.layers import Values
from .restore import fetch, place
from .save import Backups
from .workspace import INTERVAL

#: Label of the namespace; its value is the hub.
LABEL = "hubfleet.jupyterhub/drill-of"
#: What the hub of a drill does without: everything that reaches out of its namespace.
VALUES: Values = {
    "ingress": {"enabled": False},
    "httpRoute": {"enabled": False},
    "proxy": {"service": {"type": "ClusterIP"}, "https": {"enabled": False}},
    "scheduling": {
        "userScheduler": {"enabled": False},
        "podPriority": {"enabled": False},
        "userPlaceholder": {"enabled": False},
    },
    "prePuller": {"hook": {"enabled": False}, "continuous": {"enabled": False}},
}
#: Seconds that a namespace has to go with everything in it.
_PATIENCE = 300.0


@dataclass(frozen=True)
class Drill:
    """A drill. change, desired: of the hub in the drill's namespace. force: take the lock of a drill that is lost."""

    change: Change
    desired: DesiredRelease
    backups: Backups
    charts: Charts
    force: bool = False

    def start(self, wanted: str, check: dict[str, Any]) -> dict[str, Any]:
        """Restore and start the hub; return facts of the backup, and the seconds of each step.

        Call :meth:`clear` in any case, unless this raises DrillRefused.
        """
        self._begin()
        began = time.monotonic()
        found = fetch(self.change, self.backups, wanted)
        place(self.change, self.backups, found, beside=True)
        secret = self.change.secret()
        secret.generated = found.generated
        secret.write(self.change.keep)
        restored = time.monotonic()
        deploy(self.change, self.desired, self.charts, check, take_over=False)
        seconds = {"restore": round(restored - began, 1), "start": round(time.monotonic() - restored, 1)}
        return {**found.facts, "seconds": seconds}

    def clear(self) -> None:
        """Remove the namespace of this drill, and wait until it is gone."""
        if not self._is_own():
            return
        self.change.api.delete(self._path)
        deadline = time.monotonic() + _PATIENCE
        while self.change.api.find(self._path) is not None:
            if time.monotonic() > deadline:
                raise PlatformError(f"the namespace {self.change.place.namespace} of the drill does not end")
            time.sleep(INTERVAL)

    def _begin(self) -> None:
        """Make the namespace, after removing that of an interrupted drill."""
        place = self.change.place
        if self.change.api.find(self._path) is not None:
            if not self._is_own():
                raise DrillRefused(f"the namespace {place.namespace} exists and is not of a drill; nothing was changed")
            self._lock()
            self.clear()
        labels = {"app.kubernetes.io/managed-by": OWNER, CLUSTER_LABEL: place.cluster, LABEL: place.hub}
        metadata = {"name": place.namespace, "labels": labels}
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        try:
            self.change.api.create("/api/v1/namespaces", body)
        except PlatformError as error:
            raise DrillRefused(f"a drill needs a namespace of its own: {error}") from None
        self._lock()

    def _lock(self) -> None:
        try:
            self.change.lock.take(self.change.owner, self.force)
        except PlatformError as error:
            raise DrillRefused(f"another drill of hub {self.change.place.hub}: {error}") from None

    def _is_own(self) -> bool:
        found = self.change.api.find(self._path) or {"metadata": {}}
        return (found["metadata"].get("labels") or {}).get(LABEL) == self.change.place.hub

    @property
    def _path(self) -> str:
        return f"/api/v1/namespaces/{self.change.place.namespace}"


class DrillRefused(PlatformError):
    """The drill did not begin, so that there is nothing to remove."""
