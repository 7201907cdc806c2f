# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs and package indexes that builds use."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..conda import CondaEnvironment


@dataclass
class Tools:
    """Programs and package indexes that builds use.

    uv: path of uv. npm: command line of npm. index, registry: addresses, or None for those that the machine configures.
    archive: the files of the build's repository (tar).
    account: who the code of a repository runs as; None for the account of the deploy.
    conda: what the environment.yml of a repository asks for. rattler: the directory of what installs it.
    channel_alias: the URL that its channels are relative to. repo2docker: the virtual environment that has it.
    root: the directory of the system that the environment is made for, "" for that of the machine; path: its PATH.
    base: what that is called in messages.
    cache: the directory of uv's cache for the packages of every environment; "" if builds do not share it.
    """

    uv: str
    npm: list[str] = field(default_factory=list)
    index: str | None = None
    registry: str | None = None
    archive: str = ""
    account: str | None = None
    conda: CondaEnvironment | None = None
    rattler: str = ""
    channel_alias: str = ""
    repo2docker: str = ""
    root: str = ""
    path: str = ""
    base: str = ""
    cache: str = ""
