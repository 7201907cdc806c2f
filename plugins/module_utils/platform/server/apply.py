# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change a machine: what the modules server_machine and server_services do."""

from __future__ import annotations

import os
import shutil
import time
from typing import Any

from . import files
from .layout import Layout
from .live import answers
from .services import Service
from .supervisor.base import Supervisor, SupervisorError, last_lines
from .supervisor.supervisord import Supervisord
from .user_servers import end_servers


def prepare_machine(layout: Layout, shared: bool, hubside: dict[str, str], digest: str) -> bool:
    """Make the state directory and write the package hubfleet_hub into it; return whether anything changed.

    shared: other accounts pass through (they cannot list it).
    """
    mode = 0o711 if shared else 0o700
    changed = files.directory(layout.root, mode)
    for folder in ("tools", "environments", "hubside", "homes"):
        changed = files.directory(os.path.join(layout.root, folder), mode) or changed
    changed = files.directory(layout.hubs, 0o700) or changed
    return _write_package(layout.hubside(digest), hubside) or changed


def _write_package(directory: str, package: dict[str, str]) -> bool:
    """Write a package named by its content; it appears whole or not at all."""
    if os.path.isdir(directory):
        return False
    temporary = f"{directory}.new"
    shutil.rmtree(temporary, ignore_errors=True)
    os.umask(0o022)
    for name, text in package.items():
        path = os.path.join(temporary, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        files.write(path, text.encode(), 0o644)
    os.rename(temporary, directory)
    return True


def remove_machine(layout: Layout, keeper: Supervisor) -> bool:
    """Remove the state directory where no hub is left in it; return whether anything changed."""
    left = os.listdir(layout.hubs) if os.path.isdir(layout.hubs) else []
    if left or not os.path.isdir(layout.root):
        return False
    if isinstance(keeper, Supervisord):
        keeper.shut_down()
    shutil.rmtree(layout.root)
    return True


def start_services(keeper: Supervisor, services: list[Service], config: dict[str, Any], timeout: float) -> list[str]:
    """Let the services run as they should; return the roles of those that were (re)started.

    Raises SupervisorError where a service does not start or the hub does not answer in time.
    """
    changed = [service.role for service in services if keeper.ensure_started(service)]
    deadline = time.monotonic() + timeout
    while not answers(config):
        if time.monotonic() > deadline:
            hub = next(service for service in services if service.role == "hub")
            raise SupervisorError(
                f"{hub.name} does not answer after {timeout:.0f} s; its last lines:\n{last_lines(hub)}"
            )
        time.sleep(0.1)
    return changed


def stop_services(keeper: Supervisor, services: list[Service], config: dict[str, Any], servers: bool) -> list[str]:
    """Let none of the services run, with ``servers`` none of the users' servers either.

    Returns the roles of the services that ran, and ``servers`` if any of those did.
    """
    changed = [service.role for service in reversed(services) if keeper.ensure_stopped(service)]
    return [*changed, "servers"] if servers and end_servers(config) else changed
