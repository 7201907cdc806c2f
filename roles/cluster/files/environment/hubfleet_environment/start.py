# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run when a Python of a user's server starts, by hubfleet_environment.pth. Standard library only.

Programs of the environment, such as pytest, see the user's packages as well, and pip works on them. It must not raise.
"""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path

from hubfleet_environment import transport, user_packages

_FORBIDDEN = "On this hub, users cannot add or remove packages; ask the hub's administrators for what is missing."
#: With these, pip installs somewhere else.
_ELSEWHERE = ("--target", "-t", "--prefix", "--root", "--python")


def start() -> None:
    """Handle pip, and add the user's packages to all other programs but kernels, which add them later."""
    transport.keep_on_sockets()
    words = sys.orig_argv[1:]
    if _is_pip(words):
        _start_pip(words)
    elif user_packages.in_use() and words[:2] != ["-m", "hubfleet_environment.kernel"]:
        problem = user_packages.add()
        if problem:
            print(f"Your own packages are not used: {problem}", file=sys.stderr)


def _is_pip(words: list[str]) -> bool:
    """Return whether this is ``python -m pip`` or the program pip."""
    for index, word in enumerate(words):
        if word == "-m":
            return words[index + 1 : index + 2] == ["pip"]
        if not word.startswith("-"):
            return Path(word).name.rstrip("0123456789.") == "pip"
    return False


def _start_pip(words: list[str]) -> None:
    given = words[words.index("pip") + 1 :] if "pip" in words else words[1:]
    changes = next((word for word in given if not word.startswith("-")), "") in ("install", "uninstall")
    if not changes or any(word.partition("=")[0] in _ELSEWHERE for word in given):
        return
    own = sys.prefix == str(user_packages.directory())
    if not user_packages.allowed():
        if os.path.realpath(sys.prefix) == str(user_packages.environment()):
            print(_FORBIDDEN, file=sys.stderr, flush=True)
            os._exit(1)  # an exception would not end a Python that is starting
    elif own or user_packages.in_use():
        # this is the user's directory already
        given = [word for word in given if word != "--user"]
        if not own or "--user" in words:
            python = str(user_packages.directory() / "bin" / "python")
            os.execv(python, [python, "-m", "pip", *given])
        if "install" in given and not {"-q", "--quiet"} & set(given):
            atexit.register(print, f"\n{user_packages.note()}", file=sys.stderr)


start()
