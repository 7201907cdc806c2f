# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything of a cluster lies on its machine; see docs/architecture.md, One machine."""

from __future__ import annotations

import os
from dataclasses import dataclass

SERVICES = ("proxy", "hub", "culler")


@dataclass(frozen=True)
class HubLayout:
    """Paths of one hub below ``directory``."""

    directory: str

    def path(self, *parts: str) -> str:
        """Return a path below the hub's directory."""
        return "/".join((self.directory, *parts))

    def config(self, name: str) -> str:
        """Return the path of a configuration file."""
        return self.path("config", name)

    def secret(self, name: str) -> str:
        """Return the path of a generated secret."""
        return self.path("secrets", name)

    @property
    def first_passwords(self) -> str:
        """Passwords of people that the hub generated, until they are changed."""
        return self.path("first-passwords")

    def lock(self, service: str) -> str:
        """Return the lock file of a service."""
        return self.path("run", f"{service}.lock")

    def record(self, service: str) -> str:
        """Return the run record of a service."""
        return self.path("run", f"{service}.json")

    @property
    def checked(self) -> str:
        """Digest of the hub that passed its last check."""
        return self.path("run", "checked")

    def log(self, service: str) -> str:
        """Return the log of a service."""
        return self.path("logs", f"{service}.log")


@dataclass(frozen=True)
class Layout:
    """Paths of a cluster below its state directory ``root``.

    builds: the state directory that tools and environments are taken from, where that is another one.
    """

    root: str
    builds: str = ""

    def tool(self, directory: str) -> str:
        """Return the directory of a tool, named by content."""
        return os.path.join(self.builds or self.root, "tools", directory)

    def environment(self, directory: str) -> str:
        """Return the directory of an environment, named by content."""
        return os.path.join(self.builds or self.root, "environments", directory)

    def runtime(self, digest: str) -> str:
        """Return the directory that holds the package hubfleet_runtime."""
        return os.path.join(self.root, "runtime", digest)

    def homes(self, hub: str) -> str:
        """Return the default directory of the users' homes."""
        return os.path.join(self.root, "homes", hub)

    def hub(self, hub: str) -> HubLayout:
        """Return the paths of a hub."""
        return HubLayout(os.path.join(self.root, "hubs", hub))

    @property
    def marker(self) -> str:
        """The file that marks a state directory as made by a deploy; see state_directory.py."""
        return os.path.join(self.root, ".hubfleet-state")

    @property
    def hubs(self) -> str:
        """Directory of all hubs."""
        return os.path.join(self.root, "hubs")

    @property
    def reverse_proxy(self) -> str:
        """Directory of the reverse proxy."""
        return os.path.join(self.root, "caddy")

    @property
    def backup(self) -> str:
        """Directory of what backups need to remember."""
        return os.path.join(self.root, "backup")

    @property
    def supervisor(self) -> str:
        """Directory of the supervisor."""
        return os.path.join(self.root, "supervisor")
