# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Catalogues of the clusters that are imported: one entry per environment and size, whichever hubs have it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from ..schema.catalogue_options import ENVIRONMENT, SIZE

Entry = dict[str, Any]

ENVIRONMENTS, SIZES = "hub_environment_catalogue", "hub_size_catalogue"
#: Where variables name entries: (variable, key of its elements or "").
_REFERENCES = {
    ENVIRONMENTS: (("hub_environments", ""), ("hub_profiles", "environments")),
    SIZES: (("hub_sizes", ""), ("hub_profiles", "sizes")),
}
_LONGEST = 32
#: The order that people find keys in.
_KEYS = {
    ENVIRONMENTS: [option.name for option in ENVIRONMENT],
    SIZES: [option.name for option in SIZE],
}


class Catalogues:
    """Names the entries of one cluster: the same has one name, another of that name gets a number."""

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, Entry]] = {ENVIRONMENTS: {}, SIZES: {}}
        self._names: dict[tuple[str, str, str], str] = {}

    def name(self, catalogue: str, preferred: str, body: Entry, choice: str | None = None) -> str:
        """Return the name of an entry, which is added if it is new.

        choice: the word that users choose it by; None where nobody chooses it.
        """
        content = json.dumps(body, sort_keys=True)
        found = self._names.get((catalogue, content, choice or ""))
        if found:
            return found
        entries = self.entries[catalogue]
        name = unique(fitting(preferred), entries)
        entry = body if choice in (None, name) else {**body, "choice": choice}
        entries[name] = {key: entry[key] for key in sorted(entry, key=_KEYS[catalogue].index)}
        for word in ("", choice or name):
            self._names.setdefault((catalogue, content, word), name)
        return name

    def needed(self, variables: Iterable[dict[str, Any]]) -> dict[str, dict[str, Entry]]:
        """Return catalogue variables with the entries that hubs' variables name, without empty ones."""
        named: dict[str, set[str]] = {ENVIRONMENTS: set(), SIZES: set()}
        for given in variables:
            for catalogue, references in _REFERENCES.items():
                for variable, key in references:
                    for item in given.get(variable) or ():
                        names = (item.get(key) or ()) if key else [item]
                        # Others are entries of the hub's own.
                        named[catalogue].update(name for name in names if isinstance(name, str))
        found = {
            catalogue: {name: entry for name, entry in entries.items() if name in named[catalogue]}
            for catalogue, entries in self.entries.items()
        }
        return {catalogue: entries for catalogue, entries in found.items() if entries}


def fitting(text: str, separator: str = "-", longest: int = _LONGEST) -> str:
    """Return ``text`` as a short name of lower-case letters, digits and ``separator``; ``entry`` for none."""
    words = re.sub(r"[^a-z0-9]+", separator, text.lower()).strip(separator)
    return words[:longest].strip(separator) or "entry"


def unique(name: str, taken: Iterable[str], separator: str = "-", longest: int = _LONGEST) -> str:
    """Return ``name``, or the first of it with a number that is not taken."""
    used, number, found = set(taken), 1, name
    while found in used:
        number += 1
        end = f"{separator}{number}"
        found = name[: longest - len(end)].rstrip(separator) + end
    return found
