# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Back up hubs and restore them, with or without Ansible.

    program.py scheduled STATE            back up all hubs of a state directory, as its settings say
    program.py COMMAND <request.json      save, list, examine, fetch, place or discard; prints JSON

A request has the settings, and names the state directory and the hub; see COMMANDS.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

# as a script, this file's own folder would come first and hide modules of the standard library
sys.path[0] = str(Path(__file__).resolve().parents[2])

from hubfleet_runtime import files, processes  # noqa: E402
from hubfleet_runtime.backup import content, restore  # noqa: E402
from hubfleet_runtime.backup.restic import BackupError, Repository, Settings  # noqa: E402

#: Seconds that a scheduled run waits for the end of a deploy.
DEPLOY_TIMEOUT = 3600.0

Request = dict[str, Any]
Answer = dict[str, Any]


def _repository(request: Request) -> Repository:
    return Repository(Settings.from_json(request["settings"]), Path(request["state"]) / "backup")


def save(request: Request) -> Answer:
    """Back up one hub, remove backups that are not to be kept, and record the result."""
    state, hub, repository = Path(request["state"]), str(request["hub"]), _repository(request)
    started = time.monotonic()
    with _exclusive(state):
        staged = state / "backup" / "hubs" / hub
        try:
            manifest = content.stage(state / "hubs" / hub, staged, repository.settings)
            homes = Path(manifest["homes"]) if manifest["homes"] else None
            saved = repository.save(hub, staged, homes if homes and homes.is_dir() else None)
            repository.forget(hub)
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
        last = state / "backup" / "last"
        last.mkdir(mode=0o700, exist_ok=True)
        files.write_private(last / f"{hub}.json", json.dumps(answer) + "\n")
    return {**answer, "summary": summary(answer)}


def list_backups(request: Request) -> Answer:
    """Return the backups of one hub, the newest last, and a summary if there are none."""
    repository = _repository(request)
    found = repository.snapshots(request["hub"])
    none = {} if found else {"summary": repository.settings.no_backups}
    return {"backups": [{"id": each.id, "when": each.when} for each in found], **none}


def discard(request: Request) -> Answer:
    """Remove what was fetched."""
    restore.discard(restore.Target.from_request(request))
    return {}


COMMANDS: dict[str, Callable[[Request], Answer]] = {
    "save": save,
    "list": list_backups,
    # the steps of a restore: what would be restored; bring it to the machine; move it into place
    "examine": lambda request: restore.examine(
        restore.Target.from_request(request), _repository(request), request["from"]
    ),
    "fetch": lambda request: restore.fetch(restore.Target.from_request(request), _repository(request), request["from"]),
    "place": lambda request: restore.place(restore.Target.from_request(request), request["from"]),
    "discard": discard,
}


@contextlib.contextmanager
def _exclusive(state: Path) -> Iterator[None]:
    """Wait for another backup of the same cluster."""
    folder = state / "backup"
    folder.mkdir(mode=0o700, exist_ok=True)
    with open(folder / "lock", "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def scheduled(state: Path) -> int:
    """Back up every hub, whether others fail or not; return the exit code."""
    settings = files.read_json(state / "backup" / "settings.json")
    deadline = time.monotonic() + DEPLOY_TIMEOUT
    failed = 0
    for folder in sorted((state / "hubs").iterdir()):
        if not (folder / "config" / "hub.json").exists():
            continue
        _wait_for_deploy(state, deadline)
        try:
            answer = save({"state": str(state), "hub": folder.name, "settings": settings})
            print(f"{_now()} {folder.name}: {answer['summary']}", flush=True)
        except (BackupError, OSError, ValueError, KeyError) as error:
            failed += 1
            print(f"{_now()} {folder.name}: FAILED: {error}", file=sys.stderr, flush=True)
    return 1 if failed else 0


def summary(answer: Answer) -> str:
    """Describe a backup in one line."""
    # the answer names the first ten only
    unread = f", {len(answer['unread'])} or more files could not be read" if answer["unread"] else ""
    # more may be added than was read: restic stores metadata as well
    sizes = f"{_size(answer['total'])}, {_size(answer['new'])} added to the repository"
    return f"backed up: {sizes}, {answer['seconds']:.0f} s{unread}"


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _wait_for_deploy(state: Path, deadline: float) -> None:
    """Wait until no deploy runs, but not forever: a backup in the middle of a deploy is better than none."""
    while time.monotonic() < deadline:
        try:
            holder = files.read_json(Path(f"{state}.deploy-lock"))
        except (OSError, ValueError):
            return
        if not deploy_may_run(holder):
            return
        time.sleep(5)


def deploy_may_run(holder: dict[str, Any]) -> bool:
    """Return whether the holder of a deploy lock (plugins/module_utils/fleet/lock_owner.py) may still run.

    Processes of other machines and PID namespaces are not visible here, so they count as running.
    """
    if holder.get("machine") != _machine() or holder.get("pid_namespace") != os.readlink("/proc/self/ns/pid"):
        return True
    return processes.identity(int(holder.get("pid") or 0)) == f"{holder.get('boot_id')}:{holder.get('start_time')}"


def _machine() -> str:
    for path in (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id")):
        text = path.read_text(encoding="ascii").strip() if path.exists() else ""
        if text and text != "uninitialized":
            return f"machine-id:{text}"
    return socket.gethostname()


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code."""
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
