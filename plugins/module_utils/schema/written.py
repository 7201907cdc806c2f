# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find values that differ from what people see: invisible characters, and what YAML does not read as it is written.

YAML 1.1 (https://yaml.org/type/) reads 0123 as the number 83, 12:30 as 750, 1.10 as 1.1 and 2026-01-02 as a date.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from .model import ReadAs

#: Categories of Unicode whose characters leave no mark: separators, control and format characters.
_INVISIBLE = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
#: The joiners of zero width belong to words of Persian, Hindi and other languages.
_JOINERS = "\u200c\u200d"
#: Control characters have no names in Unicode.
_NAMES = {" ": "space", "\n": "line break", "\r": "carriage return", "\t": "tab"}
#: Numbers that everybody reads as YAML does; not octal and sexagesimal ones.
_PLAIN_NUMBER = re.compile(r"[-+]?((0|[1-9][0-9_]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?|0x[0-9A-Fa-f_]+")


class Misreading(str):
    """The message about a value that YAML may have read as something else than what is written.

    The text is the message where it is not known what is written; :meth:`problem` has the exact one.

    value: what YAML read. is_key: whether it is the key of its place, and not the value.
    wanted: "text", where a number is sound if its text is what is written; "name", where a number never is;
        "number", where a number is sound if it is written as people write numbers.
    """

    value: Any
    wanted: str
    is_key: bool

    def __new__(cls, value: Any, wanted: str = "text", is_key: bool = False) -> Misreading:
        kind = value.kind if isinstance(value, ReadAs) else "number"
        misreading = super().__new__(cls, _message(value, kind))
        misreading.value, misreading.wanted, misreading.is_key = value, wanted, is_key
        return misreading

    @property
    def _kind(self) -> str:
        return self.value.kind if isinstance(self.value, ReadAs) else "number"

    def problem(self, written: str, secret: bool = False) -> str:
        """Return the message, "" if there is no problem.

        written: the characters in the inventory; "" if unknown, which most often is the result of a template.
        secret: whether the message must not show them.
        """
        same = written in ("", str(self.value))
        if self._kind == "number" and self.wanted != "name":
            if same or self.wanted == "number" and _PLAIN_NUMBER.fullmatch(written):
                return ""
        elif same and not secret:
            return str(self)
        if secret:
            return "YAML does not read it as text, but as something else than what is written; put it in quotes"
        what = {"number": f"the number {self.value}", "date": "a date"}.get(self._kind, self._kind)
        remedy = "write the number that is meant" if self.wanted == "number" else "put it in quotes"
        return f"YAML reads {written} as {what}; {remedy}"


def _message(value: Any, kind: str) -> str:
    if kind in ("number", "date"):
        return f"{value} is a {kind}, not text; put it in quotes"
    # Ansible does not tell where such keys are, and so not which word it was.
    return f"YAML reads a key as {kind}, not as text (such as yes, NO, on and ~); put it in quotes"


def invisible_characters(text: str, shown: str) -> str:
    """Return the message about characters of a name that nobody can see, or "".

    shown: the text as messages show it.
    Texts of several lines are documents, such as keys.
    """
    if not text.strip() or "\n" in text.strip():
        return ""
    for character, place in ((text[0], "starts"), (text[-1], "ends")):
        if unicodedata.category(character) in _INVISIBLE:
            return f"{shown} {place} with {_named(character)}; remove it"
    for character in text:
        category = unicodedata.category(character)
        if (category == "Cf" and character not in _JOINERS) or (category == "Zs" and character != " "):
            return f"{shown} contains {_named(character)}, which cannot be seen; remove it"
    return ""


def _named(character: str) -> str:
    name = _NAMES.get(character) or unicodedata.name(character, "control character").lower()
    return f"a {name}"
