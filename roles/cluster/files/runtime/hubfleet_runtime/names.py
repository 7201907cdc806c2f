# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Derive names of directories, logs and system accounts from user names. Standard library only."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

CHECK_PREFIX = "hubfleet-check-"
_SIMPLE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_HASHED = "---"


def is_check_user(user: str) -> bool:
    """Return whether this is a temporary user of a check."""
    return user.startswith(CHECK_PREFIX)


def slug(name: str) -> str:
    """Return a unique file name for a name: the name itself if it is simple, else a readable part and a hash.

    Simple names never contain the mark of hashed ones.
    """
    if _SIMPLE.fullmatch(name) and _HASHED not in name:
        return name
    return f"{_readable(name, 32)}{_HASHED}{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def server_slug(user: str, server: str) -> str:
    """Return a file name for a server of a user; that of the default server is the user's."""
    return f"{slug(user)}+{slug(server)}" if server else slug(user)


def server_log(directory: Path, user: str, server: str) -> Path:
    """Return the path of a server's log."""
    return directory / "logs" / "servers" / f"{server_slug(user, server)}.log"


def account_name(state: str, hub: str, user: str) -> str:
    """Return the name of a user's system account, at most 32 characters.

    Hubs on one machine, also those of different fleets, never share an account.
    """
    return f"hf-{_readable(user, 16)}-{account_hash(state, hub, user)}"


def dynamic_account_name(state: str, hub: str, user: str) -> str:
    """Return the name of a user's dynamic account of systemd, at most 31 characters.

    Never one of account_name(): systemd would use the existing account.
    """
    return f"hd-{_readable(user, 15)}-{account_hash(state, hub, user)}"


def group_name(state: str, hub: str, shared_directory: str, right: str) -> str:
    """Return the name of the group of those who have a right to a shared directory, at most 32 characters."""
    return f"hg-{_readable(shared_directory, 16)}-{account_hash(state, hub, f'{shared_directory}/{right}')}"


def server_id(directory: Path, user: str, server: str) -> str:
    """Return the name of a server that is unique on the machine, for control groups and units; at most 61 characters.

    It is the same for all starts of a server. The engine finds those of a hub by their prefix
    (platform/server/apply/control_groups.py).
    """
    hub = hashlib.sha256(str(directory).encode()).hexdigest()[:8]
    full = hashlib.sha256("\0".join((str(directory), user, server)).encode()).hexdigest()
    return f"hf-{hub}-{_readable(user, 16)}-{full[:32]}"


def account_hash(state: str, hub: str, user: str) -> str:
    """Return a hash of a user of a hub of a fleet."""
    return hashlib.sha256("\0".join((state, hub, user)).encode()).hexdigest()[:12]


def _readable(name: str, length: int) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:length].strip("-") or "user"
