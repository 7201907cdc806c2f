# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of versions of the zero-to-jupyterhub chart (roles/hub/files/charts).

``scripts/record_chart.py`` writes the records; they are read in the controller.
"""

from __future__ import annotations

import functools
import json
import os
import re
from dataclasses import dataclass
from typing import Any

from ....schema.problems import nearest


@dataclass(frozen=True)
class Trait:
    """One trait of a configurable class.

    types: accepted JSON types: text, int, number, bool, list, set, dict, any, memory (JupyterHub's ByteSpecification);
        callable and bytes have none.
    nullable: whether it accepts null.
    choices: the accepted values; empty for any.
    elements: the values in a list, set or dict, if known.
    secret: its value is never shown.
    rule: it decides who may log in.
    alias_of: the trait's new name, if this is an old one.
    removed: an old name that JupyterHub no longer accepts.
    """

    types: tuple[str, ...]
    nullable: bool = False
    choices: tuple[Any, ...] = ()
    elements: Trait | None = None
    secret: bool = False
    rule: bool = False
    alias_of: str = ""
    removed: bool = False


@dataclass(frozen=True)
class ConfigClass:
    """One configurable class.

    parents: the classes whose sections it reads as well, nearest first (method resolution order).
    traits: those it adds or changes, by name.
    allows_all: allows everyone by default.
    """

    name: str
    parents: tuple[str, ...]
    traits: dict[str, Trait]
    allows_all: bool = False


@dataclass(frozen=True)
class Traits:
    """The configurable classes of a hub's image.

    authenticators: what JupyterHub.authenticator_class may be (entry point in lower case, or dotted
    path) -> name of the class.
    """

    classes: dict[str, ConfigClass]
    authenticators: dict[str, str]

    def sections(self, name: str) -> tuple[str, ...]:
        """Return the sections that a known class reads: its own first, then those of its parents."""
        return (name, *self.classes[name].parents)

    def of(self, name: str) -> dict[str, Trait]:
        """Return all traits of a known class, by name, inherited ones too."""
        traits: dict[str, Trait] = {}
        for section in reversed(self.sections(name)):
            traits.update(self.classes[section].traits)
        return traits

    def subclasses(self, name: str) -> list[str]:
        """Return the names of the classes that inherit from a class."""
        return [subclass.name for subclass in self.classes.values() if name in subclass.parents]


@dataclass(frozen=True)
class Recorded:
    """The record of one chart version; shared, so never change it.

    schema: JSON schema of the chart's values.
    defaults: the chart's own values.
    traits: of the classes in the hub's image.
    about: versions of the chart, of JupyterHub, KubeSpawner and OAuthenticator, of Kubernetes
    (``kubeVersion``) and Python.
    """

    version: str
    schema: dict[str, Any]
    defaults: dict[str, Any]
    traits: Traits
    about: dict[str, Any]


@functools.cache
def read(directory: str, version: str) -> Recorded:
    """Return the record of a version; raise LookupError if there is none."""
    known = versions(directory)
    if version not in known:
        raise LookupError(f"chart version {version!r} is not recorded{nearest(version, known, 'recorded')}")
    files = {
        name: _read_json(os.path.join(directory, version, f"{name}.json"))
        for name in ("values.schema", "values", "traits", "about")
    }
    return Recorded(
        version=version,
        schema=files["values.schema"],
        defaults=files["values"],
        traits=traits_of(files["traits"]),
        about=files["about"],
    )


def versions(directory: str) -> list[str]:
    """Return the recorded versions, the oldest first."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    recorded = [name for name in names if os.path.isfile(os.path.join(directory, name, "about.json"))]
    return sorted(recorded, key=_version_key)


def traits_of(recorded: dict[str, Any]) -> Traits:
    """Return the content of a traits.json as objects."""
    classes = {
        name: ConfigClass(
            name=name,
            parents=tuple(described["parents"]),
            traits={trait: _trait(fields) for trait, fields in described["traits"].items()},
            allows_all=described.get("allows_all", False),
        )
        for name, described in recorded["classes"].items()
    }
    return Traits(classes=classes, authenticators=recorded["authenticators"])


def _trait(fields: dict[str, Any]) -> Trait:
    types = fields["type"]
    elements = fields.get("elements")
    return Trait(
        types=tuple(types) if isinstance(types, list) else (types,),
        nullable=fields.get("nullable", False),
        choices=tuple(fields.get("choices", ())),
        elements=_trait(elements) if elements else None,
        secret=fields.get("secret", False),
        rule=fields.get("rule", False),
        alias_of=fields.get("alias_of", ""),
        removed=fields.get("removed", False),
    )


def _read_json(path: str) -> Any:
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def _version_key(version: str) -> tuple[list[int], bool, list[tuple[bool, int | str]]]:
    """Return the sort key of a semantic version: a pre-release comes before its release (semver.org, 11)."""
    release, _dash, before = version.partition("-")
    parts = re.split(r"[.+]", before)
    return (
        [int(number) for number in re.findall(r"\d+", release)],
        not before,
        [(not part.isdigit(), int(part) if part.isdigit() else part) for part in parts],
    )
