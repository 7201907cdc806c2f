# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploy one hub with a record and a copy of its database, and roll it back."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any

from ....common import files
from ....common.errors import HubfleetError
from ..desired.services import Service
from ..facts.machine import ACCOUNTS
from ..layout import HubLayout
from ..observe.services import end, running
from ..revisions import database, history
from ..revisions.history import APPLIED, APPLYING, REPLACED, Record
from ..supervisor.base import Supervisor
from .hub_files import files_to_write, write_hub
from .hub_processes import end_unknown_servers
from .machine import services_to_start, start_services


class RollbackError(HubfleetError):
    """There is no deploy to roll back to, or it cannot be restored."""


@dataclass(frozen=True)
class Homes:
    """The directory of users' homes. shared: whether users have accounts, which need to traverse it."""

    directory: str
    shared: bool


def write_deploy(
    layout: HubLayout, record: dict[str, Any], texts: dict[str, bytes], generated: list[str], homes: Homes, keep: int
) -> list[str]:
    """Record the deploy in the history, then write the hub's files; return what changed, as :func:`files_to_write`.

    record: fields of history.Record without number. keep: number of records to keep.
    """
    changed = files_to_write(layout, texts, generated, homes.directory, homes.shared)
    # A new hub has no directory for its history yet.
    files.directory(layout.directory, 0o700)
    history.begin(layout, record, texts)
    history.forget(layout, keep)
    write_hub(layout, texts, generated, homes.directory, homes.shared)
    return changed


def start_deploy(
    layout: HubLayout, supervisor: Supervisor, services: list[Service], config: dict[str, Any], timeout: float
) -> list[str]:
    """Start the services as the newest record says; return the roles of those that were (re)started.

    If JupyterHub's version changes, the database is copied and upgraded first.
    """
    record = history.newest(layout)
    before = _schema_changes_from(layout)
    if record and before:
        _change_schema(layout, supervisor, services, record, before)
    changed = start_services(supervisor, services, config, timeout)
    if record and record.result == APPLYING:
        history.finish(layout, record.number, APPLIED)
    return changed


def deploy_to_start(
    layout: HubLayout, supervisor: Supervisor, services: list[Service], config: dict[str, Any]
) -> list[str]:
    """Return what :func:`start_deploy` would return; changes nothing."""
    if not _schema_changes_from(layout):
        return services_to_start(supervisor, services, config)
    return [service.role for service in services if service.role == "hub" or supervisor.needs_start(service)]


def _schema_changes_from(layout: HubLayout) -> Record | None:
    """Return the record whose database schema has to be changed; None if the schema stays."""
    record = history.newest(layout)
    if record is None or record.result != APPLYING or record.back_to:
        return None
    before = _ran_last(layout, record)
    return before if before and _versions_since(layout, before, record) != {before.jupyterhub} else None


def _change_schema(
    layout: HubLayout, supervisor: Supervisor, services: list[Service], record: Record, before: Record
) -> None:
    hub = _hub_of(services)
    _stop(supervisor, hub)
    copied = _copy_of(layout, before.jupyterhub, before.number)
    if record.jupyterhub == before.jupyterhub:
        # A deploy of another version was interrupted in between, and is not continued.
        if copied:
            _restore_copy(layout, copied, record)
        return
    name = database.copy_name(before.jupyterhub)
    if not copied and database.copy(layout, _beside(layout, record, name)):
        history.finish(layout, record.number, APPLYING, database=name)
    if database.exists(layout):
        database.upgrade(layout, hub.program)


def _ran_last(layout: HubLayout, record: Record) -> Record | None:
    """Return the newest completed record before a record."""
    return next(
        (each for each in history.records(layout) if each.number < record.number and each.result != APPLYING), None
    )


def _versions_since(layout: HubLayout, before: Record, record: Record) -> set[str]:
    """Return the versions of JupyterHub that may have used the database after ``before``, up to ``record``."""
    found = history.records(layout)
    return {each.jupyterhub for each in found if before.number < each.number <= record.number}


def _copy_of(layout: HubLayout, version: str, after: int) -> str:
    """Return the newest copy of the database with the schema of a version, of records after ``after``, or ""."""
    name = database.copy_name(version)
    numbers = [each.number for each in history.records(layout) if each.number > after and each.database == name]
    return os.path.join(history.folder(layout), str(max(numbers)), name) if numbers else ""


def _beside(layout: HubLayout, record: Record, name: str) -> str:
    return os.path.join(history.folder(layout), str(record.number), name)


def _restore_copy(layout: HubLayout, copied: str, record: Record) -> None:
    """Restore a copy of the database; the replaced database is kept with ``record``."""
    database.restore(layout, copied, _beside(layout, record, "replaced.sqlite"))
    # The restored database does not know servers that were started since: nobody could reach or stop them.
    end_unknown_servers(layout.directory, database.known_servers(layout))


def _hub_of(services: list[Service]) -> Service:
    return next(service for service in services if service.role == "hub")


def _stop(supervisor: Supervisor, service: Service) -> None:
    supervisor.stop(service)
    end(service.layout, service.role)


@dataclass(frozen=True)
class RollbackPlan:
    """What a rollback restores.

    texts: files of the target, path below config/ -> content. before: the current files.
    arrived: whether the hub is in this state already.
    """

    target: Record
    texts: dict[str, bytes]
    before: dict[str, bytes]
    arrived: bool

    @property
    def services(self) -> list[Service]:
        """The services of the target."""
        return _services(self.target)

    @property
    def config(self) -> dict[str, Any]:
        """The hub.json of the target."""
        config: dict[str, Any] = json.loads(self.texts["hub.json"])
        return config

    @property
    def homes(self) -> Homes:
        """The homes of the target."""
        return Homes(self.config["homes"], self.config["isolation"] == ACCOUNTS)


def rollback_plan(layout: HubLayout, number: int | None, undo: bool = False) -> RollbackPlan:
    """Return the plan of a rollback; changes nothing.

    number: of the record; None for the newest version that ran before the current one. undo: roll back only if the
    last deploy brought another version; rolling back a hub that fails with its old version would only restore an older
    database.
    Raises RollbackError.
    """
    target = _target(layout, number)
    if undo and history.ran_already(layout):
        raise RollbackError("the deploy did not change its version, so there is nothing to go back to")
    texts, before = _kept_texts(layout, target), files.tree(layout.path("config"))
    return RollbackPlan(target, texts, before, texts == before and _runs(layout, target))


def _runs(layout: HubLayout, target: Record) -> bool:
    """Return whether the last deploy is the version of a record, was completed, and runs."""
    newest = history.newest(layout)
    if newest is None or newest.result == APPLYING or newest.fingerprint != target.fingerprint:
        return False
    return all(running(layout, service.role).digest == service.digest for service in _services(target))


def rollback_to_start(layout: HubLayout, supervisor: Supervisor, plan: RollbackPlan) -> list[str]:
    """Return what :func:`roll_back` would return; changes nothing."""
    roles = services_to_start(supervisor, plan.services, plan.config)
    if not _needs_other_schema(layout, plan.target):
        return roles
    return [service.role for service in plan.services if service.role in ("hub", *roles)]


def roll_back(
    layout: HubLayout,
    supervisor: Supervisor,
    record: dict[str, Any],
    plan: RollbackPlan,
    keep: int,
    timeout: float,
) -> list[str]:
    """Roll a hub back; return the roles of services that were (re)started.

    Everything comes from the record of the target: the inventory may say something else by now.

    record: who, when and so on of this rollback. Raises what start_deploy raises.
    """
    target, texts, services = plan.target, plan.texts, plan.services
    kept = {**target.as_dict(), **record, "back_to": target.number, "database": "", "result": APPLYING}
    kept.pop("number")
    begun = history.begin(layout, kept, texts)
    left = next((each for each in history.records(layout) if each.number < begun.number), None)
    write_hub(layout, texts, [], plan.homes.directory, plan.homes.shared)
    _restore_database(layout, supervisor, services, target, begun)
    changed = start_services(supervisor, services, plan.config, timeout)
    if left:
        history.finish(layout, left.number, REPLACED)
    # Last: until then, another rollback continues this one.
    history.finish(layout, begun.number, APPLIED)
    # Not earlier: the copy of the database may belong to an old record.
    history.forget(layout, keep)
    return changed


def _services(target: Record) -> list[Service]:
    return [Service.from_dict(service) for service in target.services]


def _kept_texts(layout: HubLayout, target: Record) -> dict[str, bytes]:
    """Return the files of a record; raise RollbackError if it is incomplete."""
    if not target.services:
        raise RollbackError(f"deploy {target.number} came with a backup, which holds its data only")
    missing = [build for build in target.builds if not _exists(layout, build)]
    if missing:
        raise RollbackError(f"deploy {target.number} needs {', '.join(missing)}, which is no longer on the machine")
    texts = history.texts(layout, target.number)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in texts.items()}
    damaged = sorted(name for name, _digest in digests.items() ^ target.files.items())
    if damaged:
        raise RollbackError(f"deploy {target.number} is damaged: its {damaged[0]} is not what was deployed")
    return texts


def _target(layout: HubLayout, number: int | None) -> Record:
    found = history.records(layout)
    if number is None and found and found[0].result == APPLYING and found[0].back_to:
        number = found[0].back_to  # an interrupted rollback
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


def _restore_database(
    layout: HubLayout, supervisor: Supervisor, services: list[Service], target: Record, begun: Record
) -> None:
    """Restore the database copy with the schema of ``target``, or run upgrade-db if there is none."""
    if not _needs_other_schema(layout, target):
        return
    hub = _hub_of(services)
    _stop(supervisor, hub)
    copied = _copy_of(layout, target.jupyterhub, target.number)
    if copied:
        _restore_copy(layout, copied, begun)
    else:
        database.upgrade(layout, hub.program)


def _needs_other_schema(layout: HubLayout, target: Record) -> bool:
    """Return whether the database may have another schema than that of ``target``."""
    found = history.records(layout)
    before = next((each for each in found if each.result != APPLYING), None)
    if before is None or not database.exists(layout):
        return False
    return {each.jupyterhub for each in found if each.number >= before.number} - {target.jupyterhub} != set()


def _exists(layout: HubLayout, build: str) -> bool:
    root = os.path.dirname(os.path.dirname(layout.directory))
    return any(os.path.exists(os.path.join(root, folder, build, ".complete")) for folder in ("tools", "environments"))
