# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a cluster before its hubs are: which one it is, and its version."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ...schema.model import Hub
from .api.client import ApiError, KubernetesApi

#: The namespace that every cluster has, and whose UID tells it from all others.
SYSTEM = "kube-system"


@dataclass(frozen=True)
class KubernetesFacts:
    """Facts of a cluster.

    namespaces: name -> UID, of the namespace that identifies the cluster, or of those of hubs where the permissions
        are for these only; "" where there is none.
    """

    namespaces: dict[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """Names and UIDs of namespaces; "" where none can be read."""
        return ",".join(f"{name}={uid}" for name, uid in sorted(self.namespaces.items()))

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as JSON-able data."""
        return dataclasses.asdict(self)

    def playbook_variables(self) -> dict[str, Any]:
        """Return nothing: hubs on Kubernetes share nothing that has to be prepared."""
        return {}


def gather(api: KubernetesApi, permissions: str, hubs: Iterable[Hub]) -> KubernetesFacts:
    """Read the facts of a cluster. permissions: as cluster_permissions."""
    if permissions != "namespace":
        uid = _uid(api, SYSTEM)
        if uid:
            return KubernetesFacts({SYSTEM: uid})
    found = {hub.namespace: _uid(api, hub.namespace) for hub in hubs}
    return KubernetesFacts({name: uid for name, uid in found.items() if uid is not None})


def _uid(api: KubernetesApi, namespace: str) -> str | None:
    """Return the UID of a namespace; "" where there is none, None where it may not be read, or is about to go."""
    try:
        found = api.find(f"/api/v1/namespaces/{namespace}")
    except ApiError as error:
        if error.status != 403:
            raise
        return None
    if found is None:
        return ""
    return None if found["status"].get("phase") == "Terminating" else str(found["metadata"]["uid"])
