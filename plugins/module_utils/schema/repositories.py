# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about environments that are built from a git repository."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..environments.pins import LOCK_FILE, REPO2DOCKER, Pin, RepositoryKey
from ..redaction.places import holds_credentials
from .model import ValuePath

Report = Callable[[ValuePath, str], None]

PASSWORD_IN_REPOSITORY = (
    f"contains a password, which {LOCK_FILE} would show; let git find it, with a credential helper or an SSH key"
)


COMMAND_IN_CONTAINER = (
    "has a command, which is not added to images that repo2docker builds; let the repository install"
    " jupyter-server-proxy and configure it, and set interface to a path"
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
    if pins and key in pins and pins[key].kind == REPO2DOCKER:
        _check_container(entry, path, on_machine, report)
    return key


def _check_container(entry: dict[str, Any], path: ValuePath, on_machine: bool, report: Report) -> None:
    """Check an environment whose image only repo2docker builds, so that nothing of the collection is in it."""
    if on_machine:
        report(
            (*path, "repository"),
            "needs a container engine, which machines do not build with; the playbook environments says why",
        )
    if isinstance(entry["interface"], dict) and entry["interface"]["command"]:
        report(
            (*path, "interface"),
            COMMAND_IN_CONTAINER,
        )
