# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mask the secrets of a hub in nested values, in lines of text, and in what was before a change."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from ..common.nested import map_leaves
from .mask import MASK, SHORT, is_secret_text, mask_inside
from .places import CHART_SECRETS, ENVIRONMENTS, holds_credentials, may_hold_secret, variable_of

Path = tuple[Any, ...]


class Redactor:
    """Masks what is secret by its place, by the schema, and by what the inventory keeps encrypted."""

    def __init__(
        self, keys: Collection[str] = CHART_SECRETS, secret_texts: Callable[[], Collection[str]] = frozenset
    ) -> None:
        """Take the names of keys that hold secrets, and a function that returns the secret texts; it is called late."""
        self._keys = keys
        self._secret_texts = secret_texts

    def mask(self, value: Any, path: Path = ("",)) -> Any:
        """Return a value with a mask for everything in it that is, or may be, a secret; path: where it stands."""
        return self._mask(value, path, self._secret_texts())

    def mask_lines(self, text: str) -> str:
        """Return a text with a mask for each line that holds a secret text, or an address with a password."""
        secrets = self._secret_texts()
        return "\n".join(
            MASK if is_secret_text(line.strip(), secrets) or holds_credentials(line) else line
            for line in text.split("\n")
        )

    def mask_text(self, text: str) -> str:
        """Return a message with a mask for each secret text in it; for short ones, where they stand in quotes."""
        return mask_inside(text, (each if len(each) > SHORT else repr(each) for each in self._secret_texts()))

    def mask_change(self, before: Any, after: Any) -> tuple[Any, Any]:
        """Return both sides of a change, masked.

        What was a secret before a change is known only by what is one after it. So earlier values are masked as well
        where their place holds a secret now, where their place is gone, and where an environment variable changed.
        """
        now = self.mask(after)
        return _mask_earlier(self.mask(before), [now], in_environment=False), now

    def _mask(self, value: Any, path: Path, secrets: Collection[str]) -> Any:
        if isinstance(value, dict):
            return {
                MASK if is_secret_text(key, secrets) else key: self._mask(item, (*path, key), secrets)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self._mask(item, _entry_path(item, path), secrets) for item in value]
        if value in (None, ""):
            return value
        return MASK if may_hold_secret(value, path, self._keys) or is_secret_text(value, secrets) else value


def _entry_path(entry: Any, path: Path) -> Path:
    """Return the place of a list's entry: the list's own, or that of the variable which the entry describes."""
    variable = variable_of(entry, path)
    return path if variable is None else (*path, variable)


def _mask_earlier(value: Any, places: list[Any], in_environment: bool) -> Any:
    """Mask an earlier value; places: what may be its place now, more than one inside of lists, whose entries move."""
    if MASK in places:
        return _mask_all(value)
    if isinstance(value, dict):
        around = [place for place in places if isinstance(place, dict)]
        return {
            key: _mask_earlier(
                item, [place[key] for place in around if key in place], in_environment or key in ENVIRONMENTS
            )
            for key, item in value.items()
        }
    if isinstance(value, list):
        entries = [entry for place in places if isinstance(place, list) for entry in place]
        return [item if item in entries else _mask_earlier(item, entries, in_environment) for item in value]
    scalars = [place for place in places if place not in (None, "") and not isinstance(place, (dict, list))]
    return value if value in scalars or (scalars and not in_environment) else _mask_all(value)


def _mask_all(value: Any) -> Any:
    return map_leaves(value, lambda leaf: leaf if _is_blank(leaf) else MASK)


def _is_blank(value: Any) -> bool:
    """Return whether a value tells nothing: true and false, null, and empty text."""
    return value is None or isinstance(value, bool) or value == ""
