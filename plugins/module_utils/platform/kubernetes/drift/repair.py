# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove what others added to the objects of a release, which applying its manifest leaves in place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..api.client import APPLY_PATCH, JSON_PATCH, ApiError, KubernetesApi
from ..releases.helm_secrets import HelmRelease
from .compare import to_apply
from .deep import Comparison, Mask, ObjectComparison, objects_of
from .ignored import is_ignored, parse_rules
from .owner import HELM
from .paths import Item, Steps, path_text
from .resources import Resources


def remove_additions(api: KubernetesApi, release: HelmRelease, ignored: Sequence[str], mask: Mask) -> list[str]:
    """Remove additions, and return each place in words.

    ignored: rules, see ignored.py. Objects that are missing, or that may not be changed, are left alone.
    Raises UnreachableError.
    """
    comparison = Comparison(api, release, parse_rules(ignored), mask, Resources(api))
    removed = []
    for manifest in objects_of(release):
        kind, name = str(manifest.get("kind")), str(manifest["metadata"].get("name"))
        path = comparison.resources.path(manifest, release.namespace)
        live = api.find(path) if path else None
        if live is None:
            continue
        try:
            removed += _remove(comparison, ObjectComparison(comparison, kind, name, manifest, path, live))
        except ApiError as error:
            if error.status not in (403, 409, 422):
                raise
    return removed


def _remove(comparison: Comparison, found: ObjectComparison) -> list[str]:
    """Remove the additions of one object."""
    body = to_apply(found.manifest, found.live)
    query = {"fieldManager": HELM, "dryRun": "All", "force": "true"}
    result = comparison.api.patch(found.path, body, APPLY_PATCH, **query)
    places = [
        steps
        for steps in found.added(result)
        if not is_ignored(comparison.rules, found.kind, found.name, path_text(steps))
    ]
    if not places:
        return []
    version = found.live["metadata"]["resourceVersion"]
    # What was read is what is changed: indexes of lists may mean something else by now.
    operations: list[dict[str, Any]] = [{"op": "test", "path": "/metadata/resourceVersion", "value": version}]
    operations += [{"op": "remove", "path": pointer} for pointer in _pointers(places)]
    comparison.api.patch(found.path, operations, JSON_PATCH)
    return [f"{found.kind} {found.name}: {path_text(steps)}" for steps in places]


def _pointers(places: Iterable[Steps]) -> list[str]:
    """Return JSON pointers (RFC 6901) of places, the last ones of a list first, so that removing moves none."""
    keys = [tuple(step.live if isinstance(step, Item) else step for step in steps) for steps in places]
    keys.sort(
        key=lambda each: [(0, key, "") if isinstance(key, int) else (1, 0, str(key)) for key in each], reverse=True
    )
    return ["".join(f"/{_escaped(key)}" for key in each) for each in keys]


def _escaped(key: object) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")
