# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a hub on its machine: written, generated once, removed."""

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
from ..layout import SERVICES, HubLayout

#: Seconds that killed processes get to vanish.
PATIENCE = 10.0

#: Characters that are not mistaken for one another when a password is read aloud.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


def _readable(groups: int) -> str:
    return "-".join("".join(secrets.choice(_READABLE) for _letter in range(4)) for _group in range(groups))


#: How each generated secret is made. JupyterHub wants a user password of 8 characters and an
#: admin password of 32 at least (SharedPasswordAuthenticator); keys are 32 bytes in hex.
_GENERATORS = {"user_password": lambda: _readable(4), "admin_password": lambda: _readable(8)}


def unpack(content: str) -> dict[str, bytes]:
    """Return path -> content of the files that an action packed."""
    return {name: base64.b64decode(text) for name, text in json.loads(base64.b64decode(content)).items()}


def write_hub(
    layout: HubLayout, texts: dict[str, bytes], generated: list[str], homes: str, shared_homes: bool
) -> list[str]:
    """Write everything of a hub that is not made by its services.

    texts: path below config/ -> content; other files there are removed.
    generated: names of secrets to make where they are not there; what is there is never replaced.
    homes: directory of the users' homes; shared_homes where users have accounts and pass through.
    Returns what changed, as paths below the hub's directory.
    """
    changed = []
    for folder in ("", "config", "secrets", "run", "logs"):
        if files.directory(layout.path(folder).rstrip("/"), 0o700):
            changed.append(folder or ".")
    # A directory that was there before, such as /home, stays as it is.
    state = os.path.dirname(os.path.dirname(layout.directory))
    ours = os.path.commonpath([state, homes]) == state or not os.path.isdir(homes)
    if ours and files.directory(homes, 0o711 if shared_homes else 0o700):
        changed.append("homes")
    for name in generated:
        if not os.path.exists(layout.secret(name)):
            value = _GENERATORS.get(name, lambda: secrets.token_hex(32))()
            files.create(layout.secret(name), f"{value}\n".encode())
            changed.append(f"secrets/{name}")
    if any(name.startswith("secrets/") for name in changed):
        _forget_runs(layout)
    for name, content in texts.items():
        files.directory(os.path.dirname(layout.config(name)), 0o700)
        if files.write(layout.config(name), content):
            changed.append(f"config/{name}")
    return changed + _remove_others(layout.path("config"), set(texts))


def _forget_runs(layout: HubLayout) -> None:
    """Let every service restart: those that run still use the secrets that are gone."""
    for role in SERVICES:
        if os.path.exists(layout.record(role)):
            os.unlink(layout.record(role))


def _remove_others(directory: str, keep: set[str]) -> list[str]:
    removed = []
    for folder, _folders, names in os.walk(directory):
        for name in names:
            relative = os.path.relpath(os.path.join(folder, name), directory)
            if relative not in keep:
                os.unlink(os.path.join(folder, name))
                removed.append(f"config/{relative}")
    return removed


def remove_data(layout: HubLayout, hub: str, homes: str, own_homes: bool, runtime_directory: str) -> list[str]:
    """Remove a hub's directory, its users' homes and their accounts; return what was removed.

    own_homes: the homes lie in the state directory. Elsewhere, such as in /home, they stay, and so
    do the accounts: a new account could be given an old one's number, and with it its files.
    runtime: directory that holds the users' runtime directories.
    """
    removed = []
    if own_homes:
        removed += _remove_accounts(hub, homes, runtime_directory)
    for directory in [homes, layout.directory] if own_homes else [layout.directory]:
        if os.path.isdir(directory):
            shutil.rmtree(directory)
            removed.append(directory)
    return removed


def _remove_accounts(hub: str, homes: str, runtime_directory: str) -> list[str]:
    """Remove accounts of the hub's users: those with the hub's mark in their comment and their home in ``homes``."""
    removed = []
    for entry in pwd.getpwall() if os.geteuid() == 0 else []:
        ours = re.match(rf"hubfleet \S+ hub={re.escape(hub)} ", entry.pw_gecos)
        if ours and entry.pw_dir.startswith(f"{homes.rstrip('/')}/"):
            _end_processes(entry.pw_uid)
            shutil.rmtree(os.path.join(runtime_directory, str(entry.pw_uid)), ignore_errors=True)
            done = subprocess.run(["userdel", entry.pw_name], capture_output=True, text=True, check=False)
            if done.returncode:
                raise OSError(f"account {entry.pw_name} could not be removed: {done.stderr.strip()}")
            removed.append(f"account {entry.pw_name}")
    return removed


def _end_processes(uid: int) -> None:
    """Kill an account's processes until none is left: userdel refuses while there are any."""
    deadline = time.monotonic() + PATIENCE
    while subprocess.run(["pkill", "-KILL", "-U", str(uid)], check=False).returncode == 0:
        if time.monotonic() > deadline:
            return
        time.sleep(0.1)
