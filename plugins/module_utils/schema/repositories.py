# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about environments that are built from a git repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..environments.pins import LOCK_FILE, REPO2DOCKER, Pin, RepositoryKey
from ..redaction.places import holds_credentials
from .model import ValuePath

Report = Callable[[ValuePath, str], None]

PASSWORD_IN_REPOSITORY = (
    f"contains a password, which {LOCK_FILE} would show; let git find it, with a credential helper or an SSH key"
)


def is_repository(path: ValuePath) -> bool:
    """Tell whether a place in the inventory is the repository of an environment."""
    return path[0] in ("hub_environment_catalogue", "hub_environments") and path[-1] == "repository"


def check_repository(
    entry: dict[str, Any], path: ValuePath, pins: dict[RepositoryKey, Pin] | None, on_machine: bool, report: Report
) -> RepositoryKey | None:
    """Check the repository of an environment entry; return what the entry says of it, None if it has none.

    pins: by their keys; None where it does not matter, so that none is missing. on_machine: the hub is on a machine.
    """
    repository = entry["repository"]
    if not repository:
        for option in ("ref", "subdirectory"):
            if entry[option]:
                report((*path, option), "is set without repository")
        return None
    for option in ("packages", "requirements"):
        if entry[option]:
            report((*path, "repository"), f"is set together with {option}; remove one of them")
    if holds_credentials(repository):
        report((*path, "repository"), PASSWORD_IN_REPOSITORY)
        return None
    key = (repository, entry["ref"] or "", entry["subdirectory"] or "")
    if pins is not None and key not in pins:
        report(
            (*path, "repository"),
            f"has no commit in {LOCK_FILE} yet; run the playbook environments, and commit the file",
        )
    if pins and key in pins:
        interface = entry["interface"]
        has_command = isinstance(interface, dict) and bool(interface["command"])
        for option, message in container_problems(pins[key], on_machine, has_command):
            report((*path, option), message)
    return key


def container_problems(pin: Pin, on_machine: bool, has_command: bool) -> Iterator[tuple[str, str]]:
    """Yield what does not fit to a repository that only repo2docker builds: options of its environment, and messages.

    on_machine: the hub is on a machine. has_command: the environment's interface is a command.
    """
    if pin.kind == REPO2DOCKER and on_machine:
        yield (
            "repository",
            f"has {pin.short_commit} pinned, which needs a container engine; a machine cannot build that",
        )
    elif pin.kind == REPO2DOCKER and has_command:
        yield (
            "interface",
            "has a command, which is not added to images that repo2docker builds; let the repository install"
            " jupyter-server-proxy and configure it, and set interface to a path",
        )
