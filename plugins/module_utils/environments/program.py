# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users' servers open with instead of JupyterLab."""

from __future__ import annotations

import string
from dataclasses import dataclass


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
        return "unix_socket" in fields_of(self.command)


def fields_of(command: tuple[str, ...]) -> set[str]:
    """Return the names in braces of a command. Raises ValueError where a word is no format, as of str.format."""
    parsed = [part for word in command for part in string.Formatter().parse(word)]
    return {field for _text, field, _form, _conversion in parsed if field is not None}
