# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the inventory the cluster cannot satisfy, found before anything is changed.

Only looked for where a hub is new or differs: what runs already has found what it needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...common.nested import value_at
from ...schema.model import FleetInput, Hub, ValuePath
from ...schema.problems import Problems, nearest
from ..base import Blocker
from .api.client import ApiError, Json, KubernetesApi
from .values.chart_values import ChartValues

_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
_IS_DEFAULT = "storageclass.kubernetes.io/is-default-class"
#: Places in the values that name a storage class, each with the place that decides whether it is used, and how.
_DATABASE = (("hub", "db", "pvc", "storageClassName"), ("hub", "db", "type"), "sqlite-pvc")
_HOMES = (("singleuser", "storage", "dynamic", "storageClass"), ("singleuser", "storage", "type"), "dynamic")


def missing_storage_classes(
    api: KubernetesApi, hubs: Sequence[Hub], values: Mapping[str, ChartValues], inventory: FleetInput
) -> list[Blocker]:
    """Return storage classes of hubs that the cluster does not have.

    values: of the chart, by hub. Accounts that may not list storage classes find none missing.
    """
    if not hubs:
        return []
    try:
        classes = api.list(_CLASSES, metadata=True)
    except ApiError as error:
        if error.status != 403:
            raise
        return []
    problems = Problems()
    for hub in hubs:
        host = inventory.hosts[hub.name]
        for source, message in _problems(values[hub.name], classes):
            problems.add(source, message, host.locate(source), hub.name)
    return [Blocker("storage-class", problem) for problem in problems.of(hub.name for hub in hubs)]


def _problems(values: ChartValues, classes: Sequence[Json]) -> Iterator[tuple[ValuePath, str]]:
    """Yield a place in the inventory and what is wrong there, once each."""
    names = sorted(each["metadata"]["name"] for each in classes)
    has_default = any((each["metadata"].get("annotations") or {}).get(_IS_DEFAULT) == "true" for each in classes)
    found: dict[tuple[ValuePath, str], None] = {}
    for place, kind, wanted in (_DATABASE, _HOMES):
        if value_at(values.merged, kind, wanted) != wanted:
            continue
        name = value_at(values.merged, place)
        if name in names or (not name and has_default):
            continue
        sources = values.sources(place) if name else []
        source: ValuePath = sources[-1] if sources else ("cluster_storage_class",)
        there = nearest(str(name or ""), names) if names else "; the cluster has none"
        what = f"there is no storage class {name!r}" if name else "is not set, and the cluster has no default class"
        found[source, f"{what}{there}"] = None
    yield from found
