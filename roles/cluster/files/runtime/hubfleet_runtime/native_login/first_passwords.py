# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""First passwords of accounts, and the file that tells them to the operator.

A first password is derived from the hub's cookie secret and a random seed in the database, so that the file can be
written again when it is lost: hubs on Kubernetes may have no volume. The database alone does not reveal it.
"""

from __future__ import annotations

import hmac
import math
import secrets
from pathlib import Path

from hubfleet_runtime import files

#: Characters that cannot be confused when a password is read aloud.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUP = 4
#: Four groups have 79 bits. bcrypt takes 72 characters.
_FEWEST, _MOST = 4, 14

_HEADER = """\
# First passwords, by user name. Give each to its person in a safe way.
# A password leaves this file when the person changes it: "Change Password" in the menu of the hub.
"""


def new_seed(minimum_length: int) -> str:
    """Return the seed of a new first password that has at least so many characters."""
    groups = min(max(_FEWEST, math.ceil((minimum_length + 1) / (_GROUP + 1))), _MOST)
    return f"{groups}-{secrets.token_hex(16)}"


def derive(key: bytes, name: str, seed: str) -> str:
    """Return the first password of an account."""
    groups = int(seed.partition("-")[0])
    number = int.from_bytes(hmac.digest(key, f"first password\0{name}\0{seed}".encode(), "sha512"), "big")
    letters = []
    for _letter in range(groups * _GROUP):
        number, index = divmod(number, len(_READABLE))
        letters.append(_READABLE[index])
    return "-".join("".join(letters[at : at + _GROUP]) for at in range(0, len(letters), _GROUP))


def write(path: Path, passwords: dict[str, str]) -> None:
    """Write the file if its content differs; only its owner can read it. Raises OSError."""
    text = _HEADER + "".join(f"{name} {password}\n" for name, password in sorted(passwords.items()))
    try:
        if path.read_text(encoding="utf-8") == text:
            return
    except FileNotFoundError:
        pass
    files.write_private(path, text)
