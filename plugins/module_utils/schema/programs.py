# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that users' servers open with instead of JupyterLab."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

from ..environments.program import Program
from .option import SERVER

#: What Jupyter Server Proxy replaces in a command (its class LauncherEntry, and config.py).
PLACEHOLDERS = ("port", "unix_socket", "base_url")
#: Paths that Jupyter Server, JupyterLab and Jupyter Server Proxy have themselves.
TAKEN = (
    "api",
    "doc",
    "edit",
    "files",
    "hub",
    "lab",
    "login",
    "logout",
    "metrics",
    "nbclassic",
    "proxy",
    "static",
    "tree",
)


def read_program(name: str, entry: dict[str, Any], platform: str, report: Callable[[str], None]) -> Program | None:
    """Return the program of an environment's entry; None if it has none, or one that cannot work.

    name: of the environment. report: takes what is wrong with the program.
    """
    given = entry["interface"]
    if not isinstance(given, dict) or not given["command"]:
        return None
    program = Program(
        command=tuple(given["command"]),
        path=given["path"] or name,
        title=given["title"] or entry["title"] or name,
        start_timeout=given["start_timeout"],
        whole_path=bool(given["whole_path"]),
    )
    wrong = _wrong_command(program.command)
    if program.path in TAKEN:
        wrong = wrong or f"has the path {program.path!r}, which servers have themselves; set another one"
    if not wrong and not program.uses_socket and platform == SERVER and not given["open_port"]:
        wrong = (
            "uses a port, which users of all hubs of the machine could reach without logging in; let the program listen"
            " on {unix_socket}, or set open_port: true"
        )
    if wrong:
        report(wrong)
    return None if wrong else program


def _wrong_command(command: tuple[str, ...]) -> str:
    """Return what is wrong with the words of a command, or ""."""
    used: set[str] = set()
    for word in command:
        try:
            used |= {field for _text, field, _form, _conversion in string.Formatter().parse(word) if field is not None}
        except ValueError:
            return f"has {word!r} in its command, where a brace is missing; write {{{{ and }}}} for braces"
    unknown = sorted(used - set(PLACEHOLDERS))
    if unknown:
        known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
        return f"has {{{unknown[0]}}} in its command; possible: {known}; write {{{{ and }}}} for braces"
    if not used & {"port", "unix_socket"}:
        return "has neither {unix_socket} nor {port} in its command, so that nothing can reach the program"
    return "" if len(used & {"port", "unix_socket"}) == 1 else "has {unix_socket} and {port} in its command; remove one"
