# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rest of the engine may ask of a platform.

A platform answers three questions about hubs: what they should be (``desired``), what they are
(``live``, one read for all hubs of a cluster) and what differs (``change``); and it lists the hubs
that are there (``present``). Applying a change
is the work of roles/hub/tasks/<platform>.yml.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from ..common.errors import HubfleetError
from ..fleet.changes import Change
from ..schema.model import Hub


class PlatformError(HubfleetError):
    """A cluster cannot hold its hubs; the message is for the operator, one sentence."""


class UnreachableError(PlatformError):
    """A cluster does not answer, or lets us do nothing; others are not concerned."""


class Platform(ABC):
    """One cluster on its platform."""

    @abstractmethod
    def desired(self, hub: Hub) -> Any:
        """Return what the hub should be: a pure function of the inventory and the cluster's facts."""

    @abstractmethod
    def live(self, hubs: list[Hub]) -> dict[str, Any]:
        """Return what the hubs are, by name, in one read; raises PlatformError."""

    @abstractmethod
    def change(self, hub: Hub, desired: Any, live: Any) -> Change:
        """Compare; secrets never reach the result."""

    @abstractmethod
    def present(self) -> list[str]:
        """Return the names of all hubs that are there, whether or not the inventory knows them."""

    @abstractmethod
    def identity(self) -> str:
        """Return what tells the cluster from all others, "" where nothing does."""

    @abstractmethod
    def lock(self, pid: int, who: str, when: str) -> bool:
        """Let the process ``pid`` be the only one that changes the cluster; return whether a stale lock was in the way.

        Raises PlatformError while another one changes it.
        """

    @abstractmethod
    def unlock(self, pid: int) -> bool:
        """Give the lock back if ``pid`` holds it; return whether it did."""
