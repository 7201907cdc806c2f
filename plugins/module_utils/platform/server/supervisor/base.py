# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps services running, behind one interface."""

from __future__ import annotations

import subprocess
import xmlrpc.client
from abc import ABC, abstractmethod

from ....common.errors import HubfleetError
from ..desired.services import Service
from ..observe.services import end, running

#: What changing a machine may raise: the engine's own errors, and those of the system and of supervisord.
MACHINE_ERRORS = (HubfleetError, OSError, subprocess.SubprocessError, xmlrpc.client.Error)


class SupervisorError(HubfleetError):
    """A service or the supervisor itself did not come up; the message says which, with its last lines."""


class Supervisor(ABC):
    """A supervisor on this machine. Every method may be called again without harm."""

    @abstractmethod
    def prepare(self) -> bool:
        """Make sure the supervisor itself runs; return whether anything changed."""

    @abstractmethod
    def alive(self) -> bool:
        """Tell whether the supervisor itself runs."""

    @abstractmethod
    def install(self, service: Service) -> bool:
        """Write the service's definition; return whether it changed."""

    @abstractmethod
    def start(self, service: Service) -> None:
        """Start the service from its present definition, now and at every boot."""

    @abstractmethod
    def stop(self, service: Service) -> None:
        """Stop the service if the supervisor runs it; its definition stays."""

    @abstractmethod
    def forget(self, service: Service) -> bool:
        """Remove the definition of a stopped service; return whether it was there."""

    @abstractmethod
    def pid(self, service: Service) -> int:
        """Return the pid that the supervisor runs as the service, or 0."""

    def end_servers(self, service: Service) -> int:
        """End the users' servers of the service's hub that the supervisor itself runs; return how many."""
        return 0

    def ensure_started(self, service: Service) -> bool:
        """Let exactly this service run; return whether anything changed.

        A process that outlived its supervisor is ended first: it could not be supervised again.
        """
        changed = self.install(service)
        state = running(service.layout, service.role)
        if not changed and state.digest == service.digest and self.pid(service) == state.pid:
            return False
        self.restart(service)
        return True

    def restart(self, service: Service) -> None:
        """End whatever runs as the service, and start it from its present definition."""
        self.stop(service)
        end(service.layout, service.role)
        self.start(service)

    def ensure_stopped(self, service: Service) -> bool:
        """Let the service not run, now or at boot; return whether anything changed."""
        self.stop(service)
        ended = end(service.layout, service.role)
        return self.forget(service) or ended
