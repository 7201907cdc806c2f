# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was deployed of a hub, in a Secret beside its release.

It is not in Helm's own Secrets: Helm replaces those when it marks a revision as superseded, and copies their labels
into revisions that somebody makes by hand. So each record names the revision that it belongs to. The records are an
annotation, since the metadata of all Secrets of a cluster can be read at once; the content holds secrets of the hub.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ....common.persisted import from_persisted
from ....fleet.revisions import APPLYING, GOOD, Revision
from ..api.client import ApiError, KubernetesApi

OWNER = "hubfleet"
_PREFIX = "hubfleet.jupyterhub/"
CLUSTER_LABEL, HUB_LABEL, RELEASE_LABEL = f"{_PREFIX}cluster", f"{_PREFIX}hub", f"{_PREFIX}release"
DEPLOYS = f"{_PREFIX}deploys"
#: When the hub was backed up last, and the backup that it was restored from and not deployed since.
BACKUP, RESTORED = f"{_PREFIX}last-backup", f"{_PREFIX}restored"
#: Keys of the content: secrets that are given to the chart, and what the check of each deploy tries.
_GENERATED, _CHECKS = "generated", "checks"


@dataclass(frozen=True)
class Record:
    """One deploy of a hub.

    number: the revision of the release. when: UTC, as 2026-11-24T08:15:00Z. who: account@machine.
    collection, revision: the collection's version, and the inventory's git revision or "".
    jupyterhub, chart: their versions.
    parts: what Helm was given, name -> digest; see :class:`DesiredRelease`.
    addons: release of each add-on -> its revision, 0 where it was not deployed.
    workloads: name of each Deployment of the release -> its generation at the end of the deploy.
    database: name of the copy of the database that was made before, or "".
    back_to: number of the deploy that a rollback restored, or 0.

    Other releases of the collection read it, so options of the inventory are not part of it.
    """

    number: int
    when: str
    who: str
    collection: str
    revision: str
    jupyterhub: str = ""
    chart: str = ""
    parts: dict[str, str] = field(default_factory=dict)
    addons: dict[str, int] = field(default_factory=dict)
    workloads: dict[str, int] = field(default_factory=dict)
    database: str = ""
    back_to: int = 0
    result: str = APPLYING

    def as_revision(self) -> Revision:
        """Return what every platform tells of a deploy."""
        return Revision(**{each.name: getattr(self, each.name) for each in dataclasses.fields(Revision)})


def read_records(metadata: dict[str, Any]) -> list[Record]:
    """Return the records in the metadata of a Secret, the newest first; [] where they are damaged."""
    text = (metadata.get("annotations") or {}).get(DEPLOYS) or "[]"
    try:
        found = [from_persisted(Record, each) for each in json.loads(text)]
    except (ValueError, TypeError, AttributeError):
        return []
    return sorted(found, key=lambda record: -record.number)


def read_annotation(metadata: dict[str, Any], name: str) -> str:
    """Return an annotation in the metadata of a Secret; "" where there is none."""
    return str((metadata.get("annotations") or {}).get(name) or "")


def good_before(records: Sequence[Record]) -> Record | None:
    """Return the newest version that ran before the newest record, or None."""
    wrong = records[0].parts if records else {}
    return next((record for record in records[1:] if record.result in GOOD and record.parts != wrong), None)


def kept(records: Sequence[Record], most: int) -> list[Record]:
    """Return the records to keep, the newest first: so many, and the one that a rollback would use."""
    back = good_before(records)
    return [record for index, record in enumerate(records) if index < most or record == back]


@dataclass(frozen=True)
class Place:
    """A hub on its cluster."""

    cluster: str
    hub: str
    namespace: str
    release: str

    @property
    def secret(self) -> str:
        """Name of the Secret with the hub's records."""
        return f"{OWNER}.{self.release}"


class HubSecret:
    """The Secret of a hub's records, as it was read; :meth:`write` keeps it.

    generated: secrets that are given to the chart. checks: number of a deploy -> what its check tries.
    backup: when the hub was backed up last, or "". restored: id of the backup that it was restored from, or "".
    """

    def __init__(self, api: KubernetesApi, place: Place):
        """Read the Secret."""
        self.api, self.place = api, place
        self._path = f"/api/v1/namespaces/{place.namespace}/secrets"
        self._found = api.find(f"{self._path}/{place.secret}")
        found = self._found or {}
        metadata = found.get("metadata") or {}
        self.records = read_records(metadata)
        self.backup = read_annotation(metadata, BACKUP)
        self.restored = read_annotation(metadata, RESTORED)
        self.generated: dict[str, Any] = self._content(_GENERATED)
        self.checks: dict[str, Any] = self._content(_CHECKS)

    @property
    def newest(self) -> Record | None:
        """The newest record."""
        return self.records[0] if self.records else None

    @property
    def addons(self) -> set[str]:
        """The releases of all add-ons that the hub had, also those of a deploy that did not end."""
        return {name for record in self.records for name in record.addons}

    def begin(self, record: Record) -> None:
        """Add a record, or replace the one of the same number."""
        others = [each for each in self.records if each.number < record.number]
        self.records = [record, *others]

    def finish(self, number: int, /, **changes: Any) -> None:
        """Change a record, such as its result."""
        self.records = [
            dataclasses.replace(record, **changes) if record.number == number else record for record in self.records
        ]

    def drop(self, number: int) -> None:
        """Remove a record."""
        self.records = [record for record in self.records if record.number != number]

    def write(self, keep: int, locked: bool = True) -> None:
        """Write the Secret. keep: number of records.

        locked: whether the lock of the cluster is held; then all that others may have written meanwhile is the result
        of a check. Otherwise raises ApiError (409) where somebody else has changed it since it was read.
        """
        self.records = kept(self.records, keep)
        numbers = {str(record.number) for record in self.records}
        self.checks = {number: check for number, check in self.checks.items() if number in numbers}
        body = self._body()
        if self._found is None:
            self._found = self.api.create(self._path, body)
        else:
            if not locked:
                body["metadata"]["resourceVersion"] = self._found["metadata"]["resourceVersion"]
            self._found = self.api.replace(f"{self._path}/{self.place.secret}", body)

    def delete(self) -> None:
        """Delete the Secret."""
        self.api.delete(f"{self._path}/{self.place.secret}")

    def _body(self) -> dict[str, Any]:
        place = self.place
        labels = {
            "owner": OWNER,
            "app.kubernetes.io/managed-by": OWNER,
            CLUSTER_LABEL: place.cluster,
            HUB_LABEL: place.hub,
            RELEASE_LABEL: place.release,
        }
        annotations = {BACKUP: self.backup, RESTORED: "" if self.records else self.restored}
        annotations = {key: text for key, text in annotations.items() if text}
        deploys = json.dumps([dataclasses.asdict(record) for record in self.records], separators=(",", ":"))
        content = {_GENERATED: json.dumps(self.generated), _CHECKS: json.dumps(self.checks)}
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": f"{_PREFIX}records",
            "metadata": {
                "name": place.secret,
                "namespace": place.namespace,
                "labels": labels,
                "annotations": {DEPLOYS: deploys, **annotations},
            },
            "data": {key: base64.b64encode(text.encode()).decode() for key, text in content.items()},
        }

    def _content(self, key: str) -> dict[str, Any]:
        encoded = ((self._found or {}).get("data") or {}).get(key)
        if not encoded:
            return {}
        try:
            found: dict[str, Any] = json.loads(base64.b64decode(encoded))
        except ValueError:
            path = f"{self.place.namespace}/{self.place.secret}"
            raise ApiError(f"the Secret {path} is damaged; remove it to have secrets generated anew", 422) from None
        return found
