# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories and files that users share, in a hub.json, and what changes about them, in words."""

from __future__ import annotations

from typing import Any

from ...redaction.redactor import Redactor
from ...schema.model import Hub
from ...schema.shared_checks import DIRECTORIES, FILES, path_in_home

#: Keys of a shared directory that mean nothing on a machine.
_ELSEWHERE = ("subpath",)


def shared_directories(hub: Hub) -> dict[str, Any]:
    """Return the shared directories as hubfleet_runtime/shared.py reads them; paths are relative to the home."""
    return {name: _entry(directory) for name, directory in (hub[DIRECTORIES] or {}).items()}


def shared_files(hub: Hub) -> dict[str, Any]:
    """Return the files of every home as hubfleet_environment/home.py reads them."""
    return {name: _entry(file) for name, file in (hub[FILES] or {}).items()}


def checked_directories(hub: Hub) -> dict[str, bool]:
    """Return the paths in homes of directories that everybody finds -> whether everybody can certainly write there."""
    return {
        entry["path"]: not (entry.get("read_only") or "writable_by_groups" in entry or entry.get("source"))
        for entry in shared_directories(hub).values()
        if "allowed_groups" not in entry
    }


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in entry.items() if value is not None and key not in _ELSEWHERE}
    return {**kept, "path": path_in_home(entry["path"])}


def shared_sentences(before: dict[str, Any], after: dict[str, Any], redactor: Redactor) -> list[str]:
    """Return what is added, changed or removed if a hub.json is replaced by another one.

    Servers of users have it from their next start on.
    """
    found = []
    for key, what, kept in (
        ("shared_directories", "shared directory", "its files stay"),
        ("files", "file", "it stays in homes"),
    ):
        old, new = before.get(key) or {}, after.get(key) or {}
        for name in sorted({*old, *new}):
            if name not in new:
                found.append(f"{what} {name} not shown any more; {kept}")
            elif name not in old:
                found.append(f"{what} {name} added")
            elif old[name] != new[name]:
                changed = [
                    each for each in sorted({*old[name], *new[name]}) if old[name].get(each) != new[name].get(each)
                ]
                found.append(f"{what} {name} changed: {', '.join(changed)}")
    text = str(redactor.mask("; ".join(found)))
    return [f"{text} (from the next start of a server on)"] if found else []
