# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Export the data of a hub to this machine, before it is removed: what a backup has, as archives of tar."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from ....common import files
from ....common.errors import reason
from ....common.text import plural
from ...errors import PlatformError
from ..api.client import Json
from ..api.pod_output import write_output
from ..apply.change import Change
from ..observe import read_release
from .claims import existing
from .pods import CONTAINER, PROGRAM, Task, session_account
from .save import Backups, main_task, paths_of, source_of
from .volumes import batches
from .workspace import Workspace, wait_for_end


def has_data(change: Change) -> bool:
    """Return whether there is anything of a hub to export."""
    return change.observe().newest is not None or existing(change) is not None


def export_hub(change: Change, backups: Backups, directory: str, when: str) -> str:
    """Write ``HUB-WHEN`` with archives of a hub's data, and return its path; "" where there is nothing.

    Raises PlatformError, without leaving an incomplete copy. The hub was stopped before.
    """
    if not has_data(change):
        return ""
    wait_for_end(change)
    newest = change.observe().newest
    release = read_release(change.api, change.place, newest.number) if newest else None
    found = source_of(change, backups, release.config if release else backups.values)
    path = Path(directory, f"{change.place.hub}-{when}")
    new = path.with_name(f".new-{path.name}")
    try:
        files.directory(directory, 0o700)
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        with backups.workspace(change, "export", found.given, found.values) as workspace:
            request = found.request(workspace)
            main = main_task(change, found, "hold", "{}")
            _archive(workspace, main, {**request, "folders": []}, new / "hub.tar.gz")
            if found.volumes:
                change.report(f"copying {plural(len(found.volumes), 'volume')} with homes")
            for number, batch in enumerate(batches(found.volumes), 1):
                task = Task(
                    f"homes-{number}", "hold", "{}", session_account(found.values), homes=batch, node=batch[0].node
                )
                _archive(workspace, task, {**request, "folders": paths_of(batch)}, new / f"homes-{number}.tar.gz")
        os.rename(new, path)
    except OSError as error:
        raise PlatformError(f"the data of hub {change.place.hub} cannot be copied: {reason(error)}") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return str(path)


def _archive(workspace: Workspace, task: Task, request: Json, target: Path) -> None:
    """Write an archive that a pod makes, and compare it with what the pod made."""
    command = ["python3", "-I", PROGRAM, "archive", json.dumps(request)]
    change = workspace.change
    with workspace.started(task) as pod:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            errors = write_output(change.api, change.place.namespace, pod, CONTAINER, command, file)
            os.fsync(file.fileno())
    answer = json.loads(errors.strip().splitlines()[-1])
    if answer["sha256"] != files.sha256(str(target)):
        raise PlatformError(f"{target.name} did not arrive as it was made; try again")
