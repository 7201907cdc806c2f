# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Select the environments and sizes that a check starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.check.targets import Choice

from ...schema.model import Environment, Hub, Size
from ..traits import interface_path
from .shared_changes import checked_directories

Entry = TypeVar("Entry", Environment, Size)


def check_choices(hub: Hub, every: bool) -> tuple[list[Choice], list[str]]:
    """Return what a check starts: every environment in every size, or the first ones; and what it cannot start.

    Environments of repositories, and those that open with a program, are among the first ones.
    The temporary user of a check is in no group, so that it starts nothing that has allowed_groups.
    """
    environments, sizes = _for_all(hub.environments), _for_all(hub.sizes)
    choices = [
        Choice(
            environment=environment.name,
            size=size.name,
            options={"profile": environment.name, "size": size.name},
            code=environment.check_code,
            expect=environment.check_output,
            terminal_command="pip --version",
            shared_directories=checked_directories(hub),
            interface=interface_path(environment.interface or hub["hub_interface"]),
            interface_start=environment.program.start_timeout if environment.program else 0,
        )
        for environment in (environments if every else _first(environments))
        for size in (sizes if every else sizes[:1])
    ]
    restricted = [f"environment {each.name}" for each in hub.environments if each.allowed_groups is not None]
    restricted += [f"size {each.name}" for each in hub.sizes if each.allowed_groups is not None]
    if not choices:
        which = " or ".join(what for what, some in (("environment", environments), ("size", sizes)) if not some)
        return [], [f"no server was started: every {which} is for members of groups (allowed_groups) only"]
    if every and restricted:
        return choices, [f"not started, since only members of groups may (allowed_groups): {', '.join(restricted)}"]
    return choices, []


def _first(environments: list[Environment]) -> list[Environment]:
    return [each for place, each in enumerate(environments) if place == 0 or each.in_every_check]


def _for_all(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.allowed_groups is None]
