# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which places hold secrets, by the names of keys and by what stands there.

A place is a path: a variable, then keys and indexes inside its value.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

#: Keys of the zero-to-jupyterhub chart and of authenticators' traits that hold secrets.
CHART_SECRETS = frozenset(
    {
        "admin_password",
        "api_token",
        "apiToken",
        "auth_token",
        "client_secret",
        "cookie_secret",
        "cookieSecret",
        "github_client_secret",
        "global_password",
        "lookup_dn_search_password",
        "password",
        "proxy_auth_token",
        "recaptcha_secret",
        "secret_key",
        "secretToken",
        "user_password",
    }
)
#: Where environment variables stand: in the chart, in traits of spawners, and in our options.
ENVIRONMENTS = frozenset({"extraEnv", "environment", "hub_environment_variables", "cluster_backup_environment"})
#: User and password in an address. User names alone are no secret (ssh://git@...) but over HTTP, where they are tokens.
_CREDENTIALS = re.compile(r"""https?://[^/\s@{}'"]+@|://[^/\s:@{}'"]+:[^/\s@{}'"]+@""")
#: Private keys of TLS, SSH, PGP and age.
_PRIVATE_KEY = re.compile("(SECRET|PRIVATE)[- ]KEY")
#: Environment variables that are likely secrets.
_SECRET_VARIABLE = re.compile(r"secret|token|passw|key", re.IGNORECASE)


def holds_credentials(value: Any) -> bool:
    """Return whether a text contains an address with a password in it."""
    return isinstance(value, str) and _CREDENTIALS.search(value) is not None


def without_credentials(text: str) -> str:
    """Return a text without the users and passwords of addresses in it."""
    return _CREDENTIALS.sub(lambda found: f"{found[0].partition('://')[0]}://***@", text)


def holds_private_key(value: Any) -> bool:
    """Return whether a text contains a private key."""
    return isinstance(value, str) and _PRIVATE_KEY.search(value) is not None


def is_secret_variable(path: Sequence[Any]) -> bool:
    """Return whether a place is the value of an environment variable that is likely a secret by its name."""
    inside = next((path[index + 1 :] for index, key in enumerate(path) if key in ENVIRONMENTS), ())
    if not inside or not _SECRET_VARIABLE.search(str(inside[0])):
        return False
    # What names a variable, or the object in the cluster that has its value, is no secret itself.
    return inside[1:] != ("name",) and "valueFrom" not in inside[1:]


def variable_of(entry: Any, path: Sequence[Any]) -> str | None:
    """Return the name of the variable that an entry of a list describes, as Kubernetes writes environments."""
    name = entry.get("name") if isinstance(entry, dict) and path[-1] in ENVIRONMENTS else None
    return name if isinstance(name, str) else None


def is_secret_place(path: Sequence[Any], keys: Collection[str]) -> bool:
    """Return whether a place, or the list that it is in, holds a secret; ``keys`` name the secrets of the schema."""
    while isinstance(path[-1], int):
        path = path[:-1]
    if path[0] == "cluster_backup_environment":
        return is_secret_variable(path)
    return path[-1] in keys or tuple(path[-2:]) == ("CryptKeeper", "keys")


def may_hold_secret(value: Any, path: Sequence[Any], keys: Collection[str]) -> bool:
    """Return whether a value is, or may be, a secret by its place or by itself; the content of files may be one."""
    if is_secret_place(path, keys) or is_secret_variable(path):
        return True
    if path[-1] in ("stringData", "binaryData") or ("extraFiles" in path[:-1] and "data" in path):
        return True
    if "files" in path[:2] and path[-1] == "content":  # of hub.json
        return True
    return holds_credentials(value) or holds_private_key(value)
