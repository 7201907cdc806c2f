# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that saves hubs and brings them back, with or without Ansible.

    program.py scheduled STATE            save all hubs of a state directory, as its settings say
    program.py COMMAND <request.json      save, list, examine, fetch, place or discard; answers with JSON

A request has the settings and names the state directory and the hub; see the functions below.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

# as a script, this file's own folder would come first and hide modules of the standard library
sys.path[0] = str(Path(__file__).resolve().parents[2])

from hubfleet_runtime import processes  # noqa: E402
from hubfleet_runtime.backup import content, restoring  # noqa: E402
from hubfleet_runtime.backup.archives import Archives  # noqa: E402
from hubfleet_runtime.backup.repository import BackupError, Repository, Settings  # noqa: E402
from hubfleet_runtime.backup.restic import Restic  # noqa: E402

#: Seconds that a scheduled run waits for the end of a deploy.
PATIENCE = 3600.0


def repository(settings: Settings, state: Path) -> Repository:
    """restic where there is a password for it, else archives."""
    return (Restic if settings.password else Archives)(settings, state / "backup")


def save(request: dict[str, Any]) -> dict[str, Any]:
    """Saves one hub, and notes how that went."""
    state, hub = Path(request["state"]), str(request["hub"])
    settings = Settings.of(request["settings"])
    place = repository(settings, state)
    started = time.monotonic()
    with _one_at_a_time(state):
        staged = state / "backup" / "hubs" / hub
        try:
            manifest = content.stage(state / "hubs" / hub, staged, settings)
            homes = Path(manifest["homes"]) if manifest["homes"] else None
            saved = place.save(hub, staged, homes if homes and homes.is_dir() else None)
            place.forget(hub)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        answer = {
            "id": saved.id,
            "when": manifest["when"],
            "new": saved.new,
            "total": saved.total,
            "seconds": round(time.monotonic() - started, 1),
            "unread": list(saved.unread[:10]),
        }
        _note(state, hub, answer)
    return {**answer, "summary": told(answer)}


def listed(request: dict[str, Any]) -> dict[str, Any]:
    """The backups of one hub, the newest last; in words where there are none."""
    settings = Settings.of(request["settings"])
    found = repository(settings, Path(request["state"])).snapshots(request["hub"])
    said = {} if found else {"summary": settings.none}
    return {"backups": [{"id": each.id, "when": each.when} for each in found], **said}


def examine(request: dict[str, Any]) -> dict[str, Any]:
    """What would be brought back."""
    return restoring.examine(restoring.Target.of(request), _of(request), request["from"])


def fetch(request: dict[str, Any]) -> dict[str, Any]:
    """Brings a backup to the machine, but not into its place."""
    return restoring.fetch(restoring.Target.of(request), _of(request), request["from"])


def place(request: dict[str, Any]) -> dict[str, Any]:
    """Puts into its place what was fetched."""
    return restoring.place(restoring.Target.of(request), request["from"])


def discard(request: dict[str, Any]) -> dict[str, Any]:
    """Removes what was fetched."""
    restoring.discard(restoring.Target.of(request))
    return {}


def _of(request: dict[str, Any]) -> Repository:
    return repository(Settings.of(request["settings"]), Path(request["state"]))


COMMANDS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "save": save,
    "list": listed,
    "examine": examine,
    "fetch": fetch,
    "place": place,
    "discard": discard,
}


@contextlib.contextmanager
def _one_at_a_time(state: Path) -> Iterator[None]:
    """Waits for another backup of the same cluster."""
    folder = state / "backup"
    folder.mkdir(mode=0o700, exist_ok=True)
    with open(folder / "lock", "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _note(state: Path, hub: str, answer: dict[str, Any]) -> None:
    """Remembers the last backup of a hub."""
    folder = state / "backup" / "last"
    folder.mkdir(mode=0o700, exist_ok=True)
    processes.write_private(folder / f"{hub}.json", json.dumps(answer) + "\n")


def scheduled(state: Path) -> int:
    """Saves every hub; one that fails keeps no other from being saved. Gives the exit code."""
    settings = processes.read_json(state / "backup" / "settings.json")
    failed = 0
    for folder in sorted((state / "hubs").iterdir()):
        if not (folder / "config" / "hub.json").exists():
            continue
        _wait_for_deploy(state)
        try:
            answer = save({"state": str(state), "hub": folder.name, "settings": settings})
            print(f"{_now()} {folder.name}: {answer['summary']}", flush=True)
        except (BackupError, OSError, ValueError, KeyError) as error:
            failed += 1
            print(f"{_now()} {folder.name}: FAILED: {error}", file=sys.stderr, flush=True)
    return 1 if failed else 0


def told(answer: dict[str, Any]) -> str:
    """What a backup was, for people."""
    # the answer names no more than the first ten
    missing = f", {len(answer['unread'])} or more files could not be read" if answer["unread"] else ""
    # what is added may be more than all: the repository keeps notes of its own
    sizes = f"{_size(answer['total'])}, {_size(answer['new'])} added to the repository"
    return f"backed up: {sizes}, {answer['seconds']:.0f} s{missing}"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _wait_for_deploy(state: Path) -> None:
    """Waits until nobody deploys; not for ever, since a backup in the middle of a deploy is better than none."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            holder = processes.read_json(Path(f"{state}.deploy-lock"))
        except (OSError, ValueError):
            return
        found = processes.stat(int(holder.get("pid") or 0))
        same = found is not None and found.start_time == holder.get("start_time")
        if not same or holder.get("boot_id") != processes.boot_id():
            return
        time.sleep(5)


def main(arguments: list[str]) -> int:
    """Runs one command; gives the exit code."""
    os.umask(0o077)
    if len(arguments) == 2 and arguments[0] == "scheduled":
        return scheduled(Path(arguments[1]))
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        answer = COMMANDS[arguments[0]](json.load(sys.stdin))
    except (BackupError, OSError, ValueError, KeyError) as error:
        print(json.dumps({"error": str(error) or type(error).__name__}))
        return 1
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
