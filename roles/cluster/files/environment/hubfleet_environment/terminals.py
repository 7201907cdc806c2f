# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Terminals whose output counts as activity of the server, as that of kernels does."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from jupyter_server_terminals import terminalmanager


class TerminalManager(terminalmanager.TerminalManager):  # type: ignore[misc]
    """Jupyter Server only counts what a browser sends and receives, so that a closed one ends what still works."""

    def pre_pty_read_hook(self, ptywclients: Any) -> None:
        """Note the time of output. Source: ServerWebApplication.last_activity() of Jupyter Server."""
        super().pre_pty_read_hook(ptywclients)
        self.parent.web_app.settings["terminal_last_activity"] = datetime.now(timezone.utc)
