# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the accounts of a hub's admins become root by sudo (hub_admin_sudo). Standard library only.

A file in sudoers.d says so; each start of the hub writes or removes it. Source: sudoers(5), which ignores files there
whose names contain a dot.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from hubfleet_runtime import names
from hubfleet_runtime.isolation.base import HubContext, IsolationError
from hubfleet_runtime.isolation.system_users import PROGRAM_PATH

FOLDER = Path("/etc/sudoers.d")


def path_of(directory: Path) -> Path:
    """Return the file of a hub; stopping the hub removes it as well (platform/server/apply/admin_sudo.py)."""
    return FOLDER / f"hubfleet-{hashlib.sha256(str(directory).encode()).hexdigest()[:16]}"


def configure(hub: HubContext, isolation: str, admins: Iterable[str]) -> frozenset[str]:
    """Give these users, and nobody else of the hub, the right to become root; return their accounts.

    Raises IsolationError.
    """
    accounts = frozenset(names.account_name(hub.state, hub.name, user) for user in admins)
    _write(path_of(hub.directory), isolation, accounts)
    return accounts


def _write(path: Path, isolation: str, accounts: frozenset[str]) -> None:
    if not accounts:
        if os.geteuid() == 0:
            path.unlink(missing_ok=True)
        return
    if isolation != "system-users":
        raise IsolationError(f"hub_admin_sudo needs isolation 'system-users', not {isolation!r}")
    visudo = shutil.which("visudo", path=PROGRAM_PATH)
    if visudo is None or not FOLDER.is_dir():
        raise IsolationError("hub_admin_sudo needs sudo; install the package sudo")
    text = "# Written by each start of the hub; changes are lost.\n"
    text += "".join(f"{account} ALL=(ALL:ALL) NOPASSWD: ALL\n" for account in sorted(accounts))
    fresh = path.with_name(f".{path.name}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o440)
        with open(descriptor, "w", encoding="ascii") as stream:
            os.fchmod(descriptor, 0o440)
            stream.write(text)
        checked = subprocess.run(
            [visudo, "--check", f"--file={fresh}"],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if checked.returncode:
            raise IsolationError(f"visudo rejects {path}: {checked.stdout.strip()} {checked.stderr.strip()}")
        os.replace(fresh, path)
    except OSError as error:
        raise IsolationError(f"{path} cannot be written: {error}") from error
    finally:
        fresh.unlink(missing_ok=True)
