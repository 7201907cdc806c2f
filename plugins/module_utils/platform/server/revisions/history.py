# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deploys of a hub, with everything that a rollback needs.

``hubs/HUB/history/NUMBER/`` contains ``record.json`` and a copy of the files below ``config/``. Both are written before
the hub changes, with the result ``applying``, so that an interrupted deploy can be completed or rolled back.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import shutil
from dataclasses import dataclass, field
from typing import Any

from ....common import files
from ....common.persisted import from_persisted
from ....fleet.revisions import APPLIED, APPLYING, CHECKED, FAILED, GOOD, REPLACED
from ..layout import HubLayout

__all__ = ["APPLIED", "APPLYING", "CHECKED", "FAILED", "GOOD", "REPLACED"]


@dataclass(frozen=True)
class Record:
    """One deploy of a hub.

    number: 1 is the first. when: UTC, as 2026-11-24T08:15:00Z. who: account@machine.
    collection, revision: the collection's version, and the inventory's git revision or "".
    fingerprint: of the desired hub. files: path below config/ -> SHA-256.
    services: as services.Service.as_dict() returns them. builds: directories of environments and tools.
    jupyterhub, proxy: their versions. python: path of the interpreter that starts both.
    database: name of the copy in the record's directory, made before the schema changed, or "".
    back_to: number of the record that a rollback restored, or 0.
    check: what the check of this deploy tries, as ``check/targets.py: HubTarget`` without a token.
    reverse_proxy: the reverse proxy of the cluster as ``reverse_proxy/recorded.py`` reads it, {} without one.

    Other releases of the collection read it, so options of the inventory are not part of it.
    """

    number: int
    when: str
    who: str
    collection: str
    revision: str
    fingerprint: str
    files: dict[str, str] = field(default_factory=dict)
    services: list[dict[str, Any]] = field(default_factory=list)
    builds: list[str] = field(default_factory=list)
    jupyterhub: str = ""
    proxy: str = ""
    python: str = ""
    database: str = ""
    back_to: int = 0
    check: dict[str, Any] = field(default_factory=dict)
    reverse_proxy: dict[str, Any] = field(default_factory=dict)
    result: str = APPLYING

    def as_dict(self) -> dict[str, Any]:
        """Return the record as data for JSON; it contains no secrets."""
        return dataclasses.asdict(self)


def folder(layout: HubLayout) -> str:
    """Return the directory of a hub's history."""
    return layout.path("history")


def records(layout: HubLayout) -> list[Record]:
    """Return a hub's records, newest first; incomplete records are ignored."""
    found = []
    for name in _numbers(layout):
        try:
            with open(_record_path(layout, name), encoding="utf-8") as file:
                found.append(from_persisted(Record, json.load(file)))
        except (OSError, ValueError, TypeError, AttributeError):
            continue
    return sorted(found, key=lambda record: -record.number)


def newest(layout: HubLayout) -> Record | None:
    """Return the newest record, or None."""
    found = records(layout)
    return found[0] if found else None


def begin(layout: HubLayout, record: dict[str, Any], content: dict[str, bytes]) -> Record:
    """Write and return the record of a deploy that begins.

    record: fields of Record without number. content: path below config/ -> content.
    If the last deploy is the same and was interrupted, its record is continued, with its copy of the database: the
    current database may have been upgraded already.
    """
    last = newest(layout)
    if last and _continues(layout, last, record, content):
        made = Record(**{**record, "number": last.number, "database": last.database})
        files.write(_record_path(layout, last.number), _text(made))
        return made
    made = Record(**{**record, "number": max(_numbers(layout), default=0) + 1})
    files.directory(folder(layout), 0o700)
    target = os.path.join(folder(layout), str(made.number))
    temporary = f"{target}.new"
    shutil.rmtree(temporary, ignore_errors=True)
    files.directory(temporary, 0o700)
    for name, text in content.items():
        path = os.path.join(temporary, "config", name)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        files.write(path, text)
    files.write(os.path.join(temporary, "record.json"), _text(made))
    os.rename(temporary, target)
    return made


def _continues(layout: HubLayout, last: Record, record: dict[str, Any], content: dict[str, bytes]) -> bool:
    same = last.fingerprint == record["fingerprint"] and last.back_to == record.get("back_to", 0)
    return last.result == APPLYING and same and texts(layout, last.number) == content


def finish(layout: HubLayout, number: int, result: str, **more: Any) -> None:
    """Store the result of a deploy; do nothing if its record was removed."""
    for record in records(layout):
        if record.number == number:
            files.write(_record_path(layout, number), _text(dataclasses.replace(record, result=result, **more)))


def texts(layout: HubLayout, number: int) -> dict[str, bytes]:
    """Return the files of a record: path below config/ -> content."""
    return files.tree(os.path.join(folder(layout), str(number), "config"))


def good_before(layout: HubLayout) -> Record | None:
    """Return the newest version that ran before the newest record, or None."""
    found = records(layout)
    wrong = found[0].fingerprint if found else ""
    return next((record for record in found[1:] if record.result in GOOD and record.fingerprint != wrong), None)


def ran_already(layout: HubLayout) -> bool:
    """Return whether the newest record deployed the same version again, and this version ran before."""
    newest, *earlier = records(layout)
    since = itertools.takewhile(
        lambda record: record.fingerprint == newest.fingerprint,
        (record for record in earlier if record.result != APPLYING),
    )
    return any(record.result in GOOD for record in since)


def _numbers(layout: HubLayout) -> list[int]:
    root = folder(layout)
    return [int(name) for name in os.listdir(root) if name.isdigit()] if os.path.isdir(root) else []


def _record_path(layout: HubLayout, number: int) -> str:
    return os.path.join(folder(layout), str(number), "record.json")


def forget(layout: HubLayout, keep: int) -> None:
    """Remove all but the newest ``keep`` records.

    The record that a rollback would use is always kept, and all later records with a copy of the database.
    """
    back = good_before(layout)
    needed = {record.number for record in records(layout) if back and record.number > back.number and record.database}
    needed |= {back.number} if back else set()
    for number in sorted(_numbers(layout), reverse=True)[max(keep, 1) :]:
        if number not in needed:
            shutil.rmtree(os.path.join(folder(layout), str(number)), ignore_errors=True)


def _text(record: Record) -> bytes:
    return (json.dumps(record.as_dict(), indent=2, sort_keys=True) + "\n").encode()
