# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names derived from the names of users: folders, logs, system accounts. Standard library only."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

CHECK_PREFIX = "hubfleet-check-"
_SIMPLE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_HASHED = "---"


def is_check_user(user: str) -> bool:
    """Whether this is a temporary user of the check, of whom nothing is kept."""
    return user.startswith(CHECK_PREFIX)


def slug(name: str) -> str:
    """A file name for any name: itself where it is simple, else readable with a hash.

    No two names have the same: simple ones never hold what marks the hashed ones.
    """
    if _SIMPLE.fullmatch(name) and _HASHED not in name:
        return name
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32].strip("-") or "user"
    return f"{readable}{_HASHED}{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def server_slug(user: str, server: str) -> str:
    """A file name for a server of a user; the default server has the user's."""
    return f"{slug(user)}+{slug(server)}" if server else slug(user)


def server_log(directory: Path, user: str, server: str) -> Path:
    """Where the log of a user's server is."""
    return directory / "logs" / "servers" / f"{server_slug(user, server)}.log"


def account(state: str, hub: str, user: str) -> str:
    """The name of the system account of a hub's user, at most 32 characters.

    It holds a hash of the state directory, the hub and the user: hubs on one machine, also those
    of different fleets, never share an account.
    """
    readable = re.sub(r"[^a-z0-9]+", "-", user.lower()).strip("-")[:16].strip("-") or "user"
    return f"hf-{readable}-{account_hash(state, hub, user)}"


def dynamic_account(state: str, hub: str, user: str) -> str:
    """The name under which systemd makes up an account for the user while a server runs; at most 31 characters.

    None of account(): a real account of the name would be used instead of a made-up one.
    """
    readable = re.sub(r"[^a-z0-9]+", "-", user.lower()).strip("-")[:15].strip("-") or "user"
    return f"hd-{readable}-{account_hash(state, hub, user)}"


def server_key(directory: Path, user: str, server: str) -> str:
    """What a server of a user is called machine-wide, say as a control group; at most 61 characters.

    No two servers have the same, also not those of different fleets; two starts of one server have. All of
    a hub start alike, by which the engine finds them (platform/server/user_groups.py).
    """
    hub = hashlib.sha256(str(directory).encode()).hexdigest()[:8]
    full = hashlib.sha256("\0".join((str(directory), user, server)).encode()).hexdigest()
    readable = re.sub(r"[^a-z0-9]+", "-", user.lower()).strip("-")[:16].strip("-") or "user"
    return f"hf-{hub}-{readable}-{full[:32]}"


def account_hash(state: str, hub: str, user: str) -> str:
    """What tells the account of this user of this hub from all others on the machine."""
    return hashlib.sha256("\0".join((state, hub, user)).encode()).hexdigest()[:12]
