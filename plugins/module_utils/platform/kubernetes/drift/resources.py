# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the API server has objects, by its discovery: one request per group and version.

See https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ..api.client import KubernetesApi


class Resources:
    """Paths of objects in the API of one cluster; what was read is kept. Threads may share it."""

    def __init__(self, api: KubernetesApi):
        """Read nothing yet."""
        self._api = api
        self._kinds: dict[str, dict[str, tuple[str, bool]]] = {}

    def load(self, api_version: str) -> None:
        """Read the kinds of a group and version, such as apps/v1; raises ApiError and UnreachableError."""
        if api_version in self._kinds:
            return
        found = self._api.find(_root(api_version)) or {}
        self._kinds[api_version] = {
            resource["kind"]: (resource["name"], bool(resource.get("namespaced")))
            for resource in found.get("resources") or ()
            if "/" not in resource["name"]  # no subresources, such as deployments/scale
        }

    def path(self, manifest: dict[str, Any], namespace: str) -> str:
        """Return the path of an object; "" where the API server does not have its kind.

        namespace: where the object does not name its own. Raises ApiError and UnreachableError.
        """
        api_version, metadata = str(manifest.get("apiVersion") or ""), manifest.get("metadata") or {}
        self.load(api_version)
        resource, is_namespaced = self._kinds[api_version].get(str(manifest.get("kind")), ("", False))
        if not resource:
            return ""
        place = f"/namespaces/{quote(metadata.get('namespace') or namespace)}" if is_namespaced else ""
        # Names of objects of RBAC may hold colons, which stay as they are in paths.
        return f"{_root(api_version)}{place}/{resource}/{quote(str(metadata.get('name') or ''), safe=':')}"


def _root(api_version: str) -> str:
    """Return the path of a group and version; that of the core has no group."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
