# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configurable classes of a hub's packages and their traits, as ``scripts/describe_traits.py`` recorded them."""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..schema.problems import nearest

#: Base class -> the trait of JupyterHub that selects one of its subclasses.
CLASS_TRAITS = {"Authenticator": "authenticator_class", "Spawner": "spawner_class", "Proxy": "proxy_class"}
#: How similar an unknown name must be to be a misspelling, where unknown names may be valid.
_SIMILARITY = 0.8


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
    """The configurable classes of a hub.

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


@functools.cache
def read_traits(path: str) -> Traits:
    """Return the content of a traits.json; shared, so never change it."""
    with open(path, encoding="utf-8") as file:
        return traits_of(json.load(file))


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


# --- What a configuration (class -> trait -> value) may set


def section_of(config: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a section of a configuration; {} if there is none, or something else in its place."""
    settings = config.get(name)
    return settings if isinstance(settings, dict) else {}


def chosen_authenticator(config: dict[str, Any], traits: Traits) -> str | None:
    """Return the name of the authenticator's class; None if it is not known. The chart's default is dummy."""
    if not isinstance(config.get("JupyterHub", {}), dict):
        return None
    value = section_of(config, "JupyterHub").get("authenticator_class", "dummy")
    if not isinstance(value, str):
        return None
    # Entry points are case-insensitive (jupyterhub.traitlets.EntryPointType), dotted paths are not.
    return traits.authenticators.get(value if "." in value else value.lower())


def section_traits(section: str, config: dict[str, Any], traits: Traits) -> tuple[dict[str, Trait], bool]:
    """Return the traits that the section of a known class may have, and whether unknown ones are allowed as well.

    A class reads the sections of all its parents (traitlets' Configurable._load_config): KubeSpawner.image may be in
    the section Spawner. So a section may have the traits of the classes in use that inherit from it.
    """
    subclasses = traits.subclasses(section)
    family = next((root for root in CLASS_TRAITS if root in traits.sections(section)), None)
    unknown_class_in_use = False
    chosen: str | None = None
    if family == "Authenticator":
        chosen = chosen_authenticator(config, traits)
        unknown_class_in_use = chosen is None
    elif family is not None:
        chosen = str(section_of(config, "JupyterHub").get(CLASS_TRAITS[family]) or "").rpartition(".")[2]
        unknown_class_in_use = bool(chosen) and chosen not in traits.classes
    if chosen and chosen in traits.classes:
        subclasses = [heir for heir in subclasses if heir in traits.sections(chosen)]
    allowed: dict[str, Trait] = {}
    for name in (*subclasses, section):
        allowed.update(traits.of(name))
    return allowed, unknown_class_in_use


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the name that an unknown one is a misspelling of, or None."""
    close = difflib.get_close_matches(str(name), list(known), n=1, cutoff=_SIMILARITY)
    return close[0] if close else None


def unknown_class_problem(section: str, traits: Traits, own: Iterable[str]) -> str:
    """Return what is wrong with the section of an unknown class; "" if the class may come with another package.

    own: names of classes that the configuration itself selects or defines.
    """
    if not section[:1].isupper():
        return f"is not a class: class names begin with a capital letter{nearest(section, traits.classes)}"
    known = {name.lower(): name for name in traits.classes}
    if section.lower() in known:
        return f"unknown class; did you mean {known[section.lower()]!r}?"
    # Custom classes are usually named after their base class: CustomGitHubOAuthenticator.
    if section in own or any(map(section.endswith, traits.classes)):
        return ""
    near = nearest_name(section, traits.classes)
    return f"unknown class; did you mean {near!r}?" if near else ""
