# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface of supervisors, which keep services running."""

from __future__ import annotations

import subprocess
import xmlrpc.client
from abc import ABC, abstractmethod

from ....common.errors import HubfleetError
from ..desired.services import Service
from ..observe.services import end, running

#: Errors of changing a machine: the engine's own, and those of the system and of supervisord.
MACHINE_ERRORS = (HubfleetError, OSError, subprocess.SubprocessError, xmlrpc.client.Error)


class SupervisorError(HubfleetError):
    """A service or the supervisor itself did not start; the message ends with the last lines of its log."""


class Supervisor(ABC):
    """A supervisor on this machine. Every method is idempotent."""

    @abstractmethod
    def prepare(self) -> bool:
        """Start the supervisor itself if it does not run; return whether anything changed."""

    @abstractmethod
    def alive(self) -> bool:
        """Return whether the supervisor itself runs."""

    @abstractmethod
    def is_installed(self, service: Service) -> bool:
        """Return whether the service's definition is the one that :meth:`install` writes."""

    @abstractmethod
    def is_defined(self, service: Service) -> bool:
        """Return whether the service has any definition."""

    @abstractmethod
    def install(self, service: Service) -> None:
        """Write the service's definition."""

    @abstractmethod
    def start(self, service: Service) -> None:
        """Start the service from its current definition, now and at every boot."""

    @abstractmethod
    def stop(self, service: Service) -> None:
        """Stop the service if the supervisor runs it; keep its definition."""

    @abstractmethod
    def forget(self, service: Service) -> None:
        """Remove the definition of a stopped service."""

    @abstractmethod
    def pid(self, service: Service) -> int:
        """Return the pid that the supervisor runs as the service, or 0."""

    def user_servers(self, service: Service) -> list[str]:
        """Return the names of users' servers of the service's hub that the supervisor itself runs."""
        return []

    def end_user_servers(self, service: Service) -> int:
        """Stop what :meth:`user_servers` returns; return how many there were."""
        return 0

    def needs_start(self, service: Service) -> bool:
        """Return whether :meth:`ensure_started` would change anything."""
        if not self.is_installed(service):
            return True
        state = running(service.layout, service.role)
        return state.digest != service.digest or self.pid(service) != state.pid

    def ensure_started(self, service: Service) -> bool:
        """Run exactly this service; return whether anything changed.

        A process that outlived its supervisor is killed first, since it cannot be supervised again.
        """
        if not self.needs_start(service):
            return False
        self.install(service)
        self.restart(service)
        return True

    def restart(self, service: Service) -> None:
        """Kill whatever runs as the service, and start it from its current definition."""
        self.stop(service)
        end(service.layout, service.role)
        self.start(service)

    def needs_stop(self, service: Service) -> bool:
        """Return whether :meth:`ensure_stopped` would change anything."""
        return self.is_defined(service) or bool(running(service.layout, service.role).pid)

    def ensure_stopped(self, service: Service) -> bool:
        """Stop the service now and at boot; return whether anything changed."""
        if not self.needs_stop(service):
            return False
        self.stop(service)
        end(service.layout, service.role)
        self.forget(service)
        return True
