# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was deployed of a hub, and when: enough to go back to it.

``hubs/HUB/history/NUMBER/`` holds ``record.json`` and a copy of everything below ``config/``. The
record is written first, with the result ``applying``, and the copies beside it before anything of
the hub is touched; so whatever a machine dies of, it is known what was meant and what was before.
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
from ..layout import HubLayout

#: Results of a deploy: files are being written; all of it runs; it passed its check; it did not; it was left again.
APPLYING, APPLIED, CHECKED, FAILED, REPLACED = "applying", "applied", "checked", "failed", "rolled back"
#: Versions that stood the test of running, to which a hub can go back without being told a number.
GOOD = (CHECKED, APPLIED)


@dataclass(frozen=True)
class Record:
    """One deploy of a hub.

    number: 1 is the first. when: UTC, as 2026-11-24T08:15:00Z. who: account@machine.
    collection, revision: the collection's version, and the inventory's git revision or "".
    fingerprint: of everything that the hub was to be. files: below config/, path -> SHA-256.
    services: as services.Service has them. builds: directories of environments and tools.
    jupyterhub, proxy: their versions. python: path of the interpreter that both are started by.
    database: name of the copy, beside the record, that was made before its schema was changed, or "".
    back_to: number of the record that this one repeats, or 0.
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
    result: str = APPLYING

    def as_dict(self) -> dict[str, Any]:
        """Return the record as JSON-able data; it holds no secret."""
        return dataclasses.asdict(self)


def folder(layout: HubLayout) -> str:
    """Return the directory of a hub's history."""
    return layout.path("history")


def records(layout: HubLayout) -> list[Record]:
    """Return a hub's records, the newest first; what is half written is no record."""
    found = []
    for name in _numbers(layout):
        try:
            with open(_record_path(layout, name), encoding="utf-8") as file:
                content = json.load(file)
            known = {each.name for each in dataclasses.fields(Record)}
            found.append(Record(**{key: value for key, value in content.items() if key in known}))
        except (OSError, ValueError, TypeError, AttributeError):
            continue
    return sorted(found, key=lambda record: -record.number)


def newest(layout: HubLayout) -> Record | None:
    """Return the newest record, or None."""
    found = records(layout)
    return found[0] if found else None


def begin(layout: HubLayout, record: dict[str, Any], content: dict[str, bytes]) -> Record:
    """Write down what is about to be deployed, and return it.

    record: fields of Record without number. content: path below config/ -> content.
    A deploy that was interrupted at the same version goes on with its record, and with its copy of the database:
    what is there now may have been brought to the new schema already.
    """
    last = newest(layout)
    if last and _goes_on(layout, last, record, content):
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


def _goes_on(layout: HubLayout, last: Record, record: dict[str, Any], content: dict[str, bytes]) -> bool:
    same = last.fingerprint == record["fingerprint"] and last.back_to == record.get("back_to", 0)
    return last.result == APPLYING and same and texts(layout, last.number) == content


def finish(layout: HubLayout, number: int, result: str, **more: Any) -> None:
    """Note how a deploy went; nothing where its record is gone."""
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
    """Tell whether the newest record only deployed anew the version that the hub had already, and that ran once."""
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

    Whatever its age, what the hub could go back to by itself stays, and with it every database of a later record.
    """
    back = good_before(layout)
    needed = {record.number for record in records(layout) if back and record.number > back.number and record.database}
    needed |= {back.number} if back else set()
    for number in sorted(_numbers(layout), reverse=True)[max(keep, 1) :]:
        if number not in needed:
            shutil.rmtree(os.path.join(folder(layout), str(number)), ignore_errors=True)


def _text(record: Record) -> bytes:
    return (json.dumps(record.as_dict(), indent=2, sort_keys=True) + "\n").encode()
