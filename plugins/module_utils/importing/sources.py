# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source of an import: hubs with their values files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..common.errors import reason
from ..platform.kubernetes.values.layers import Values, merge
from ..schema.placeholders import SOPS
from .errors import FleetImportError
from .helm_yaml import read_mapping, resolve

#: Names of encrypted files, by the conventions of 2i2c and helm-secrets.
_ENCRYPTED_NAME = re.compile(r"^enc-|\.secret\.|^secrets?\.enc\.")
#: First bytes of files that are encrypted by git-crypt, ansible-vault or age.
_ENCRYPTED = (b"\0GITCRYPT\0", b"$ANSIBLE_VAULT;", b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")


@dataclass
class ValuesFiles:
    """The values files of one hub in Helm's order.

    values: the merged values of all files that were read.
    read, encrypted, jsonnet: names of the files that were read, are encrypted, or are Jsonnet programs.
    notes: warnings, each with ``file:line``.
    """

    values: Values = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    encrypted: list[str] = field(default_factory=list)
    jsonnet: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class Source:
    """A hub to import.

    cluster, hub: their names in the source, from which inventory names are made.
    values: the chart's values, which the imported hub must have exactly.
    variables, cluster_variables: hub_* and cluster_* variables for what the source says beside the chart's values.
    not_imported: name of a part -> its values.
    notes: sentences for the report.
    option_count: how many values of the files are in ``variables``, in addition to those of ``values``.
    """

    cluster: str
    hub: str
    tier: str
    values: Values
    files: ValuesFiles
    variables: dict[str, Any] = field(default_factory=dict)
    cluster_variables: dict[str, Any] = field(default_factory=dict)
    not_imported: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    option_count: int = 0


@dataclass
class SourceFleet:
    """All hubs of a source. cluster_notes: cluster -> sentences for the report; notes: sentences about the fleet."""

    hubs: list[Source]
    cluster_notes: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class ValuesReader:
    """Reads files below one directory, each once."""

    def __init__(self, directory: str, resolve_word: Callable[[str], Any] = resolve) -> None:
        """Take a directory, and what a plain word of YAML is; the default is Helm's."""
        self.directory = directory
        self._resolve_word = resolve_word
        self._read: dict[str, tuple[Values | None, list[str]]] = {}

    def mapping(self, path: str) -> tuple[Values | None, list[str]]:
        """Return the mapping in a file, None where it is encrypted, and warnings; raises FleetImportError."""
        if path not in self._read:
            name = self.name_of(path)
            text = _text_of(path, name)
            if text is None or SOPS.search(text):
                self._read[path] = (None, [])
            else:
                reading = read_mapping(text, name, self._resolve_word)
                self._read[path] = (reading.value, reading.notes)
        return self._read[path]

    def name_of(self, path: str) -> str:
        """Return the name of a file for messages: its path relative to the directory, or its base name outside."""
        relative = os.path.relpath(path, self.directory)
        return os.path.basename(path) if relative.startswith("..") else relative

    def files(self, paths: list[str]) -> ValuesFiles:
        """Return values files merged in Helm's order; raises FleetImportError where one is missing or invalid."""
        found = ValuesFiles()
        for path in paths:
            name = self.name_of(path)
            if path.endswith(".jsonnet"):
                found.jsonnet.append(name)
                continue
            if is_encrypted_name(path):
                found.encrypted.append(name)
                continue
            if not os.path.isfile(path):
                raise FleetImportError(f"{name}: does not exist, and its name is not that of an encrypted file")
            values, notes = self.mapping(path)
            found.notes += [note for note in notes if note not in found.notes]
            if values is None:
                found.encrypted.append(name)
            else:
                found.read.append(name)
                found.values = merge(found.values, values)
        return found


def is_encrypted_name(path: str) -> bool:
    """Tell whether a file has the name of an encrypted one."""
    return _ENCRYPTED_NAME.search(os.path.basename(path)) is not None


def _text_of(path: str, name: str) -> str | None:
    """Return the text of a file, None where it is encrypted as a whole; raises FleetImportError."""
    try:
        with open(path, "rb") as file:
            content = file.read()
        return None if content.startswith(_ENCRYPTED) else content.decode("utf-8")
    except OSError as error:
        raise FleetImportError(f"{name}: cannot be read: {reason(error)}") from error
    except UnicodeDecodeError as error:
        raise FleetImportError(f"{name}: is not UTF-8 text") from error
