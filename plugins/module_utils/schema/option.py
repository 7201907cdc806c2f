# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an option is: the vocabulary in which the schema is written.

Every hub_* and cluster_* variable is one :class:`Option`. From these come validation, the
argument specs of the roles and the option reference, so each fact is written once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

#: Kinds of values, and how each is said to a person.
KINDS = {
    "str": "text",
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
    "image": "a container image with its tag, such as quay.io/jupyter/scipy-notebook:2025-11-10",
    "quantity": "a Kubernetes quantity such as 10Gi or 500M",
    "values": "Helm values",
}

SERVER, KUBERNETES = "server", "kubernetes"
PLATFORMS = (SERVER, KUBERNETES)


@dataclass(frozen=True)
class Option:
    """One variable, or one key inside a variable.

    name: the variable (``hub_port``) or key (``memory``).
    kind: a key of KINDS.
    text: sentences for the reference; the first one stands alone as a summary.
    default: the value when unset; None means unset stays unset.
    elements: for lists, what each element is; for mappings with free keys, what each value is.
    options: for mappings with fixed keys, the keys.
    by_name: for lists, elements may also be the name of an entry of this catalogue variable.
    minimum, maximum: limits, in the parsed unit (bytes, seconds).
    pattern, pattern_text: a regular expression for text, and how to say it; or only how to say what the limits are.
    home: for paths on the machine, may start with ``~/``.
    secret: must not stand in plain text in the inventory.
    example: YAML of a typical value, for the reference.
    platforms: where the option means something; empty for everywhere.
    required_on: platforms that cannot do without it, for options that others can.
    """

    name: str
    kind: str
    text: tuple[str, ...]
    default: Any = None
    required: bool = False
    choices: tuple[Any, ...] = ()
    elements: Option | None = None
    options: tuple[Option, ...] = ()
    by_name: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    pattern_text: str = ""
    home: bool = False
    secret: bool = False
    example: str = ""
    platforms: tuple[str, ...] = ()
    required_on: tuple[str, ...] = ()

    def applies_to(self, platform: str) -> bool:
        """Tell whether the option means something on a platform."""
        return not self.platforms or platform in self.platforms

    def needed_on(self, platform: str) -> bool:
        """Tell whether a platform cannot do without the option."""
        return platform in self.required_on or (self.required and self.applies_to(platform))

    @property
    def summary(self) -> str:
        """The first sentence as it goes into brackets: without markup and full stop."""
        text = re.sub(r"\b[OVC]\(([^)]*)\)", r"\1", self.text[0]).rstrip(".")
        return text[0].lower() + text[1:]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.name}: unknown kind {self.kind!r}")


def kubernetes_option(name: str, kind: str, *text: str, **more: Any) -> Option:
    """Return an option that means something on Kubernetes only."""
    return Option(name, kind, text, platforms=(KUBERNETES,), **more)


def element(kind: str, **limits: Any) -> Option:
    """Return the nameless option that describes the elements of a list or mapping."""
    return Option(name="", kind=kind, text=(), **limits)


def names(pattern: str = r"\S(.*\S)?", pattern_text: str = "text that is not empty") -> Option:
    """Return the element option for lists of names (users, groups, domains)."""
    return element("str", pattern=pattern, pattern_text=pattern_text)
