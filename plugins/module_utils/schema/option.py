# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options: the terms in which the schema is written.

Every hub_* and cluster_* variable is one :class:`Option`. Validation, the argument specs of the
roles and the option reference are made from them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

#: Kinds of values -> their descriptions in messages and in the reference.
KINDS = {
    "str": "text",
    "name": "text that is not empty",
    "user": "the name of a user",
    "int": "a whole number",
    "number": "a number",
    "bool": "true or false",
    "list": "a list",
    "dict": "a mapping",
    "memory": "an amount of memory such as 512M or 2G",
    "duration": "a duration such as 30m or 2h, or 'never'",
    "port": "a port number from 1 to 65535",
    "address": "an IP address",
    "domain": "a domain name such as hub.example.org",
    "url": "a URL such as https://hub.example.org/",
    "machine_path": "an absolute path on the machine",
    "inventory_path": "a path, absolute or relative to the inventory directory",
    "python": "Python code",
    "interface": "lab, notebook, a path that starts with '/', or a mapping",
    "image": "a container image with its tag, such as quay.io/jupyter/scipy-notebook:2025-11-10",
    "quantity": "a Kubernetes quantity such as 10Gi or 500M",
    "values": "Helm values",
}

SERVER, KUBERNETES = "server", "kubernetes"
PLATFORMS = (SERVER, KUBERNETES)


@dataclass(frozen=True)
class Option:
    """One variable, or one key of a variable.

    name: the variable (``hub_port``) or key (``memory``).
    kind: a key of KINDS.
    text: the description for the reference, one sentence per item; the first one is also the summary in messages.
    default: the value when unset; None if there is none.
    refused: values that people may expect among the choices, each with why it is none of them.
    elements: for lists, the option of each element; for mappings with free keys, that of each value.
    options: for mappings with fixed keys, the keys.
    by_name: for lists, the catalogue variable whose entries can be named instead of an element.
    minimum, maximum: limits, in the parsed unit (bytes, seconds).
    pattern, pattern_text: a regular expression for text, and its description; or only a description of the limits.
    placeholders: for text that is formatted for each session, the names that may be in braces.
    home: whether a path on the machine may start with ``~/``.
    prose: whether it is text for people, or of another program, that may start and end with white space.
    secret: whether it must not be in plain text in the inventory.
    example: YAML of a typical value, for the reference.
    platforms: the platforms that the option is for; empty for all.
    required_on: platforms that require it, if not all do.
    """

    name: str
    kind: str
    text: tuple[str, ...]
    default: Any = None
    required: bool = False
    choices: tuple[Any, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    elements: Option | None = None
    options: tuple[Option, ...] = ()
    by_name: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    pattern_text: str = ""
    placeholders: tuple[str, ...] = ()
    home: bool = False
    prose: bool = False
    secret: bool = False
    example: str = ""
    platforms: tuple[str, ...] = ()
    required_on: tuple[str, ...] = ()

    def applies_to(self, platform: str) -> bool:
        """Return whether the option is for a platform."""
        return not self.platforms or platform in self.platforms

    def needed_on(self, platform: str) -> bool:
        """Return whether a platform requires the option."""
        return platform in self.required_on or (self.required and self.applies_to(platform))

    @property
    def summary(self) -> str:
        """The first sentence without markup and full stop, for parentheses."""
        text = re.sub(r"\b[OVC]\(([^)]*)\)", r"\1", self.text[0]).rstrip(".")
        return text[0].lower() + text[1:]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.name}: unknown kind {self.kind!r}")


def kubernetes_option(name: str, kind: str, *text: str, **more: Any) -> Option:
    """Return an option that is for Kubernetes only."""
    return Option(name, kind, text, platforms=(KUBERNETES,), **more)


def element(kind: str, **limits: Any) -> Option:
    """Return the option, without a name, of the elements of a list or mapping."""
    return Option(name="", kind=kind, text=(), **limits)


def names(pattern: str | None = None, pattern_text: str = "") -> Option:
    """Return the option of the elements of a list of names (groups, scopes, domains)."""
    return element("name", pattern=pattern, pattern_text=pattern_text)


def users() -> Option:
    """Return the option of the elements of a list of names of users."""
    return element("user")
