# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No isolation: all servers run as the user who runs the hub. For one person, or for trying out."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from hubfleet_runtime.isolation.base import (
    Isolation,
    IsolationError,
    Place,
    check_runtime,
    private_directory,
    private_home,
    runtime_root,
)


class Shared(Isolation):
    """Only a home and a runtime directory per user."""

    name = "none"

    def check(self) -> None:
        """IsolationError as root: users' code must never run as root."""
        if os.geteuid() == 0:
            raise IsolationError("isolation 'none' would run users' code as root; use 'system-users'")
        check_runtime(self.where.runtime_directory)

    def prepare(self, user: str, server: str) -> Place:
        """Makes the home and the runtime directory."""
        uid, gid = os.geteuid(), os.getegid()
        home = self.home(user)
        private_home(home, uid, gid)
        runtime_root(self.where.runtime_directory, 0o700)
        private_directory(self._runtime(user), uid, gid)
        return Place(key=self.key(user, server), home=home, account=user, runtime_directory=str(self._runtime(user)))

    def remove(self, user: str) -> None:
        """Also removes the runtime directory."""
        super().remove(user)
        shutil.rmtree(self._runtime(user), ignore_errors=True)

    def _runtime(self, user: str) -> Path:
        # short: paths of sockets have at most 107 characters
        key = hashlib.sha256(f"{self.where.homes}\0{user}".encode()).hexdigest()[:16]
        return self.where.runtime_directory / key
