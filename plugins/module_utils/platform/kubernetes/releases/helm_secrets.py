# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases as Helm 3 and 4 store them: one Secret of type helm.sh/release.v1 per revision.

Its labels tell release, revision and status; its content is a release in JSON, compressed by gzip and encoded in
base64, once more than every content of a Secret (https://helm.sh/docs/topics/advanced/#storage-backends, and
pkg/storage/driver/util.go of Helm).
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from dataclasses import dataclass
from typing import Any

from ...errors import PlatformError

#: Finds the Secrets by their label.
SELECTOR = "owner=helm"
_KEY = "release"
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class HelmRelease:
    """One revision of a release.

    status: Helm's word, such as deployed, superseded, failed or pending-upgrade.
    config: the values that were given; without the defaults of the chart.
    manifest: YAML documents of all objects; those of hooks are not among them.
    when: the time of the deploy in RFC 3339. description: Helm's sentence on how the deploy went.
    """

    name: str
    namespace: str
    revision: int
    status: str
    chart_version: str
    app_version: str
    config: dict[str, Any]
    manifest: str
    when: str
    description: str


def name_of(metadata: dict[str, Any]) -> tuple[str, int, str]:
    """Return release, revision and status from the metadata of a Secret; "", 0 and "" if it is no release of Helm."""
    labels = metadata.get("labels") or {}
    name, version = str(labels.get("name") or ""), str(labels.get("version") or "")
    if labels.get("owner") != "helm" or not name or not version.isdecimal():
        return "", 0, ""
    return name, int(version), str(labels.get("status") or "")


def decode(secret: dict[str, Any]) -> HelmRelease:
    """Return the release in a Secret; raises PlatformError where there is none that can be read."""
    metadata = secret.get("metadata") or {}
    try:
        found = _content(str(secret["data"][_KEY]))
        return _release(found, str(metadata.get("namespace") or ""))
    # EOFError, OSError and zlib.error: of gzip. No reason is added: it could hold a part of the content.
    except (AttributeError, EOFError, KeyError, OSError, TypeError, ValueError, zlib.error):
        raise PlatformError(f"the Secret {metadata.get('name')} does not hold a release of Helm") from None


def _content(encoded: str) -> dict[str, Any]:
    """Return what the value of a Secret holds."""
    data = base64.b64decode(base64.b64decode(encoded, validate=True), validate=True)
    if data.startswith(_GZIP):  # Helm also reads what is not compressed, as it once was
        data = gzip.decompress(data)
    found: dict[str, Any] = json.loads(data)
    return found


def _release(found: dict[str, Any], namespace: str) -> HelmRelease:
    """Return a release from Helm's JSON. namespace: of the Secret, where the release does not name its own."""
    info = found["info"]
    chart = (found.get("chart") or {}).get("metadata") or {}
    return HelmRelease(
        name=str(found["name"]),
        namespace=str(found.get("namespace") or namespace),
        revision=int(found["version"]),
        status=str(info.get("status") or ""),
        chart_version=str(chart.get("version") or ""),
        app_version=str(chart.get("appVersion") or ""),
        config=dict(found.get("config") or {}),
        manifest=str(found.get("manifest") or ""),
        when=str(info.get("last_deployed") or ""),
        description=str(info.get("description") or ""),
    )
