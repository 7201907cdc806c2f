# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller may ask of a cluster's machine: plain data in, plain data out.

In the same process where the machine is the controller's own, through the module server_query else; so there is one way
to find out, whatever the way there. Nothing that is answered is a secret.
"""

from __future__ import annotations

from typing import Any, Callable

from ..base import PlatformError
from . import lock as deploy_lock
from .backup.program import last_backup
from .facts.gather import survey
from .layout import Layout
from .observe.cluster import Wanted, look
from .revisions import history

Answer = dict[str, Any]
#: Asks a machine: the name of a question, and its arguments.
Ask = Callable[[str, dict[str, Any]], Answer]


def answer(question: str, arguments: dict[str, Any]) -> Answer:
    """Answer one of the QUESTIONS about the machine this runs on; raises PlatformError."""
    return QUESTIONS[question](**arguments)


def _survey(cluster: str, options: dict[str, Any], authority: str, certificates: dict[str, dict[str, str]]) -> Answer:
    return survey(cluster, options, authority, certificates).as_dict()


def _state(root: str, wanted: dict[str, Any]) -> Answer:
    return look(Layout(root), Wanted.from_dict(wanted)).as_dict()


def _history(root: str, hubs: list[str]) -> Answer:
    layout = Layout(root)
    return {name: [record.as_dict() for record in history.records(layout.hub(name))] for name in hubs}


def _backups(root: str, hubs: list[str]) -> Answer:
    layout = Layout(root)
    return {name: last_backup(layout, name) for name in hubs}


def _lock(root: str, owner: dict[str, Any], gone: dict[str, Any] | None = None) -> Answer:
    """Return whether a stale lock was in the way, or who holds it."""
    try:
        return {"stale": deploy_lock.take(Layout(root), owner, gone)}
    except deploy_lock.LockedError as error:
        return {"holder": error.holder, "problem": str(error)}
    except OSError as error:
        raise PlatformError(f"the lock of the cluster cannot be taken: {error}") from None


def _unlock(root: str, owner: dict[str, Any]) -> Answer:
    return {"released": deploy_lock.release(Layout(root), owner)}


QUESTIONS: dict[str, Callable[..., Answer]] = {
    "survey": _survey,
    "state": _state,
    "history": _history,
    "backups": _backups,
    "lock": _lock,
    "unlock": _unlock,
}
