# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run hub_jupyterhub_config, the operator's Python, and report its errors without the secrets in it."""

from __future__ import annotations

import re
import sys
import traceback
from pathlib import Path

from traitlets.config import Config

#: Messages of syntax errors that quote nothing of the code.
_PUBLIC_SYNTAX_ERRORS = re.compile(
    r"invalid syntax|unterminated|unexpected indent|unindent|expected an indented|invalid decimal"
)


class ExtraConfigError(Exception):
    """An error of the operator's code, with file, line, and the reason unless that may contain a secret."""


def run(c: Config, path: Path, private_lines: list[int] | None, public_names: list[str]) -> None:
    """Run the file, if it exists, with ``c`` in scope. Raises ExtraConfigError.

    private_lines: numbers of lines that may contain a secret; None for all lines. public_names: names on these lines
    that are not secret. The traceback, without private lines, is written to standard error.
    """
    if not path.exists():
        return
    text = path.read_text(encoding="utf-8")
    scope = {"__name__": "hub_jupyterhub_config", "__file__": str(path), "c": c, "get_config": lambda: c}
    try:
        exec(compile(text, str(path), "exec"), scope)
    except Exception as error:
        lines = text.split("\n")
        private = set(range(1, len(lines) + 1) if private_lines is None else private_lines)
        public = {number: line.strip() for number, line in enumerate(lines, 1) if number not in private}
        # only frames of the operator's code
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        sys.stderr.write(_format(frames, public))
        number = (error.lineno if isinstance(error, SyntaxError) else frames[-1].lineno if frames else 0) or 0
        reason = f"{type(error).__name__}: {error}"
        if private and not _is_public(error, public.get(number, ""), public_names):
            reason = f"{type(error).__name__} (the message may contain a secret and is omitted)"
        raise ExtraConfigError(f"hub_jupyterhub_config ({path}, line {number}): {reason}") from error


def _format(frames: list[traceback.FrameSummary], public: dict[int, str]) -> str:
    """Return a traceback with the text of public lines only."""
    return "".join(
        traceback.format_list(
            traceback.FrameSummary(
                frame.filename, frame.lineno, frame.name, lookup_line=False, line=public.get(frame.lineno or 0, "")
            )
            for frame in frames
        )
    )


def _is_public(error: Exception, line: str, public_names: list[str]) -> bool:
    """Return whether the message of an exception contains no secret. line: its text, "" if that is private."""
    if isinstance(error, SyntaxError):
        return _PUBLIC_SYNTAX_ERRORS.match(error.msg or "") is not None
    # Python itself sets the name; messages of other exceptions may contain any value
    name = error.name if isinstance(error, NameError) else None
    # a secret without its quotes is a name, too
    return bool(name) and (name in public_names or re.search(rf"\b{re.escape(str(name))}\b", line) is not None)
