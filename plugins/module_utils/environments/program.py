# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users' servers open with instead of JupyterLab."""

from __future__ import annotations

import string
from dataclasses import dataclass

#: Seconds that a program may take to start.
LONGEST_START = 600


@dataclass(frozen=True)
class Program:
    """A program with pages of its own, which users' servers open with; fields as in the schema's INTERFACE."""

    command: tuple[str, ...]
    path: str
    title: str
    start_timeout: int
    whole_path: bool = False

    @property
    def uses_socket(self) -> bool:
        """Whether it listens on a Unix socket, and not on a port."""
        return "unix_socket" in {name for name, _plain in fields_of(self.command)}


def fields_of(command: tuple[str, ...]) -> list[tuple[str, bool]]:
    """Return the names in braces of a command, each with whether it has neither a format nor a conversion.

    Raises ValueError where a word is no format, as of str.format.
    """
    parsed = [part for word in command for part in string.Formatter().parse(word)]
    return [(field, not (form or conversion)) for _text, field, form, conversion in parsed if field is not None]
