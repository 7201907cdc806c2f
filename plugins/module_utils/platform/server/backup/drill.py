# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore a hub beside itself, to test its backup.

The hub of a drill has a state directory, accounts, ports and services of its own, and uses the tools and environments
of the real hub. Nothing of the real hub changes, and nothing of the drill stays.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import Any

from ..apply.deploy import Homes, start_deploy, write_deploy
from ..apply.hub_files import data_to_remove, remove_data
from ..apply.machine import is_left, prepare_machine, remove_machine, stop_services
from ..desired.services import Service
from ..layout import Layout
from ..state_directory import require_own
from ..supervisor.base import Supervisor
from .program import Program

#: Between the path of the cluster's state directory and the hub's name, in the path of a drill's state directory.
DRILL_INFIX = "-drill-"


@dataclass(frozen=True)
class Drill:
    """A drill. target: where the hub is restored. config, services, generated: of the hub."""

    hub: str
    layout: Layout
    program: Program
    supervisor: Supervisor
    target: dict[str, Any]
    config: dict[str, Any]
    services: list[Service]
    generated: list[str]

    @property
    def homes(self) -> Homes:
        """Return the homes of the drill."""
        return Homes(self.target["homes"], self.target["shared_homes"])

    def start(
        self, settings: dict[str, Any], backup: str, record: dict[str, Any], texts: dict[str, bytes], timeout: float
    ) -> dict[str, Any]:
        """Restore and start the hub; return facts of the backup, and the seconds of each step.

        Raises BackupError, and what a deploy raises. Call :meth:`clear` in any case.
        """
        self.clear()
        started = time.monotonic()
        prepare_machine(self.layout, self.target["shared_homes"], self.program.runtime, self.program.digest)
        request = {**self.target, "settings": settings, "from": backup}
        self.program.run("fetch", **request)
        restored = self.program.run("place", **request)
        fetched = time.monotonic()
        self.supervisor.prepare()
        layout = self.layout.hub(self.hub)
        write_deploy(layout, record, texts, self.generated, self.homes, 2)
        start_deploy(layout, self.supervisor, self.services, self.config, timeout)
        return {
            **{key: restored[key] for key in ("id", "when", "users", "files", "size")},
            "seconds": {"restore": round(fetched - started, 1), "start": round(time.monotonic() - fetched, 1)},
        }

    def clear(self) -> bool:
        """Remove everything of this drill, or of an interrupted one; return whether there was anything."""
        if DRILL_INFIX not in self.layout.root:
            raise ValueError(f"{self.layout.root} is not the state directory of a drill")
        require_own(self.layout)
        anything = self.has_leftovers()
        stop_services(self.supervisor, self.services, servers=True)
        layout, homes = self.layout.hub(self.hub), self.homes.directory
        remove_data(layout, self.hub, homes, own_homes=True, runtime_directory=self.target["runtime_directory"])
        remove_machine(self.layout, self.supervisor)
        shutil.rmtree(self.layout.root, ignore_errors=True)
        return anything

    def has_leftovers(self) -> bool:
        """Return whether :meth:`clear` would remove anything."""
        data = data_to_remove(self.layout.hub(self.hub), self.hub, self.homes.directory, own_homes=True)
        return bool(data) or is_left(self.layout)
