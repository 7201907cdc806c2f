# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a value of the inventory stands: file and line.

Ansible has no public interface for this. ansible-core 2.19+ tags values and mapping keys with
their origin (not booleans and nulls); 2.18 has ``ansible_pos``. Both are read here and nowhere
else; when neither is there, places are simply unknown.
"""

from __future__ import annotations

import base64
import functools
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import ValuePath

try:
    from ansible._internal._datatag._tags import Origin, VaultedValue
except ImportError:  # ansible-core 2.18
    Origin = VaultedValue = None

Place = tuple[str, int]  # path, line

#: Characters from which on a line of a longer secret, such as a key, is one itself.
_TELLING_LINE = 8


def place_of(value: Any) -> Place | None:
    """Return (path, line) of a tagged value or key, or None."""
    if Origin is not None:
        tag = Origin.get_tag(value)
        return (tag.path, tag.line_num or 0) if tag is not None and tag.path else None
    position = getattr(value, "ansible_pos", None)
    return (position[0], position[1]) if position else None


def step(value: Any, part: Any) -> tuple[Any, Any]:
    """Return (key, value) of what ``part`` names inside a raw value; the key as the file has it."""
    if isinstance(value, Mapping):
        # Keys are text for the engine, whatever YAML made of them.
        return next((item for item in value.items() if str(item[0]) == str(part)), (None, None))
    if isinstance(value, Sequence) and not isinstance(value, str) and isinstance(part, int) and part < len(value):
        return None, value[part]
    return None, None


def find(value: Any, path: ValuePath) -> Place | None:
    """Return the place of ``path`` inside a raw value, or of the nearest parent inside it that has one."""
    found = None
    for part in path:
        key, value = step(value, part)
        # A value knows best; a mapping's own place is that of its first key, so its key goes first.
        places = [place_of(value), place_of(key)]
        found = next(filter(None, reversed(places) if isinstance(value, (Mapping, list)) else places), found)
    return found


def variable_place(
    variables: Mapping[str, Any], variable: str, layers: Iterable[str | Mapping[str, Any]]
) -> Place | None:
    """Return the place of a variable.

    Text and numbers carry it. Booleans and nulls carry none, and a mapping that of its first key;
    a variable's key is no help, as merging layers keeps the key of the outermost one. For these
    the first of ``layers`` that sets the variable tells; each is a file or a host's own mapping.
    """
    key, value = step(variables, variable)
    own = place_of(value)
    if own and not isinstance(value, (Mapping, list)):
        return own
    for layer in layers:
        if isinstance(layer, Mapping):
            place = place_of(step(layer, variable)[0])
        else:
            line = _line_of(layer, variable)
            place = (layer, line) if line else None
        if place and (not own or os.path.realpath(place[0]) == os.path.realpath(own[0])):
            return place
    return own or place_of(key)


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


def is_template(value: Any) -> bool:
    """Tell whether a raw value is a text with a template in it."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def stands_encrypted(value: Any) -> bool:
    """Tell whether a raw value stands encrypted, alone or with its whole file."""
    if is_encrypted(value):
        return True
    place = place_of(value) if isinstance(value, str) else None
    return place is not None and is_encrypted_file(place[0])


def encrypted_texts(value: Any) -> set[str]:
    """Return every text that stands encrypted somewhere inside raw values, decrypted, in the forms it is used in."""
    if isinstance(value, Mapping):
        return set().union(*map(encrypted_texts, value.values()))
    if isinstance(value, (list, tuple)):
        return set().union(*map(encrypted_texts, value))
    if not stands_encrypted(value):
        return set()
    try:
        return _forms(str(value))
    except Exception:  # nobody gave its password, so that nobody can show it either
        return set()


def _forms(secret: str) -> set[str]:
    """Return a secret as it is, without the blanks around it, both in base64, and its lines that tell something."""
    whole = {secret, secret.strip()} - {""}
    lines = {line.strip() for line in secret.strip().splitlines()}
    telling = {line for line in lines if len(line) >= _TELLING_LINE and not line.startswith("-----")}
    return whole | telling | {base64.b64encode(text.encode()).decode() for text in whole}


def shown(place: Place | None, directory: str = "") -> str:
    """Return a place as ``file:line``, the file as the person at the keyboard would write it."""
    if not place:
        return ""
    path = os.path.relpath(place[0]) if os.path.isabs(place[0]) else place[0]
    if path.startswith("../.."):
        path = place[0]
    return f"{path}:{place[1]}" if place[1] else path
