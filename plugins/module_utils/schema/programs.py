# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that users' servers open with instead of JupyterLab."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..environments.program import Program, fields_of
from ..redaction.places import holds_credentials
from .model import EncryptedValue
from .option import SERVER

#: What Jupyter Server Proxy replaces in a command (process_args in its handlers.py).
PLACEHOLDERS = ("port", "unix_socket", "base_url")
#: Paths that Jupyter Server, JupyterLab and Jupyter Server Proxy have themselves.
TAKEN = frozenset(
    (
        "api",
        "consoles",
        "custom",
        "doc",
        "edit",
        "files",
        "hub",
        "kernelspecs",
        "lab",
        "login",
        "logout",
        "lsp",
        "metrics",
        "nbclassic",
        "nbconvert",
        "notebooks",
        "proxy",
        "server-proxy",
        "static",
        "terminals",
        "tree",
        "view",
    )
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
    if any(isinstance(word, EncryptedValue) or holds_credentials(word) for word in command):
        return "has a secret in its command, which all users of the environment could read; let the program ask for it"
    try:
        fields = fields_of(command)
    except ValueError:
        return "has a brace in its command that does not fit; write {{ and }} for braces"
    known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
    odd = [name for name, plain in fields if name not in PLACEHOLDERS or not plain]
    if odd:
        return f"has {{{odd[0]}}} in its command; possible: {known}, as they are; write {{{{ and }}}} for braces"
    used = {name for name, _plain in fields}
    if not used & {"port", "unix_socket"}:
        return "has neither {unix_socket} nor {port} in its command, so that nothing can reach the program"
    return "" if len(used & {"port", "unix_socket"}) == 1 else "has {unix_socket} and {port} in its command; remove one"
