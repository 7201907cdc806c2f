# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The identity of each cluster, recorded beside the inventory at the first contact.

So an inventory that was copied, or a name that now leads to another machine, does not change hubs
of somebody else. The file is meant to be committed. Ansible leaves names with a leading dot alone.

An identity may have parts, such as the UIDs of the namespaces that an account may see, written name=value with commas
between them. Another run may see others; those that both have must be the same. A part without a value is not there.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common import files
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.errors import reason
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import PlatformError

NAME = ".cluster-identities.json"


def recorded(directory: str) -> dict[str, str]:
    """Return cluster -> identity, as recorded in the inventory directory; raises PlatformError."""
    path = os.path.join(directory, NAME)
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else "it is not valid JSON"
        raise PlatformError(f"{path} cannot be read: {why}") from None
    if not isinstance(found, dict):
        raise PlatformError(f"{path} is invalid; restore it, or remove it to record the identities again")
    return {str(key): str(value) for key, value in found.items()}


def mismatch(cluster: str, identity: str, directory: str) -> str:
    """Return why a cluster is not the recorded one, "" where it is, or where nothing is recorded."""
    expected = recorded(directory).get(cluster, "")
    before, now = _parts(expected), _parts(identity)
    differing = sorted(name for name in before if name in now and before[name] != now[name])
    if not differing:
        return ""
    if not any(now[name] for name in differing):
        if any(before[name] == now.get(name) for name in before):
            return ""  # it is the same cluster; what is missing is only the problem of some hubs
        return (
            f"{cluster} does not have {', '.join(differing)}, where hubs were deployed: it is another cluster, or "
            f"somebody removed it; to deploy anew, remove its line from {os.path.join(directory, NAME)}"
        )
    return (
        f"this is another {cluster} than the one that was deployed before ({identity}, not {expected}); if it moved, "
        f"remove its line from {os.path.join(directory, NAME)}"
    )


def record(identities: dict[str, str], directory: str) -> list[str]:
    """Record clusters that are not yet; return their names. An inventory that cannot be written stays as it is."""
    with _locked(directory):
        known = recorded(directory)
        merged = {name: _text({**_parts(found), **_parts(known.get(name, ""))}) for name, found in identities.items()}
        new = {name: identity for name, identity in merged.items() if identity and identity != known.get(name)}
        if not new or not os.access(directory, os.W_OK):
            return []
        _write({**known, **new}, directory)
        return sorted(new)


def forget(cluster: str, part: str, directory: str) -> bool:
    """Remove a part of a cluster's identity that was removed on purpose; return whether this changed the record.

    Raises PlatformError where it cannot be written.
    """
    with _locked(directory):
        known = recorded(directory)
        identity = known.pop(cluster, "")
        left = _text({name: value for name, value in _parts(identity).items() if name != part})
        if left == identity:
            return False
        if not os.access(directory, os.W_OK):
            raise PlatformError(
                f"{os.path.join(directory, NAME)} cannot be written; remove {part} of {cluster} from it"
            )
        _write({**known, cluster: left} if left else known, directory)
        return True


def _write(identities: dict[str, str], directory: str) -> None:
    text = json.dumps(identities, indent=2, sort_keys=True) + "\n"
    files.write(os.path.join(directory, NAME), text.encode(), 0o644)


@contextmanager
def _locked(directory: str) -> Iterator[None]:
    """Let no other task change the file meanwhile: tasks for several hubs run at the same time."""
    descriptor = os.open(directory or ".", os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _parts(identity: str) -> dict[str, str]:
    """Return the parts of an identity by name: of one that is in parts, such as UIDs of namespaces, else itself."""
    if not identity:
        return {}
    parts = [part.partition("=") for part in identity.split(",")]
    if not all(equals for _name, equals, _value in parts):
        return {"": identity}
    return {name: value for name, _equals, value in parts}


def _text(parts: dict[str, str]) -> str:
    """Return the identity that has these parts."""
    return ",".join(f"{name}={value}" if name else value for name, value in sorted(parts.items()) if value)
