# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The size of what Helm keeps of a release, with everything in it: a secret, which Kubernetes limits to 1 MiB."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any

from ....common.nested import leaves
from .model import ManifestProblem, Release

_MOST = 1024 * 1024
_HINT = "use smaller files, or bring them in an image or a volume"


def record_problems(release: Release, objects: list[dict[str, Any]]) -> Iterator[ManifestProblem]:
    """Yield that a release is too large for Helm to install it, at the largest of its values.

    The chart in the record is not counted: about 0.1 MB.
    """
    values, manifests = json.dumps(release.values), json.dumps(objects)
    if len(values) + len(manifests) < _MOST // 2:
        return
    # Values and manifests, as base64 of what gzip makes of JSON: so the largest of both is in it twice.
    size = len(zlib.compress((values + manifests).encode())) * 4 // 3
    largest = max(_sizes(objects), default=0)
    if size > _MOST:
        message = f"Helm keeps {size / 1e6:.1f} MB of this release in a secret, and the most is 1 MB: {_HINT}"
    elif largest > _MOST:
        message = f"makes a secret or ConfigMap of {largest / 1e6:.1f} MB, and the most is 1 MB: {_HINT}"
    else:
        return
    texts = ((path, len(text)) for path, text in leaves(release.values) if isinstance(text, str))
    place = max(texts, key=lambda text: text[1], default=((), 0))[0]
    yield ManifestProblem("values", "", place, message)


def _sizes(objects: list[dict[str, Any]]) -> Iterator[int]:
    """Yield the bytes in each secret and ConfigMap."""
    for each in objects:
        if each.get("kind") in ("Secret", "ConfigMap"):
            encoded = 3 / 4 if each["kind"] == "Secret" else 1
            plain = sum(len(str(text).encode()) for text in (each.get("stringData") or {}).values())
            yield plain + int(sum(len(str(text).encode()) for text in (each.get("data") or {}).values()) * encoded)
