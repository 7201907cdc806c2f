# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for differences that a plan does not report: the elements of ``hub_ignored_drift``.

A rule is ``KIND/NAME`` or ``KIND/NAME:PATH``, such as ``Deployment/hub:spec.replicas``. ``*`` stands for any text and
``?`` for any character; brackets are those of paths. A path includes everything below it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_KIND = re.compile(r"[A-Z*?][A-Za-z0-9*?]*")
_FORM = "KIND/NAME or KIND/NAME:PATH, such as Deployment/hub:spec.replicas"


@dataclass(frozen=True)
class Rule:
    """A rule, as regular expressions. path: matches the beginning of a path; None for whole objects."""

    kind: re.Pattern[str]
    name: re.Pattern[str]
    path: re.Pattern[str] | None

    def matches(self, kind: str, name: str, path: str) -> bool:
        """Return whether the rule is for a path of an object; path: "" for the object itself."""
        if not (self.kind.fullmatch(kind) and self.name.fullmatch(name)):
            return False
        return self.path is None or self.path.match(path) is not None


def check_rule(text: str) -> str:
    """Return what is wrong with a rule, "" if nothing is."""
    kind, slash, rest = text.partition("/")
    name, colon, path = rest.partition(":")
    if not (kind and slash and name) or re.search(r"\s", kind + name):
        return f"is not {_FORM}"
    if not _KIND.fullmatch(kind):
        return f"{kind} is not a kind, which is written as in manifests, such as Deployment"
    if colon and not path.strip():
        return "has no path after the colon"
    if path.startswith(("/", ".", "$")):
        return f"{path} is not a path such as spec.replicas"
    if path.count("[") != path.count("]"):
        return f"{path} has a bracket too many"
    return ""


def parse_rules(texts: Sequence[str]) -> list[Rule]:
    """Return the rules of texts for which :func:`check_rule` returns ""; others match nothing that exists."""
    return [_parse(text) for text in texts]


def is_ignored(rules: Sequence[Rule], kind: str, name: str, path: str) -> bool:
    """Return whether one of the rules is for a path of an object; path: "" for the object itself."""
    return any(rule.matches(kind, name, path) for rule in rules)


def has_paths(rules: Sequence[Rule], kind: str, name: str) -> bool:
    """Return whether one of the rules is for paths of an object."""
    return any(rule.path and rule.kind.fullmatch(kind) and rule.name.fullmatch(name) for rule in rules)


def _parse(text: str) -> Rule:
    kind, _slash, rest = text.partition("/")
    name, colon, path = rest.partition(":")
    # What follows the path in a longer one begins with a dot or a bracket.
    inner = re.compile(f"{_expression(path)}(?:$|(?=[.[]))") if colon else None
    return Rule(re.compile(_expression(kind)), re.compile(_expression(name)), inner)


def _expression(pattern: str) -> str:
    """Return a regular expression for a text with wildcards."""
    return "".join({"*": ".*", "?": "."}.get(character) or re.escape(character) for character in pattern)
