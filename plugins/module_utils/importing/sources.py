# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is imported: hubs as they were found, and reading the files they are made of."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any

from ..platform.kubernetes.values.layers import Values, merge
from ..schema.values import SOPS
from .errors import ImportProblem
from .helm_yaml import read_mapping

#: Names of files that are encrypted, as 2i2c and helm-secrets call them.
_ENCRYPTED_NAME = re.compile(r"^enc-|\.secret\.|^secrets?\.enc\.")
#: How files begin that git-crypt, ansible-vault or age has encrypted.
_ENCRYPTED = (b"\0GITCRYPT\0", b"$ANSIBLE_VAULT;", b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")


@dataclass
class Files:
    """The values files of one hub in Helm's order.

    values: all that could be read, merged.
    read, pending, jsonnet: names of the files that were read, are encrypted, or are programs.
    notes: what is odd about them, each with ``file:line``.
    """

    values: Values = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    jsonnet: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class Source:
    """A hub on Kubernetes as it was found.

    cluster, hub: what they are called there; inventory names are made from these.
    wanted: values of the chart, which the imported hub must give back exactly.
    variables: what is known of it beside that, as hub_* variables.
    cluster_variables: the same, as cluster_* variables.
    left: parts that are not carried over: name -> values.
    notes: sentences for the report.
    mapped: how many values of the files are in ``variables``, where these are all that is imported.
    """

    cluster: str
    hub: str
    tier: str
    wanted: Values
    files: Files
    variables: dict[str, Any] = field(default_factory=dict)
    cluster_variables: dict[str, Any] = field(default_factory=dict)
    left: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    mapped: int = 0


@dataclass
class Tree:
    """Everything that one import found.

    cluster_notes: cluster -> sentences for the report.
    notes: sentences about all of it.
    """

    sources: list[Source]
    cluster_notes: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Library:
    """Reads files below one directory, each once."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._read: dict[str, tuple[Values | None, list[str]]] = {}

    def mapping(self, path: str) -> tuple[Values | None, list[str]]:
        """Return what a file holds, None where it is encrypted, and what is odd about it.

        Raises ImportProblem where it cannot be read.
        """
        if path not in self._read:
            name = self.name_of(path)
            text = _text_of(path, name)
            if text is None or SOPS.search(text):
                self._read[path] = (None, [])
            else:
                reading = read_mapping(text, name)
                self._read[path] = (reading.value, reading.notes)
        return self._read[path]

    def name_of(self, path: str) -> str:
        """Return a file's name for messages and reports: below the directory where it lies there."""
        relative = os.path.relpath(path, self.directory)
        return os.path.basename(path) if relative.startswith("..") else relative

    def files(self, paths: list[str]) -> Files:
        """Return values files merged in Helm's order; raises ImportProblem where one is missing or is no YAML."""
        found = Files()
        for path in paths:
            name = self.name_of(path)
            if path.endswith(".jsonnet"):
                found.jsonnet.append(name)
                continue
            if is_encrypted_name(path):
                found.pending.append(name)
                continue
            if not os.path.isfile(path):
                raise ImportProblem(f"{name}: there is no such file, and its name is not that of an encrypted one")
            values, notes = self.mapping(path)
            found.notes += [note for note in notes if note not in found.notes]
            if values is None:
                found.pending.append(name)
            else:
                found.read.append(name)
                found.values = merge(found.values, values)
        return found


def is_encrypted_name(path: str) -> bool:
    """Tell whether a file is encrypted by what it is called."""
    return _ENCRYPTED_NAME.search(os.path.basename(path)) is not None


def _text_of(path: str, name: str) -> str | None:
    """Return the text of a file, None where it is encrypted as a whole; raises ImportProblem."""
    try:
        with open(path, "rb") as file:
            content = file.read()
        return None if content.startswith(_ENCRYPTED) else content.decode("utf-8")
    except OSError as error:
        raise ImportProblem(f"{name}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ImportProblem(f"{name}: is no UTF-8 text") from error
