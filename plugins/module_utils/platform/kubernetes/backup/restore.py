# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore a hub from a backup, where it does not exist or is to be replaced; a deploy then starts it.

What is interrupted can be repeated: claims that a restore made say so, until the hub is deployed.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ....common.text import plural
from ...errors import PlatformError
from ..api.client import Json
from ..apply import stop
from ..apply.change import Change
from ..apply.deploy import make_namespace
from .claims import RESTORING, Claims, existing
from .pods import Task, hub_account, session_account
from .save import GENERATED, Backups, paths_of, save
from .volumes import Volume, batches, database_mount
from .workspace import wait_for_end

_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Backup:
    """A backup that was found. name: that its parts share. generated: secrets of the hub."""

    id: str
    when: str
    name: str
    manifest: dict[str, Any]
    generated: dict[str, Any]

    @property
    def volumes(self) -> list[Volume]:
        """Return its volumes with homes."""
        return [Volume.from_dict(each) for each in self.manifest["volumes"]]

    @property
    def facts(self) -> dict[str, Any]:
        """Return what is told of it."""
        folders = self.manifest["folders"].values()
        return {
            "id": self.id,
            "when": self.when,
            "users": len(self.manifest["users"]),
            "files": sum(each["files"] for each in folders),
            "size": sum(each["size"] for each in folders),
        }


def examine(change: Change, replace: bool) -> bool:
    """Return whether a hub is there that would be replaced. Raises PlatformError where it must not be."""
    hub, there = change.place.hub, change.observe().newest is not None
    claim = existing(change)
    # Where a deploy was recorded since, it is the data of a hub that ran.
    own = claim is not None and RESTORING in (claim.get("annotations") or {}) and not change.secret().records
    if there and not replace:
        raise PlatformError(f"hub {hub} exists already; it is not overwritten")
    if claim is not None and not own and not there:
        raise PlatformError(
            f"the data of hub {hub} is there, but no release; deploy brings the hub back with it, and the playbook "
            "remove with -e remove_data=true removes it"
        )
    return there


def restore(change: Change, backups: Backups, wanted: str, replace: bool = False) -> dict[str, Any]:
    """Restore a hub, and return facts of the backup; see the module kubernetes_restore.

    wanted: id of a backup, or "latest". replace: an existing hub, whose sessions have ended; it is backed up before.
    """
    there = examine(change, replace)
    secret = change.secret()
    if secret.restored and wanted == secret.restored and not there:
        return {"changed": False, "id": secret.restored, "left": [], "kept": ""}
    with prepared(change):
        found = fetch(change, backups, wanted)
        kept = _set_aside(change, backups) if there else ""
        left, servers = place(change, backups, found, replace=there)
        secret = change.secret()
        secret.generated, secret.restored, secret.backup = found.generated, found.id, found.when
        secret.write(change.keep)
    return {"changed": True, **found.facts, "servers": servers, "left": left, "kept": kept}


@contextlib.contextmanager
def prepared(change: Change) -> Iterator[None]:
    """Make the namespace, and remove it again where nothing was restored into it."""
    path = f"/api/v1/namespaces/{change.place.namespace}"
    made = change.api.find(path) is None
    make_namespace(change)
    try:
        yield
    except PlatformError:
        if made and existing(change) is None:
            change.api.delete(path)
        raise


def fetch(change: Change, backups: Backups, wanted: str) -> Backup:
    """Find a backup, and fetch what it says of the hub, and its secrets."""
    account = hub_account(backups.expected)
    request = json.dumps({"hub": change.place.hub, "from": wanted})
    workspace = backups.workspace(change, "restore", {}, backups.expected)
    with workspace, workspace.started(Task("fetch", "fetch", request, account)) as pod:
        answer = workspace.early_answer(pod)
        manifest = json.loads(workspace.read(pod, f"{answer['held']}/{_MANIFEST}"))
        generated = json.loads(workspace.read(pod, f"{answer['held']}/{GENERATED}"))
    return Backup(answer["id"], answer["when"], answer["backup"], manifest, generated)


def place(
    change: Change, backups: Backups, found: Backup, replace: bool = False, beside: bool = False
) -> tuple[list[str], int]:
    """Restore volumes; return the homes that held files already, and the number of servers that ran in the backup.

    beside: whether it is a trial; see Claims.make_home().
    """
    values = backups.expected
    claims = Claims(change, found.id, values)
    if not replace:
        claims.remove_others()
    volumes = [claims.make_home(each, beside) for each in found.volumes]
    mount = database_mount(values)
    if mount is not None:
        claims.make_database()
    own = {path for each in volumes if not replace and claims.is_own(each) for path in each.paths}
    with backups.workspace(change, "restore", {}, values) as workspace:
        request: Json = {"hub": change.place.hub, "from": found.id, "backup": found.name, "replace": replace}
        main = Task("hub", "place", json.dumps(request), hub_account(values), database=mount, restoring=True)
        servers = int(workspace.run(main)["servers"])
        if volumes:
            change.report(f"restoring {plural(len(volumes), 'volume')} with homes")
        tasks = [
            Task(
                f"homes-{number}",
                "place-homes",
                json.dumps({**request, "folders": _files_in(found, batch), "over": sorted(own & {*paths_of(batch)})}),
                session_account(values),
                homes=batch,
                restoring=True,
            )
            for number, batch in enumerate(batches(volumes), 1)
        ]
        total = len(tasks)
        answers = workspace.run_all(tasks, lambda done: change.report(f"restored homes, part {done} of {total}"))
    return [path for answer in answers for path in answer["left"]], servers


def _files_in(found: Backup, volumes: list[Volume]) -> dict[str, int]:
    """Return the folders of volumes that were saved, with the number of their files."""
    folders = found.manifest["folders"]
    return {path: int(folders[path]["files"]) for path in paths_of(volumes) if path in folders}


def _set_aside(change: Change, backups: Backups) -> str:
    """Stop a hub that is replaced and back it up; return the id of this backup."""
    stop.end_sessions(change)
    stop.stop(change)
    wait_for_end(change)
    change.report("backing up the hub that is replaced")
    return str(save(change, backups, replaced=True)["id"])
