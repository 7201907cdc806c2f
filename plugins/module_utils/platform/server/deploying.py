# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy one hub so that it can be left again: with a record, a copy of its database, and a way back."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

from . import database, history
from .apply import start_services
from .history import APPLIED, APPLYING, REPLACED, Record
from .hub_files import write_hub
from .layout import HubLayout
from .running import end
from .services import Service
from .supervisor.base import Supervisor


class RollbackError(Exception):
    """There is nothing to go back to, or it cannot be gone back to; one sentence."""


@dataclass(frozen=True)
class Homes:
    """Where users' homes are; shared where users have accounts of their own and pass through."""

    directory: str
    shared: bool


def write_deploy(
    layout: HubLayout, record: dict[str, Any], texts: dict[str, bytes], generated: list[str], homes: Homes, keep: int
) -> list[str]:
    """Write down what is deployed, then the hub's files; return what changed, as paths below the hub's directory.

    record: fields of history.Record but number. keep: how many records stay.
    """
    # The directory first: a new hub has none for its history.
    changed = write_hub(layout, _present(layout, texts), generated, homes.directory, homes.shared)
    history.begin(layout, record, texts, keep)
    return [*changed, *write_hub(layout, texts, generated, homes.directory, homes.shared)]


def _present(layout: HubLayout, texts: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files that are there already: nothing of a running hub changes before its record is written."""
    if os.path.isdir(layout.path("config")):
        found = {}
        for folder, _folders, names in os.walk(layout.path("config")):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, layout.path("config"))] = file.read()
        return found
    return {}


def start_deploy(
    layout: HubLayout, keeper: Supervisor, services: list[Service], config: dict[str, Any], timeout: float
) -> list[str]:
    """Let the services run as the newest record says; return the roles of those that were (re)started.

    Where JupyterHub's version changes, its database is copied and brought to the new schema first.
    """
    record = history.newest(layout)
    if record and record.result == APPLYING:
        _change_schema(layout, keeper, services, record)
    changed = start_services(keeper, services, config, timeout)
    if record and record.result == APPLYING:
        history.finish(layout, record.number, APPLIED)
    return changed


def _change_schema(layout: HubLayout, keeper: Supervisor, services: list[Service], record: Record) -> None:
    before = _ran_last(layout, record)
    if before is None or before.jupyterhub == record.jupyterhub or record.back_to:
        return
    copy = os.path.join(history.folder(layout), str(record.number), database.DATABASE)
    hub = next(service for service in services if service.role == "hub")
    _stop(keeper, hub)
    if not os.path.exists(copy) and database.copy(layout, copy):
        history.finish(layout, record.number, APPLYING, database=database.DATABASE)
    if os.path.exists(copy):
        database.upgrade(layout, _python(hub))


def _ran_last(layout: HubLayout, record: Record) -> Record | None:
    """Return what ran before a record: the newest one that was deployed to the end."""
    return next(
        (each for each in history.records(layout) if each.number < record.number and each.result != APPLYING), None
    )


def _python(hub: Service) -> str:
    """Return the Python that the hub itself runs with; the launcher's command line comes first."""
    return hub.command[hub.command.index("--") + 1]


def _stop(keeper: Supervisor, service: Service) -> None:
    keeper.stop(service)
    end(service.layout, service.role)


def roll_back(
    layout: HubLayout,
    keeper: Supervisor,
    homes: Homes,
    record: dict[str, Any],
    number: int | None,
    keep: int,
    timeout: float,
) -> tuple[Record, list[str]]:
    """Make a hub what it was at a record; return that record and the roles of services that were (re)started.

    record: who, when and so on of this rollback. number: of the record; None for the newest version that ran
    before the present one. Raises RollbackError, and what start_deploy raises.
    """
    target = _target(layout, number)
    missing = [build for build in target.builds if not _is_there(layout, build)]
    if missing:
        raise RollbackError(f"deploy {target.number} needs {', '.join(missing)}, which is no longer on the machine")
    texts = history.texts(layout, target.number)
    services = [Service(**{**service, "command": tuple(service["command"])}) for service in target.services]
    present = history.newest(layout)
    kept = {**target.as_dict(), **record, "back_to": target.number, "database": "", "result": APPLYING}
    kept.pop("number")
    begun = history.begin(layout, kept, texts, keep)
    write_hub(layout, texts, [], homes.directory, homes.shared)
    if present and present.jupyterhub != target.jupyterhub:
        _restore_database(layout, keeper, services, target)
    config = _config(texts)
    changed = start_services(keeper, services, config, timeout)
    history.finish(layout, begun.number, APPLIED)
    if present and present.number != begun.number:
        history.finish(layout, present.number, REPLACED)
    return target, changed


def _target(layout: HubLayout, number: int | None) -> Record:
    found = history.records(layout)
    if number is None:
        target = history.good_before(layout)
        if target is None:
            raise RollbackError("there is no earlier deploy that ran; nothing to go back to")
        return target
    numbered = {record.number: record for record in found}
    if number not in numbered:
        there = ", ".join(str(known) for known in sorted(numbered)) or "none"
        raise RollbackError(f"there is no deploy {number}; there are: {there}")
    return numbered[number]


def _restore_database(layout: HubLayout, keeper: Supervisor, services: list[Service], target: Record) -> None:
    """Put back the copy that was made when the schema that ``target`` needs was left."""
    newer = [
        record for record in reversed(history.records(layout)) if record.number > target.number and record.database
    ]
    if not newer:
        return
    copy = os.path.join(history.folder(layout), str(newer[0].number), newer[0].database)
    _stop(keeper, next(service for service in services if service.role == "hub"))
    database.put_back(layout, copy)


def _is_there(layout: HubLayout, build: str) -> bool:
    root = os.path.dirname(os.path.dirname(layout.directory))
    return any(os.path.exists(os.path.join(root, folder, build, ".complete")) for folder in ("tools", "environments"))


def _config(texts: dict[str, bytes]) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(texts["hub.json"])
    return config
