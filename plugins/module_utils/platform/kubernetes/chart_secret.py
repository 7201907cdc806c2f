# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the chart's Secret of a deployed hub says: tokens of services, and values."""

from __future__ import annotations

import base64
from typing import Any

from ...common.nested import value_at
from ..errors import PlatformError
from .api.client import ApiError, KubernetesApi
from .labels import RELEASE_NAME
from .releases.records import Place

#: The chart's name for the Secret, and the key of the values that the hub reads.
CHART_SECRET, _VALUES = "hub", "values.yaml"


class ChartSecret:
    """The Secret of one hub, as it was read."""

    def __init__(self, api: KubernetesApi, place: Place) -> None:
        """Read it; raises PlatformError where the hub is not deployed or the Secret cannot be read."""
        self._hub = place.hub
        try:
            found = api.find(f"/api/v1/namespaces/{place.namespace}/secrets/{CHART_SECRET}")
        except ApiError as error:
            raise PlatformError(f"hub {place.hub}: {error}") from None
        annotations = ((found or {}).get("metadata") or {}).get("annotations") or {}
        if found is None or annotations.get(RELEASE_NAME, place.release) != place.release:  # of another hub
            raise PlatformError(f"hub {place.hub} is not deployed; run the playbook deploy first")
        self._data: dict[str, str] = found.get("data") or {}

    def token(self, service: str) -> str:
        """Return the token of a service of the hub; raises PlatformError where there is none."""
        encoded = self._data.get(token_key(service))
        if not encoded:
            raise PlatformError(f"hub {self._hub}: what is deployed has no service {service}; deploy it again")
        return base64.b64decode(encoded).decode()

    @property
    def base_url(self) -> str:
        """The path that the hub's addresses begin with; begins and ends with a slash."""
        import yaml  # Ansible brings it along

        text = base64.b64decode(self._data.get(_VALUES, "")).decode()
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the values are long
        found = value_at(yaml.load(text, Loader=loader), ("hub", "baseUrl"))
        path = str(found or "").strip("/")
        return f"/{path}/" if path else "/"


def token_key(service: str) -> str:
    """Return the key of a service's token."""
    return f"hub.services.{service}.apiToken"
