# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what is wrong with the operator's Python, and no secret that stands in it."""

from __future__ import annotations

import re
import traceback

#: What Python says of syntax in words of its own only.
_OWN_WORDS = re.compile(r"invalid syntax|unterminated|unexpected indent|unindent|expected an indented|invalid decimal")


class Problem:
    """An exception that the code of a file raised.

    lines: those of the file. private: numbers of the lines that may hold a secret. names: those on such lines that are
    none.
    """

    def __init__(self, error: Exception, path: str, lines: list[str], private: set[int], names: set[str]) -> None:
        self.error, self.lines, self.private, self.names = error, lines, private, names
        # Only the operator's own code: ours would hide it.
        self.own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        last = (error.lineno if isinstance(error, SyntaxError) else self.own[-1].lineno if self.own else 0) or 0
        #: Number of the line that raised it, 0 where nobody knows.
        self.line: int = last

    def frames(self) -> str:
        """The way there, as Python writes it; of lines that may hold a secret, only the number."""
        told = [
            traceback.FrameSummary(
                each.filename, each.lineno, each.name, lookup_line=False, line=self._text(each.lineno)
            )
            for each in self.own
        ]
        return "".join(traceback.format_list(told))

    def reason(self) -> str:
        """The type of the exception, and what it says unless that may hold a secret."""
        name = type(self.error).__name__
        if self._is_public():
            return f"{name}: {self.error}"
        return f"{name} (what it says may hold a secret, and is left out)"

    def _text(self, number: int | None) -> str:
        """A line of the file; nothing of one that may hold a secret."""
        known = number is not None and 0 < number <= len(self.lines) and number not in self.private
        return self.lines[number - 1].strip() if known else ""

    def _is_public(self) -> bool:
        if not self.private:
            return True
        if isinstance(self.error, SyntaxError):
            return _OWN_WORDS.match(self.error.msg or "") is not None
        # Raised by Python itself, it has the name; raised by others, it may say anything.
        name = self.error.name if isinstance(self.error, NameError) else None
        if not name:
            return False
        # A secret without its quotes is a name, too.
        return name in self.names or re.search(rf"\b{re.escape(name)}\b", self._text(self.line)) is not None
