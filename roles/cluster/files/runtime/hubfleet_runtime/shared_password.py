# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate the passwords of SharedPasswordAuthenticator in the pod of a hub on Kubernetes.

They are derived from the hub's cookie secret, which the chart generates and keeps: so they stay the same when the pod
is replaced, also without a volume, and are in no values. On a machine, a deploy generates them.

Hubs on Kubernetes run the text of this file as configuration, so it imports nothing else of this package.
"""

from __future__ import annotations

import hmac
import os

from traitlets.config import Config

#: Trait -> number of groups of four characters; JupyterHub requires 8 and 32 characters at least.
PASSWORDS = {"user_password": 4, "admin_password": 8}
#: Characters that cannot be confused when a password is read aloud.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def derive(key: bytes, name: str, groups: int) -> str:
    """Return a password of groups of four characters."""
    number = int.from_bytes(hmac.digest(key, f"shared password\0{name}".encode(), "sha512"), "big")
    letters = []
    for _letter in range(groups * 4):
        number, index = divmod(number, len(LETTERS))
        letters.append(LETTERS[index])
    return "-".join("".join(letters[at : at + 4]) for at in range(0, len(letters), 4))


def configure(c: Config, path: str) -> None:
    """Set the passwords that are not set, and write these to a file that only the hub's account can read."""
    if c.JupyterHub.get("authenticator_class") != "shared-password":
        return
    secret = c.JupyterHub.get("cookie_secret")
    key = secret if isinstance(secret, bytes) else bytes.fromhex(secret)
    generated = {
        name: derive(key, name, groups)
        for name, groups in PASSWORDS.items()
        if not c.SharedPasswordAuthenticator.get(name)
    }
    c.SharedPasswordAuthenticator.update(generated)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.writelines(f"{name} {password}\n" for name, password in generated.items())
