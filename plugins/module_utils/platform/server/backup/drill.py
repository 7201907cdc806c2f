# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a hub back beside itself, to see whether its backup is good for anything.

The hub of a drill has a state directory, accounts, ports and services of its own; it takes tools and environments from
where the real one has them. Nothing of the real hub is touched, and nothing of the drill stays.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import Any

from ..apply.deploy import Homes, start_deploy, write_deploy
from ..apply.hub_files import remove_data
from ..apply.machine import prepare_machine, remove_machine, stop_services
from ..desired.services import Service
from ..layout import Layout
from ..supervisor.base import Supervisor
from .program import Program

#: What the state directory of a drill has behind the name of the cluster's; the hub's name follows.
MARK = "-drill-"


@dataclass(frozen=True)
class Drill:
    """A drill. target: where the program restores to. config, services, generated: of the hub that is started."""

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
        """Where the homes are."""
        return Homes(self.target["homes"], self.target["shared_homes"])

    def start(
        self, settings: dict[str, Any], backup: str, record: dict[str, Any], texts: dict[str, bytes], timeout: float
    ) -> dict[str, Any]:
        """Restore and start the hub; return what the program says of the backup, and how many seconds each took.

        Raises BackupError and what a deploy raises; :meth:`clear` is to be called in any case.
        """
        self.clear()
        started = time.monotonic()
        prepare_machine(self.layout, self.target["shared_homes"], self.program.runtime, self.program.digest)
        request = {**self.target, "settings": settings, "from": backup}
        self.program.ask("fetch", **request)
        restored = self.program.ask("place", **request)
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
        """Remove everything of this drill, or of one that was interrupted; return whether there was anything."""
        if MARK not in self.layout.root:
            raise ValueError(f"{self.layout.root} is not the place of a drill")
        stop_services(self.supervisor, self.services, servers=True)
        layout, homes = self.layout.hub(self.hub), self.homes.directory
        removed = remove_data(
            layout, self.hub, homes, own_homes=True, runtime_directory=self.target["runtime_directory"]
        )
        cleared = remove_machine(self.layout, self.supervisor)
        shutil.rmtree(self.layout.root, ignore_errors=True)
        return bool(removed) or cleared
