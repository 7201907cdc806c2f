# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write, generate and remove the files of a hub on its machine."""

from __future__ import annotations

import base64
import json
import os
import pwd
import re
import secrets
import shutil
import subprocess
import time

from ....common import files
from ..layout import SERVICES, HubLayout, Layout
from ..state_directory import lies_inside, require_own
from .shared_groups import groups_of, remove_group

#: Seconds to wait for killed processes to end.
PATIENCE = 10.0

_FOLDERS = ("", "config", "secrets", "run", "logs")

#: Characters that cannot be confused when a password is read aloud.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


def _readable(groups: int) -> str:
    return "-".join("".join(secrets.choice(_READABLE) for _letter in range(4)) for _group in range(groups))


#: How secrets are generated. JupyterHub requires a user password of 8 characters and an admin password of 32 at least
#: (SharedPasswordAuthenticator); keys are 32 bytes in hexadecimal.
_GENERATORS = {"user_password": lambda: _readable(4), "admin_password": lambda: _readable(8)}


def unpack(content: str) -> dict[str, bytes]:
    """Return path -> content of the files that an action encoded."""
    return {name: base64.b64decode(text) for name, text in json.loads(base64.b64decode(content)).items()}


def write_hub(layout: HubLayout, texts: dict[str, bytes], generated: list[str], homes: str, shared_homes: bool) -> None:
    """Write all files of a hub that its services do not write themselves.

    texts: path below config/ -> content; other files there are removed.
    generated: names of secrets to generate if they are missing; existing ones are never replaced.
    homes: directory of the users' homes. shared_homes: whether users have accounts, which need to traverse it.
    """
    for folder in _FOLDERS:
        files.directory(layout.path(folder).rstrip("/"), 0o700)
    if _is_ours(layout, homes):
        files.directory(homes, _homes_mode(shared_homes))
    missing = _missing_secrets(layout, generated)
    for name in missing:
        value = _GENERATORS.get(name, lambda: secrets.token_hex(32))()
        files.create(layout.secret(name), f"{value}\n".encode())
    if missing:
        _forget_runs(layout)
    for name, content in texts.items():
        files.directory(os.path.dirname(layout.config(name)), 0o700)
        files.write(layout.config(name), content)
    for name in _other_files(layout, texts):
        os.unlink(layout.config(name))


def files_to_write(
    layout: HubLayout, texts: dict[str, bytes], generated: list[str], homes: str, shared_homes: bool
) -> list[str]:
    """Return what :func:`write_hub` would change, as paths below the hub's directory; takes the same."""
    changed = [folder or "." for folder in _FOLDERS if not _is_private(layout.path(folder).rstrip("/"))]
    if _is_ours(layout, homes) and not files.is_directory(homes, _homes_mode(shared_homes)):
        changed.append("homes")
    changed += [f"secrets/{name}" for name in _missing_secrets(layout, generated)]
    changed += [f"config/{name}" for name, content in texts.items() if files.differs(layout.config(name), content)]
    return changed + [f"config/{name}" for name in _other_files(layout, texts)]


def _is_private(directory: str) -> bool:
    return files.is_directory(directory, 0o700)


def _is_ours(layout: HubLayout, homes: str) -> bool:
    """Return whether the directory of homes is the collection's; one that was there before, such as /home, is not."""
    state = _cluster(layout).root
    return os.path.commonpath([state, homes]) == state or not os.path.isdir(homes)


def _homes_mode(shared: bool) -> int:
    return 0o711 if shared else 0o700


def _missing_secrets(layout: HubLayout, names: list[str]) -> list[str]:
    return [name for name in names if not os.path.exists(layout.secret(name))]


def _other_files(layout: HubLayout, texts: dict[str, bytes]) -> list[str]:
    """Return the files below config/ that are not among ``texts``."""
    return sorted(set(files.tree(layout.path("config"))) - set(texts))


def _forget_runs(layout: HubLayout) -> None:
    """Let every service restart, since running ones still use the lost secrets."""
    for role in SERVICES:
        if os.path.exists(layout.record(role)):
            os.unlink(layout.record(role))


def remove_data(layout: HubLayout, hub: str, homes: str, own_homes: bool, runtime_directory: str) -> list[str]:
    """Remove a hub's directory, its users' homes, shared directories, accounts and groups; return what was removed.

    own_homes: whether the homes are in the state directory. Elsewhere, such as in /home or behind a symbolic link, they
    are kept, and so are the accounts: a new account could get the user ID of an old one, and with it its files.
    runtime_directory: contains the users' runtime directories.
    Raises ForeignDirectoryError if no deploy made the state directory.
    """
    removed = data_to_remove(layout, hub, homes, own_homes)
    for entry in _accounts(hub, homes) if _removes_homes(layout, homes, own_homes) else []:
        _remove_account(entry, runtime_directory)
    for group in groups_of(homes) if _removes_homes(layout, homes, own_homes) else []:
        remove_group(group)
    for directory in _data_directories(layout, homes, own_homes):
        shutil.rmtree(directory)
    return removed


def data_to_remove(layout: HubLayout, hub: str, homes: str, own_homes: bool) -> list[str]:
    """Return what :func:`remove_data` would remove; changes nothing. Raises what that raises."""
    require_own(_cluster(layout))
    removes_homes = _removes_homes(layout, homes, own_homes)
    accounts = [f"account {entry.pw_name}" for entry in _accounts(hub, homes)] if removes_homes else []
    accounts += [f"group {group}" for group in groups_of(homes)] if removes_homes else []
    return accounts + _data_directories(layout, homes, own_homes)


def data_to_keep(layout: HubLayout, homes: str, own_homes: bool) -> list[str]:
    """Return the directories of a hub that :func:`remove_data` keeps, since they are behind symbolic links."""
    paths = [*([homes] if own_homes else []), layout.directory]
    return [path for path in paths if os.path.isdir(path) and not lies_inside(_cluster(layout), path)]


def _data_directories(layout: HubLayout, homes: str, own_homes: bool) -> list[str]:
    paths = [*([homes] if own_homes else []), layout.directory]
    return [path for path in paths if os.path.isdir(path) and lies_inside(_cluster(layout), path)]


def _removes_homes(layout: HubLayout, homes: str, own_homes: bool) -> bool:
    return own_homes and lies_inside(_cluster(layout), homes)


def _cluster(layout: HubLayout) -> Layout:
    """Return the layout of the cluster of a hub."""
    return Layout(os.path.dirname(os.path.dirname(layout.directory)))


def _accounts(hub: str, homes: str) -> list[pwd.struct_passwd]:
    """Return accounts of the hub's users: those with the hub's mark in their comment and their home in ``homes``."""
    ours = re.compile(rf"hubfleet \S+ hub={re.escape(hub)} ")
    entries = pwd.getpwall() if os.geteuid() == 0 else []
    return [e for e in entries if ours.match(e.pw_gecos) and e.pw_dir.startswith(f"{homes.rstrip('/')}/")]


def _remove_account(entry: pwd.struct_passwd, runtime_directory: str) -> None:
    _end_processes(entry.pw_uid)
    shutil.rmtree(os.path.join(runtime_directory, str(entry.pw_uid)), ignore_errors=True)
    done = subprocess.run(["userdel", entry.pw_name], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"account {entry.pw_name} could not be removed: {done.stderr.strip()}")


def _end_processes(uid: int) -> None:
    """Kill an account's processes until none is left: userdel fails otherwise."""
    deadline = time.monotonic() + PATIENCE
    while subprocess.run(["pkill", "-KILL", "-U", str(uid)], check=False).returncode == 0:
        if time.monotonic() > deadline:
            return
        time.sleep(0.1)
