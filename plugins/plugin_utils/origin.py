# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a value of the inventory comes from: its file and line, and whether it is encrypted there.

Ansible has no public interface for this. ansible-core 2.19+ tags values and keys of mappings with their origin (not
booleans and nulls); 2.18 has ``ansible_pos``. Both are read here and nowhere else; without them places are unknown.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml
from ansible.errors import AnsibleError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import ValuePath

try:
    from ansible._internal._datatag._tags import Origin, VaultedValue
except ImportError:  # ansible-core 2.18
    Origin = VaultedValue = None

Place = tuple[str, int]  # path, line

#: A number or a date in YAML.
_SCALAR = re.compile(r"[-+.\w:]+")

#: What Ansible calls YAML that it did not read from a file: that of plugins which decrypt files, such as SOPS.
_IN_MEMORY = frozenset({"<unknown>", "<string>", "<unicode string>"})


def place_of(value: Any) -> Place | None:
    """Return (path, line) of a tagged value or key, or None."""
    source, line = _source_of(value)
    return (source, line) if source and not source.startswith("<") else None


def _source_of(value: Any) -> Place:
    """Return the file, or Ansible's words for anything else, that a tagged value or key comes from, and the line."""
    if Origin is not None:
        tag = Origin.get_tag(value)
        return (tag.path or tag.description or "", tag.line_num or 0) if tag is not None else ("", 0)
    position = getattr(value, "ansible_pos", None)
    return (position[0], position[1]) if position else ("", 0)


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
    """Return whether a raw value is vault-encrypted in place (or was, before it was decrypted)."""
    if type(value).__name__ in ("EncryptedString", "AnsibleVaultEncryptedUnicode"):
        return True
    return VaultedValue is not None and VaultedValue.get_tag(value) is not None


@functools.cache
def is_encrypted_file(path: str) -> bool:
    """Return whether a whole file is encrypted, by ansible-vault or SOPS."""
    if re.search(r"\.sops\.(ya?ml|json)$", path):
        return True
    try:
        with open(path, "rb") as file:
            return file.read(14) == b"$ANSIBLE_VAULT"
    except OSError:
        return False


def is_template(value: Any) -> bool:
    """Return whether a raw value is a text with a template in it."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def stands_encrypted(value: Any, key: Any = None) -> bool:
    """Return whether a raw value stands encrypted, alone or with its whole file.

    key: the key of a value inside a mapping; it tells where the value comes from if the value itself does not.
    """
    source = _source_of(value)[0] or _source_of(key)[0]
    return is_encrypted(value) or source in _IN_MEMORY or bool(source) and is_encrypted_file(source)


def written(value: Any, loader: Any) -> str:
    """Return the characters of a file that YAML read a number or a date from, as a value or key, or "".

    loader: Ansible's, which decrypts files.
    """
    path, line, column = _exact_source_of(value)
    if not column or not os.path.isfile(path):
        return ""
    lines = _lines(path, loader)
    found = _SCALAR.match(lines[line - 1], column - 1) if line <= len(lines) else None
    if not found:
        return ""
    if found[0] == str(value):
        return found[0]
    for text in (found[0], found[0].rstrip(":")):
        with contextlib.suppress(yaml.YAMLError, ValueError):
            if yaml.safe_load(text) == value:
                return text
    return ""  # the file has changed, or is not YAML


def _exact_source_of(value: Any) -> tuple[str, int, int]:
    """Return the file, line and column of a tagged value or key; the column is 0 where Ansible does not know it."""
    tag = Origin.get_tag(value) if Origin is not None else None
    return (tag.path or "", tag.line_num or 0, tag.col_num or 0) if tag is not None else ("", 0, 0)


@functools.cache
def _lines(path: str, loader: Any) -> list[str]:
    """Return the lines of a file, decrypted."""
    if not is_encrypted_file(path):
        return text_of(path).splitlines()
    try:
        return str(loader.get_text_file_contents(path)).splitlines()
    except (AnsibleError, OSError, ValueError):
        return []


@functools.cache
def text_of(path: str) -> str:
    """Return the text of a file, "" if it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError):
        return ""


def shown(place: Place | None, directory: str = "") -> str:
    """Return a place as ``file:line``, the file as the person at the keyboard would write it."""
    if not place:
        return ""
    path = os.path.relpath(place[0]) if os.path.isabs(place[0]) else place[0]
    if path.startswith("../.."):
        path = place[0]
    return f"{path}:{place[1]}" if place[1] else path
