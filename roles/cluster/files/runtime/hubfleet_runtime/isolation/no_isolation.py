# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No isolation: all servers run as the user who runs the hub. For a single person, or for trying out."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from hubfleet_runtime.isolation.base import (
    Isolation,
    IsolationError,
    ServerContext,
    check_runtime_path,
    create_runtime_root,
    private_directory,
    private_home,
)


class NoIsolation(Isolation):
    """A home and a runtime directory per user, nothing else."""

    name = "none"

    def check(self) -> None:
        """Refuse root: users' code must never run as root."""
        if os.geteuid() == 0:
            raise IsolationError("isolation 'none' would run users' code as root; use 'system-users'")
        check_runtime_path(self.hub.runtime_directory)

    def prepare(self, user: str, server: str) -> ServerContext:
        """Create the home and the runtime directory."""
        uid, gid = os.geteuid(), os.getegid()
        home, runtime = self.home(user), self._runtime_directory(user)
        private_home(home, uid, gid)
        create_runtime_root(self.hub.runtime_directory, 0o700)
        private_directory(runtime, uid, gid)
        return ServerContext(self.server_id(user, server), home, account=user, runtime_directory=str(runtime))

    def remove(self, user: str) -> None:
        """Remove the runtime directory as well."""
        super().remove(user)
        shutil.rmtree(self._runtime_directory(user), ignore_errors=True)

    def _runtime_directory(self, user: str) -> Path:
        # short: paths of sockets have at most 107 characters
        key = hashlib.sha256(f"{self.hub.homes}\0{user}".encode()).hexdigest()[:16]
        return self.hub.runtime_directory / key
