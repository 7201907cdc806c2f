# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove environments and tools of a machine that are no longer needed.

A directory is needed if the inventory needs it, if a hub's history contains it, so that a rollback finds it, or if a
process uses it. Its name ends in a digest, so the name alone identifies it. Source of the files in which a process
names its paths: proc(5).
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
import shutil

from ....environments.build.environment_build import WORK
from ....environments.build.sandbox import SandboxError, remove_tree
from ..layout import Layout
from ..revisions import history

_FOLDERS = ("environments", "tools")
_BUILT = re.compile(r".+-[0-9a-f]{12}")
#: A process that runs a script may contain the path of its environment in only one of these.
_TRACES = ("cmdline", "environ", "maps")


def prune(layout: Layout, wanted: set[str]) -> list[str]:
    """Remove built directories that are not needed; return their names.

    wanted: names of those that the inventory needs. Requires the lock of the cluster, so that nothing is being built.
    """
    removed = unneeded(layout, wanted)
    for name, folder in removed.items():
        shutil.rmtree(os.path.join(layout.root, folder, name), ignore_errors=True)
    for folder in _FOLDERS:
        _remove_dead_links(os.path.join(layout.root, folder))
    for work in glob.glob(os.path.join(layout.root, "environments", f"{WORK}*")):
        with contextlib.suppress(SandboxError):  # of a build that was killed
            remove_tree(work)
    return list(removed)


def unneeded(layout: Layout, wanted: set[str]) -> dict[str, str]:
    """Return what prune() would remove: name -> folder, sorted by name."""
    found = {name: folder for folder in _FOLDERS for name in _built(os.path.join(layout.root, folder))}
    known = _known(layout)
    if known is None:
        return {}
    unknown = set(found) - wanted - known
    return {name: found[name] for name in sorted(unknown - _in_use(unknown))}


def _built(folder: str) -> list[str]:
    if not os.path.isdir(folder):
        return []
    return [entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False) and _is_built(entry.name)]


def _is_built(name: str) -> bool:
    return _BUILT.fullmatch(name) is not None


def _known(layout: Layout) -> set[str] | None:
    """Return the directories in all hubs' histories; None if a hub has no history, so that its needs are unknown."""
    found: set[str] = set()
    for hub in sorted(os.listdir(layout.hubs)) if os.path.isdir(layout.hubs) else []:
        records = history.records(layout.hub(hub))
        if not records and os.path.exists(layout.hub(hub).config("hub.json")):
            return None
        found.update(build for record in records for build in record.builds)
    return found


def _in_use(names: set[str]) -> set[str]:
    """Return those of the directories that a running process uses."""
    found: set[str] = set()
    for pid in filter(str.isdigit, os.listdir("/proc") if names else []):
        traces = _traces(pid)
        found.update(name for name in names if f"/{name}/".encode() in traces)
    return found


def _traces(pid: str) -> bytes:
    parts = []
    for trace in _TRACES:
        try:
            with open(f"/proc/{pid}/{trace}", "rb") as file:
                parts.append(file.read())
        except OSError:  # it has ended, or belongs to another account
            continue
    return b"\0".join(parts)


def _remove_dead_links(folder: str) -> None:
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        path = os.path.join(folder, name)
        if os.path.islink(path) and not os.path.exists(path):
            os.unlink(path)
