# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests as Helm writes them: a stream of YAML documents, each with an object."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

# To Helm, every line that begins so starts a document.
_SEPARATOR = re.compile(r"^---", re.MULTILINE)


def documents(text: str) -> Iterator[str]:
    """Yield the documents of a stream of YAML that are not empty."""
    return (document for document in _SEPARATOR.split(text) if document.strip())


def flat(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the objects in what a document holds: none, itself, or the items of a List."""
    if found.get("kind") == "List" and isinstance(found.get("items"), list):
        return [item for item in found["items"] if isinstance(item, dict)]
    return [found] if found else []


def parse(document: str) -> dict[str, Any]:
    """Parse a document that is a mapping, or empty; raises ValueError."""
    import yaml  # not everything that imports this module may have it

    try:
        found = yaml.load(document, Loader=_yaml_loader())
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    if not isinstance(found or {}, dict):
        raise ValueError("not a mapping")
    return found or {}


@functools.cache
def _yaml_loader() -> Any:
    """Return PyYAML's safe loader, the fast one where it is there, without dates: JSON has none."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        yaml_implicit_resolvers = {
            first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    return Loader
