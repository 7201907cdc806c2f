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
import json
import os
import shutil
from dataclasses import dataclass, field
from typing import Any

from . import files
from .layout import HubLayout

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
    jupyterhub: its version. database: name of the copy that was made before its schema was changed, or "".
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
            with open(os.path.join(folder(layout), str(name), "record.json"), encoding="utf-8") as file:
                content = json.load(file)
            known = {each.name for each in dataclasses.fields(Record)}
            found.append(Record(**{key: value for key, value in content.items() if key in known}))
        except (OSError, ValueError, TypeError):
            continue
    return sorted(found, key=lambda record: -record.number)


def newest(layout: HubLayout) -> Record | None:
    """Return the newest record, or None."""
    found = records(layout)
    return found[0] if found else None


def begin(layout: HubLayout, record: dict[str, Any], texts: dict[str, bytes], keep: int) -> Record:
    """Write down what is about to be deployed, and forget what is older than the newest ``keep``.

    record: fields of Record without number. A deploy that was interrupted at the same version goes on with its record.
    """
    last = newest(layout)
    if last and last.result == APPLYING and last.fingerprint == record["fingerprint"]:
        number = last.number
    else:
        number = (max(_numbers(layout), default=0)) + 1
    made = Record(**{**record, "number": number})
    files.directory(folder(layout), 0o700)
    target = os.path.join(folder(layout), str(number))
    temporary = f"{target}.new"
    shutil.rmtree(temporary, ignore_errors=True)
    for name, content in texts.items():
        path = os.path.join(temporary, "config", name)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        files.write(path, content)
    os.makedirs(temporary, mode=0o700, exist_ok=True)
    os.chmod(temporary, 0o700)
    files.write(os.path.join(temporary, "record.json"), _text(made))
    shutil.rmtree(target, ignore_errors=True)
    os.rename(temporary, target)
    _forget(layout, keep)
    return made


def finish(layout: HubLayout, number: int, result: str, **more: Any) -> None:
    """Note how a deploy went; nothing where its record is gone."""
    for record in records(layout):
        if record.number == number:
            path = os.path.join(folder(layout), str(number), "record.json")
            files.write(path, _text(dataclasses.replace(record, result=result, **more)))


def texts(layout: HubLayout, number: int) -> dict[str, bytes]:
    """Return the files of a record: path below config/ -> content."""
    root = os.path.join(folder(layout), str(number), "config")
    found = {}
    for directory, _folders, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            found[os.path.relpath(path, root)] = files.read(path) or b""
    return found


def good_before(layout: HubLayout) -> Record | None:
    """Return the newest version that ran before the newest record, or None."""
    found = records(layout)
    wrong = found[0].fingerprint if found else ""
    return next((record for record in found[1:] if record.result in GOOD and record.fingerprint != wrong), None)


def _numbers(layout: HubLayout) -> list[int]:
    root = folder(layout)
    return [int(name) for name in os.listdir(root) if name.isdigit()] if os.path.isdir(root) else []


def _forget(layout: HubLayout, keep: int) -> None:
    """Remove old records; what the hub could go back to by itself stays whatever its age."""
    back = good_before(layout)
    for number in sorted(_numbers(layout), reverse=True)[max(keep, 1) :]:
        if back is None or number != back.number:
            shutil.rmtree(os.path.join(folder(layout), str(number)), ignore_errors=True)


def _text(record: Record) -> bytes:
    return (json.dumps(record.as_dict(), indent=2, sort_keys=True) + "\n").encode()
