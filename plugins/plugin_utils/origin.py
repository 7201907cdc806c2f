# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a value of the inventory stands: file and line.

Ansible has no public interface for this. ansible-core 2.19+ tags values and mapping keys with
their origin (not booleans and nulls); 2.18 has ``ansible_pos``. Both are read here and nowhere
else; when neither is there, places are simply unknown.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Optional

try:
    from ansible._internal._datatag._tags import Origin, VaultedValue
except ImportError:  # ansible-core 2.18
    Origin = VaultedValue = None

Place = tuple  # (path, line)


def place_of(value: Any) -> Optional[Place]:
    """Return (path, line) of a tagged value or key, or None."""
    if Origin is not None:
        tag = Origin.get_tag(value)
        return (tag.path, tag.line_num or 0) if tag is not None and tag.path else None
    position = getattr(value, "ansible_pos", None)
    return (position[0], position[1]) if position else None


def find(variables: Mapping, path: tuple) -> Optional[Place]:
    """Return the place of ``path`` inside raw ``variables``, or of the nearest parent that has one."""
    found, current = None, variables
    for part in path:
        key = part
        if isinstance(current, Mapping):
            key = next((k for k in current if k == part), None)
            if key is None:
                break
            current = current[key]
        elif (
            isinstance(current, Sequence)
            and not isinstance(current, str)
            and isinstance(part, int)
            and part < len(current)
        ):
            current = current[part]
        else:
            break
        # A value knows best; a mapping's own place is that of its first key, so its key goes first.
        if isinstance(current, (Mapping, list)):
            found = place_of(key) or place_of(current) or found
        else:
            found = place_of(current) or place_of(key) or found
    return found


def variable_place(variables: Mapping, variable: str, host: str) -> Optional[Place]:
    """Return the place of a variable whose value carries no origin (true, false, null).

    Its key may carry the place of an outer layer, as merging layers keeps the first key. So
    the host's own files beside that place are looked at first.
    """
    place = find(variables, (variable,))
    if place is None or place_of(variables.get(variable)) is not None:
        return place
    directory = os.path.dirname(place[0])
    if os.path.basename(directory) != "group_vars":
        return place
    for name in (host, f"{host}.yml", f"{host}.yaml"):
        own = os.path.join(os.path.dirname(directory), "host_vars", name)
        line = _line_of(own, variable)
        if line:
            return own, line
    return place


@functools.cache
def _line_of(path: str, variable: str) -> int:
    """Return the line in ``path`` that sets ``variable`` at the top level, or 0."""
    if not os.path.isfile(path):
        return 0
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if re.match(rf"{re.escape(variable)}\s*:", line):
                return number
    return 0


def is_encrypted(value: Any) -> bool:
    """Tell whether a raw value is vault-encrypted in place (or was, before it was decrypted)."""
    if type(value).__name__ in ("EncryptedString", "AnsibleVaultEncryptedUnicode"):
        return True
    return VaultedValue is not None and VaultedValue.get_tag(value) is not None


@functools.cache
def is_encrypted_file(path: str) -> bool:
    """Tell whether a whole file is encrypted, by ansible-vault or SOPS."""
    if re.search(r"\.sops\.(ya?ml|json)$", path):
        return True
    try:
        with open(path, "rb") as file:
            return file.read(14) == b"$ANSIBLE_VAULT"
    except OSError:
        return False


def shown(place: Optional[Place], directory: str = "") -> str:
    """Return a place as ``file:line``, the file as the person at the keyboard would write it."""
    if not place:
        return ""
    path = os.path.relpath(place[0]) if os.path.isabs(place[0]) else place[0]
    if path.startswith("../.."):
        path = place[0]
    return f"{path}:{place[1]}" if place[1] else path
