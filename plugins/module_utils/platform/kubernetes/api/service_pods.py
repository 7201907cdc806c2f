# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods behind a Service, for ports that are forwarded to them."""

from __future__ import annotations

from typing import Any

from ...errors import PlatformError
from .client import Json, KubernetesApi


def ready_pod(api: KubernetesApi, namespace: str, service: Json) -> Json | None:
    """Return the newest pod of a Service that is ready, None where none is."""
    selector = ",".join(f"{key}={value}" for key, value in (service["spec"].get("selector") or {}).items())
    pods = api.list(f"/api/v1/namespaces/{namespace}/pods", selector) if selector else []
    ready = [pod for pod in pods if _is_ready(pod)]
    return max(ready, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), default=None)


def port_number(pod: Json, port: Any) -> int:
    """Return the number of a port of a pod; raises PlatformError where it has none of that name.

    port: its number or name, as ``targetPort`` of a Service has it.
    """
    if isinstance(port, int):
        return port
    named: list[Json] = [each for item in pod["spec"]["containers"] for each in item.get("ports") or ()]
    found = next((int(each["containerPort"]) for each in named if each.get("name") == port), None)
    if found is None:
        raise PlatformError(f"pod {pod['metadata']['name']} has no port {port}")
    return found


def _is_ready(pod: Json) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")
