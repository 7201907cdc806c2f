# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the controller reaches the machine of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import CheckOptions, HubTarget

from ..base import CheckResults
from .check import check_hubs
from .queries import QUERIES

Report = Callable[[str], None]


class MachineAccess(Protocol):
    """A machine, local or remote. Methods raise PlatformError, UnreachableError where the machine does not answer."""

    def query(self, name: str, arguments: dict[str, Any]) -> Any:
        """Return the answer to one of queries.QUERIES; the arguments are JSON-able."""

    def check(
        self, hubs: list[tuple[HubTarget, str]], options: CheckOptions, python: str, report: Report | None
    ) -> CheckResults:
        """Check hubs, given by targets without a token and directories, with an interpreter of the machine."""


class LocalMachine:
    """The machine that this process runs on: nothing has to be encoded."""

    def query(self, name: str, arguments: dict[str, Any]) -> Any:
        """Return the answer to one of queries.QUERIES."""
        return QUERIES[name].answer(**arguments)

    def check(
        self, hubs: list[tuple[HubTarget, str]], options: CheckOptions, python: str, report: Report | None
    ) -> CheckResults:
        """Check hubs in this process."""
        return check_hubs(hubs, options, report)
