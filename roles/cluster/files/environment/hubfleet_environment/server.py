# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configure users' servers; called by etc/jupyter/jupyter_server_config.py of every environment.

What is set in os.environ here is for what the server starts: kernels, terminals, language servers. The server itself
started without it, so that the user's packages cannot break it.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from traitlets.config import Config

from hubfleet_environment import home, user_packages

_SHELL = Path(__file__).with_name("shell")


def configure(c: Any) -> None:
    """Set up the home, terminals, and the programs and packages of kernels; then apply the operator's settings."""
    _set_up_home()
    software = user_packages.environment()
    programs = [f"{software}/bin"]
    if user_packages.allowed():
        layer = _use_packages()
        if layer:
            programs.insert(0, f"{layer}/bin")
            c.LabServerApp.extra_labextensions_path = _lab_extensions(layer)
    rest = [path for path in os.environ.get("PATH", os.defpath).split(":") if path not in programs]
    os.environ["HUBFLEET_PATH"] = ":".join(programs)
    os.environ["PATH"] = ":".join([*programs, *rest])
    # for programs that look beside their Python, which may be that of the user's packages
    os.environ.setdefault("JUPYTER_PATH", f"{software}/share/jupyter")
    _set_up_shells(c)
    # JupyterLab otherwise asks every user whether it may fetch news
    c.LabApp.news_url = None
    # hub_server_settings; kernels and terminals need not see them
    c.merge(Config(json.loads(os.environ.pop("HUBFLEET_SERVER_SETTINGS", "{}"))))


def _set_up_home() -> None:
    """Show shared directories and files of the hub in the home; problems are in the server's log."""
    try:
        problems = home.set_up(Path.home())
    except (OSError, ValueError, KeyError, TypeError) as error:
        problems = [f"shared directories and files are not shown: {error}"]
    for problem in problems:
        print(f"hubfleet: {problem}", file=sys.stderr, flush=True)


def _use_packages() -> Path | None:
    """Select the user's packages; return their directory, None if it cannot be used."""
    fresh = not user_packages.directory().exists()
    try:
        layer = user_packages.prepare()
    except OSError as error:
        problem = f"Your own packages are not used, and none can be installed: {error}"
        print(f"hubfleet: {problem}", file=sys.stderr, flush=True)
        os.environ[user_packages.NOTICE_VARIABLE] = problem
        return None
    if fresh and user_packages.earlier():
        os.environ[user_packages.NOTICE_VARIABLE] = (
            "This environment was updated, and the packages that you had installed are not part of the new one. "
            f"To install them again, run '{user_packages.COMMAND} reinstall' in a terminal."
        )
    os.environ["VIRTUAL_ENV"] = str(layer)
    return layer


def _lab_extensions(layer: Path) -> list[str]:
    """Return where JupyterLab finds extensions among the user's packages; nowhere if one of them is damaged."""
    folder = layer / "share" / "jupyter" / "labextensions"
    try:
        for package in (*folder.glob("*/package.json"), *folder.glob("@*/*/package.json")):
            described = json.loads(package.read_text(encoding="utf-8"))
            if not {"name", "version", "jupyterlab"} <= described.keys():
                return []
    except (OSError, ValueError, AttributeError):
        return []
    return [str(folder)]


def _set_up_shells(c: Any) -> None:
    """Let shells find the programs, although login shells reset PATH (/etc/profile)."""
    c.TerminalsExtensionApp.terminal_manager_class = f"{__package__}.terminals.TerminalManager"
    bash = shutil.which("bash")
    if bash:
        c.ServerApp.terminado_settings = {"shell_command": [bash, "--rcfile", str(_SHELL / "bashrc"), "-i"]}
    path = str(_SHELL / "path.sh")
    os.environ["HUBFLEET_SHELL"] = path
    # bash reads it if it is not interactive, as in scripts
    os.environ.setdefault("BASH_ENV", path)
    # there is no such file for interactive login shells, which tmux starts
    before = os.environ.get("PROMPT_COMMAND")
    os.environ["PROMPT_COMMAND"] = '. "$HUBFLEET_SHELL"' + (f"; {before}" if before else "")
