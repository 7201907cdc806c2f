# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Catalogues of the imported clusters: one entry per environment and size, shared by hubs."""

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
#: Order of keys in the written inventory.
_KEYS = {
    ENVIRONMENTS: [option.name for option in ENVIRONMENT],
    SIZES: [option.name for option in SIZE],
}


class Catalogues:
    """The entries of one cluster. Equal entries share a name; a different entry of the same name gets a number."""

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, Entry]] = {ENVIRONMENTS: {}, SIZES: {}}
        self._names: dict[tuple[str, str, str], str] = {}

    def name(self, catalogue: str, preferred: str, body: Entry, choice: str | None = None) -> str:
        """Add an entry unless it exists; return its name. choice: key of the choice in a profile option, or None."""
        content = json.dumps(body, sort_keys=True)
        found = self._names.get((catalogue, content, choice or ""))
        if found:
            return found
        entries = self.entries[catalogue]
        name = unique_name(short_name(preferred), entries)
        entry = body if choice in (None, name) else {**body, "choice": choice}
        entries[name] = {key: entry[key] for key in sorted(entry, key=_KEYS[catalogue].index)}
        for word in ("", choice or name):
            self._names.setdefault((catalogue, content, word), name)
        return name

    def needed(self, variables: Iterable[dict[str, Any]]) -> dict[str, dict[str, Entry]]:
        """Return catalogue variables with the entries that the variables of hubs name."""
        named: dict[str, set[str]] = {ENVIRONMENTS: set(), SIZES: set()}
        for given in variables:
            for catalogue, references in _REFERENCES.items():
                for variable, key in references:
                    for item in given.get(variable) or ():
                        names = (item.get(key) or ()) if key else [item]
                        # Mappings are entries defined in place.
                        named[catalogue].update(name for name in names if isinstance(name, str))
        found = {
            catalogue: {name: entry for name, entry in entries.items() if name in named[catalogue]}
            for catalogue, entries in self.entries.items()
        }
        return {catalogue: entries for catalogue, entries in found.items() if entries}


def short_name(text: str, separator: str = "-", longest: int = _LONGEST) -> str:
    """Return ``text`` as a name of lower-case letters, digits and ``separator``; ``entry`` if nothing is left."""
    words = re.sub(r"[^a-z0-9]+", separator, text.lower()).strip(separator)
    return words[:longest].strip(separator) or "entry"


def unique_name(name: str, taken: Iterable[str], separator: str = "-", longest: int = _LONGEST) -> str:
    """Return ``name``, with a number if it is taken."""
    used, number, found = set(taken), 1, name
    while found in used:
        number += 1
        end = f"{separator}{number}"
        found = name[: longest - len(end)].rstrip(separator) + end
    return found
