# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every environment of users has: JupyterLab and JupyterHub, and the package hubfleet_environment."""

from __future__ import annotations

import json

from ..pins import PYTHON
from ..program import Program
from .model import Build

#: hubfleet_environment/transport.py has the reason for the transport, and keeps it whatever else is configured.
_SERVER_CONFIG = """\
from hubfleet_environment import server

c = get_config()
c.ConnectionFileMixin.transport = "ipc"
server.configure(c)
"""
#: That of ipykernel, but with our module, which adds the user's own packages.
_KERNEL = {
    "argv": ["python", "-m", "hubfleet_environment.kernel", "-f", "{connection_file}"],
    "display_name": "Python 3 (ipykernel)",
    "language": "python",
    "metadata": {"debugger": True},
    "kernel_protocol_version": "5.5",
}
_CONFIG_FILE = "etc/jupyter/jupyter_server_config.py"
#: The oldest version that is known to do what the configuration below says.
_PROXY = "jupyter-server-proxy>=4.4"
_FILES = {
    _CONFIG_FILE: _SERVER_CONFIG,
    "share/jupyter/kernels/python3/kernel.json": json.dumps(_KERNEL, indent=1) + "\n",
}
_MODULES = ("home", "kernel", "server", "start", "terminals", "transport", "user_packages")
#: Imported by every Python of the environment that a user's server starts, but not by one that ignores variables.
_AT_START = (
    'import os, sys; "HUBFLEET_USER_PACKAGES" in os.environ and not sys.flags.ignore_environment'
    ' and __import__("hubfleet_environment.start")\n'
)


def user_build(
    name: str,
    requirements: str,
    lock: str,
    modules: dict[str, str],
    python: str = "",
    tree: str = "",
    kind: str = PYTHON,
    base: str = "",
    program: Program | None = None,
) -> Build:
    """Return the build of an environment that users start in.

    requirements, lock, python, tree, kind, base: as in Build.
    modules: path -> text of the package hubfleet_environment. program: what it is opened with.
    """
    imports = ["jupyterhub", "jupyterlab", "pip", *(f"hubfleet_environment.{module}" for module in _MODULES)]
    return Build(
        name=name,
        kind=kind,
        folder="environments",
        lock=lock,
        requirements=requirements,
        files={**_FILES, _CONFIG_FILE: _SERVER_CONFIG + _proxy_config(program)} if program else _FILES,
        modules={**modules, "hubfleet_environment.pth": _AT_START},
        # ours are compiled by this
        imports=(*imports, "jupyter_server_proxy") if program else tuple(imports),
        link=True,
        python=python,
        tree=tree,
        base=base,
        added=f"{_PROXY}\n" if program else "",
    )


def _proxy_config(program: Program) -> str:
    """Return configuration of Jupyter Server Proxy, with the options of its ``ServerProxy.servers``."""
    server = {
        "command": list(program.command),
        "timeout": program.start_timeout,
        "absolute_url": program.whole_path,
        "unix_socket": program.uses_socket,
        "launcher_entry": {"title": program.title},
    }
    # Beside those of hub_server_settings.
    return f"c.ServerProxy.servers.update({{{program.path!r}: {server!r}}})\n"
