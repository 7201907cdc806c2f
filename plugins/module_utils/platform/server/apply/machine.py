# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepare a machine, and start and stop services; for the modules server_machine and server_services."""

from __future__ import annotations

import glob
import os
import shutil
import stat
import time
from collections.abc import Collection
from typing import Any

from ....common import files
from ..backup.schedule import NEVER, Schedule
from ..desired.services import Service
from ..layout import Layout
from ..observe.access import panel_changes
from ..observe.hub import answers, answers_itself
from ..observe.services import failed_services, running
from ..state_directory import claim, release, require_own
from ..supervisor.base import Supervisor, SupervisorError
from ..supervisor.supervisord import Supervisord
from .admin_sudo import end_admin_sudo
from .builder import LOCK_MODE, UV_LOCK
from .hub_processes import end_managed_services, end_servers, has_managed_services, has_servers
from .log_tail import last_lines, log_size

#: Seconds after which a running hub that does not answer is restarted; before, it may still be starting.
STUCK = 15.0

#: Folders of a state directory that other accounts traverse; the first one is created first.
_HOMES = "homes"
_SHARED_FOLDERS = ("tools", "environments", "runtime", _HOMES)
#: Private folders; one with hubs that a restore replaced is never removed.
_OWN_FOLDERS = ("hubs", "caddy", "supervisor", "backup", "restoring")


def prepare_machine(layout: Layout, shared: bool, runtime: dict[str, str], digest: str) -> bool:
    """Create the state directory and write the package hubfleet_runtime into it; return whether anything changed.

    shared: whether other accounts traverse it (they cannot list it).
    """
    if is_prepared(layout, shared, digest):
        return False
    # Other accounts traverse directories above it that are created here, independent of the umask.
    os.umask(0o022)
    root, *others = _folders(layout, shared)
    files.directory(*root)
    claim(layout)
    for path, mode in others:
        files.directory(path, mode)
    write_package(layout.runtime(digest), runtime)
    for path in _writable_locks(layout):
        os.chmod(path, LOCK_MODE)
    return True


def is_prepared(layout: Layout, shared: bool, digest: str) -> bool:
    """Return whether prepare_machine() would change nothing; ForeignDirectoryError if the directory is not ours."""
    require_own(layout)
    exists = all(files.is_directory(path, mode) for path, mode in _folders(layout, shared))
    made = exists and os.path.exists(layout.marker) and os.path.isdir(layout.runtime(digest))
    return made and not _writable_locks(layout)


def _writable_locks(layout: Layout) -> list[str]:
    """Return the locks of environments that others can write, which releases before this one left as uv makes them."""
    found = []
    for folder in ("environments", "tools"):
        for path in glob.glob(os.path.join(glob.escape(layout.root), folder, "*", UV_LOCK)):
            state = os.lstat(path)
            if state.st_uid == os.geteuid() and stat.S_ISREG(state.st_mode) and state.st_mode & 0o022:
                found.append(path)
    return found


def _folders(layout: Layout, shared: bool) -> list[tuple[str, int]]:
    """Return the directories of a prepared machine with their modes, in the order of their creation."""
    mode = 0o711 if shared else 0o700
    passable = [(os.path.join(layout.root, folder), mode) for folder in _SHARED_FOLDERS]
    return [(layout.root, mode), *passable, (layout.hubs, 0o700)]


def write_package(directory: str, package: dict[str, str]) -> bool:
    """Write a package named by its content, atomically; return whether anything changed."""
    if os.path.isdir(directory):
        return False
    temporary = f"{directory}.new"
    shutil.rmtree(temporary, ignore_errors=True)
    for name, text in package.items():
        path = os.path.join(temporary, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        files.write(path, text.encode(), 0o644)
    os.rename(temporary, directory)
    return True


def remove_machine(layout: Layout, supervisor: Supervisor) -> bool:
    """Remove the state directory if it contains no hub; return whether anything changed.

    Files that no deploy made, and homes of hubs that were not removed, are kept, and the directory with them.
    """
    if not is_left(layout):
        return False
    if isinstance(supervisor, Supervisord):
        supervisor.shut_down()
    Schedule(layout, NEVER, (), systemd=False).remove()
    for path in _left(layout):
        shutil.rmtree(path, ignore_errors=True)
    release(layout)
    return True


def is_left(layout: Layout, leaving: Collection[str] = ()) -> bool:
    """Return whether the state directory exists without hubs, so that remove_machine() would remove it.

    leaving: hubs that count as removed.
    """
    require_own(layout)
    hubs = set(os.listdir(layout.hubs)) if os.path.isdir(layout.hubs) else set()
    if hubs - set(leaving) or not os.path.isdir(layout.root):
        return False
    others = set(os.listdir(layout.root)) - {os.path.basename(layout.marker)}
    return bool(_left(layout)) or not others and (os.path.exists(layout.marker) or not os.path.ismount(layout.root))


def _left(layout: Layout) -> list[str]:
    """Return the folders to remove with the last hub."""
    paths = {folder: os.path.join(layout.root, folder) for folder in (*_SHARED_FOLDERS, *_OWN_FOLDERS)}
    there = {folder: path for folder, path in paths.items() if os.path.isdir(path)}
    # Hubs are removed with their homes; what is still there belongs to somebody else.
    return [path for folder, path in there.items() if folder != _HOMES or not os.listdir(path)]


def start_services(
    supervisor: Supervisor, services: list[Service], config: dict[str, Any], timeout: float
) -> list[str]:
    """Start the services that do not run as desired; return the roles of those that were (re)started.

    Raises SupervisorError if a service ends at once or the hub does not answer in time.
    """
    roles = services_to_start(supervisor, services, config)
    sizes = {service.role: log_size(service) for service in services}
    for service in services:
        if service.role in roles and not supervisor.ensure_started(service):
            supervisor.restart(service)
    # A hub that is starting while its proxy restarts does not reach it, and ends.
    may_end_once = "hub" if "proxy" in roles and "hub" not in roles else ""
    _wait_until_up(services, config, timeout, may_end_once, sizes)
    return roles


def services_to_start(supervisor: Supervisor, services: list[Service], config: dict[str, Any]) -> list[str]:
    """Return the roles of the services that :func:`start_services` starts or restarts."""
    roles = [service.role for service in services if _needs_start(supervisor, service)]
    if roles:
        return roles
    if _answers_within(config, STUCK):
        # What it needs may be there by now.
        return ["hub"] if failed_services(services[0].layout) else []
    # All services run as desired, but the hub does not answer: only a restart can help.
    return ["proxy" if answers_itself(config) else "hub"]


def _needs_start(supervisor: Supervisor, service: Service) -> bool:
    """Return whether a service has to be (re)started; the hub makes its database agree with the inventory then."""
    if service.role == "hub" and panel_changes(service.layout).restart:
        return True
    return supervisor.needs_start(service)


def _answers_within(config: dict[str, Any], patience: float) -> bool:
    deadline = time.monotonic() + patience
    while not answers(config):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def _wait_until_up(
    services: list[Service], config: dict[str, Any], timeout: float, may_end_once: str, sizes: dict[str, int]
) -> None:
    """Wait until every service runs, and the hub has finished its start and answers; SupervisorError if one fails.

    A hub answers before its managed services run, and ends if one of these cannot be started; its supervisor starts it
    again and again.

    may_end_once: the role of a service that its supervisor may have to start again, or "". sizes: role -> size of the
    service's log before the start.
    """
    deadline = time.monotonic() + timeout
    pids: dict[str, int] = {}
    while True:
        for service in services:
            state = running(service.layout, service.role)
            pid = state.pid if state.digest == service.digest else 0
            if pid != pids.get(service.role, pid):
                if service.role != may_end_once:
                    raise _failure(f"{service.name} ended while it started", service, sizes)
                may_end_once = ""
                del pids[service.role]
            if pid:
                pids[service.role] = pid
        failed = failed_services(services[0].layout)
        if len(pids) == len(services) and failed is not None and answers(config):
            return _refuse_failed(next(service for service in services if service.role == "hub"), failed, sizes)
        if time.monotonic() > deadline:
            late = next((service for service in services if service.role not in pids), None)
            what = "did not start within" if late else "does not answer after"
            late = late or next(service for service in services if service.role == "hub")
            raise _failure(f"{late.name} {what} {timeout:.0f} s", late, sizes)
        time.sleep(0.1)


def _refuse_failed(hub: Service, failed: dict[str, str], sizes: dict[str, int]) -> None:
    if failed:
        told = ", ".join(f"its service {name} {what}" for name, what in failed.items())
        raise _failure(f"{hub.name}: {told}", hub, sizes)


def _failure(message: str, service: Service, sizes: dict[str, int]) -> SupervisorError:
    """Return an error with what the service logged since its start, or before if that is nothing."""
    lines = last_lines(service, start=sizes[service.role]) or last_lines(service)
    return SupervisorError(f"{message}; its last lines:\n{lines}")


def stop_services(supervisor: Supervisor, services: list[Service], servers: bool) -> list[str]:
    """Stop the services, and managed services that a killed hub left; with ``servers`` also the users' servers.

    Returns the roles of the services that were stopped, ``managed services`` and ``servers`` if any of those ran.
    """
    changed = [service.role for service in reversed(services) if supervisor.ensure_stopped(service)]
    if end_managed_services(services[0].directory):
        changed.append("managed services")
    end_admin_sudo(services[0].directory)
    if not servers:
        return changed
    ended = supervisor.end_user_servers(services[0]) + end_servers(services[0].directory)
    return [*changed, "servers"] if ended else changed


def services_to_stop(supervisor: Supervisor, services: list[Service], servers: bool) -> list[str]:
    """Return what :func:`stop_services` would return; changes nothing."""
    roles = [service.role for service in reversed(services) if supervisor.needs_stop(service)]
    if not roles and has_managed_services(services[0].directory):
        roles.append("managed services")
    if servers and (supervisor.user_servers(services[0]) or has_servers(services[0].directory)):
        roles.append("servers")
    return roles
