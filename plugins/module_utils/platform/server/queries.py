# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller asks a cluster's machine; see machine_access for the ways there. No answer holds a secret."""

from __future__ import annotations

import os
from typing import Any, Callable, NamedTuple

from ...common.errors import reason
from ...fleet.environments import FoundEnvironments
from ...fleet.lock_owner import LockOwner
from ...fleet.users import FoundUsers, UserChange
from ..base import PlatformError
from . import lock as deploy_lock
from .backup.program import last_backup
from .desired.services import Service
from .facts.gather import MachineFacts, gather_facts
from .facts.machine import state_directory
from .layout import Layout
from .observe.cluster import MachineState, deployed_hubs, observe_machine
from .observe.environments import environments
from .revisions import history
from .revisions.history import Record
from .users import users_of


def answer(name: str, arguments: dict[str, Any]) -> Any:
    """Return the answer to one of the QUERIES as JSON-able data."""
    return QUERIES[name].encode(QUERIES[name].answer(**arguments))


class Query(NamedTuple):
    """A query. answer: finds the answer. encode, decode: turn it into JSON-able data, and back."""

    answer: Callable[..., Any]
    encode: Callable[[Any], Any] = lambda found: found
    decode: Callable[[Any], Any] = lambda found: found


def _observe(
    cluster: str,
    options: dict[str, Any],
    authority: str,
    certificates: dict[str, dict[str, str]],
    hubs: dict[str, list[int]],
    reverse_proxy: bool,
    repositories: bool = False,
) -> tuple[MachineFacts, MachineState]:
    """Return the facts and the state.

    hubs: name -> ports. reverse_proxy: some of them are behind one. repositories: as in gather_facts().
    """
    facts = gather_facts(cluster, options, authority, certificates, repositories)
    return facts, observe_machine(cluster, facts.setup, hubs, facts.reverse_proxy if reverse_proxy else None)


def _layout(cluster: str, directory: str | None) -> Layout:
    return Layout(state_directory(cluster, directory, os.geteuid() == 0, os.path.expanduser("~")))


def _history(cluster: str, directory: str | None, hubs: list[str]) -> dict[str, list[Record]]:
    layout = _layout(cluster, directory)
    return {name: history.records(layout.hub(name)) for name in hubs}


def _backups(cluster: str, directory: str | None, hubs: list[str]) -> dict[str, str]:
    layout = _layout(cluster, directory)
    return {name: last_backup(layout, name) for name in hubs}


def _deployed(cluster: str, directory: str | None) -> dict[str, str]:
    """Return hub -> the Python that it runs with, "" where that is not recorded."""
    layout = _layout(cluster, directory)
    return {name: _program(history.newest(layout.hub(name)), "hub") for name in deployed_hubs(layout)}


def _program(record: Record | None, role: str) -> str:
    services = [Service.from_dict(values) for values in record.services] if record else []
    return next((service.program for service in services if service.role == role), "")


def _environments(cluster: str, directory: str | None, hubs: list[str]) -> FoundEnvironments:
    return environments(_layout(cluster, directory), hubs)


def _users(cluster: str, directory: str | None, hubs: list[str]) -> FoundUsers:
    layout, found = _layout(cluster, directory), FoundUsers()
    for name in hubs:
        try:
            found.users[name] = users_of(name, layout.hub(name)).all()
        except PlatformError as error:
            found.problems[name] = str(error)
    return found


def _rename_problem(cluster: str, directory: str | None, hub: str, user: str, new_name: str) -> str:
    return users_of(hub, _layout(cluster, directory).hub(hub)).rename_problem(user, new_name)


def _change_users(cluster: str, directory: str | None, hub: str, changes: list[dict[str, Any]]) -> list[str]:
    users = users_of(hub, _layout(cluster, directory).hub(hub))
    return [users.change(UserChange(**change)) for change in changes]


def _lock(cluster: str, directory: str | None, owner: str, replacing: str = "") -> dict[str, Any]:
    """Return whether another owner's lock was replaced, or who holds it and whether that is seen to run."""
    wanting = LockOwner.from_text(owner)
    if wanting is None:
        raise PlatformError("the owner of the lock is not understood")
    try:
        layout = _layout(cluster, directory)
        return {"replaced": deploy_lock.take(layout, wanting, LockOwner.from_text(replacing))}
    except deploy_lock.LockedError as error:
        return {"holder": error.holder.to_text(), "state": error.holder.state()}
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise PlatformError(f"the lock of the cluster cannot be taken: {where}{reason(error)}") from None


def _unlock(cluster: str, directory: str | None, owner: str) -> bool:
    holding = LockOwner.from_text(owner)
    return holding is not None and deploy_lock.release(_layout(cluster, directory), holding)


QUERIES: dict[str, Query] = {
    "facts": Query(gather_facts, MachineFacts.as_dict, MachineFacts.from_dict),
    "observe": Query(
        _observe,
        lambda found: [part.as_dict() for part in found],
        lambda found: (MachineFacts.from_dict(found[0]), MachineState.from_dict(found[1])),
    ),
    "history": Query(
        _history,
        lambda found: {name: [record.as_dict() for record in records] for name, records in found.items()},
        lambda found: {name: [Record(**record) for record in records] for name, records in found.items()},
    ),
    "deployed": Query(_deployed),
    "backups": Query(_backups),
    "environments": Query(_environments, FoundEnvironments.as_dict, FoundEnvironments.from_dict),
    "users": Query(_users, FoundUsers.as_dict, FoundUsers.from_dict),
    "rename_problem": Query(_rename_problem),
    "change_users": Query(_change_users),
    "lock": Query(_lock),
    "unlock": Query(_unlock),
}
