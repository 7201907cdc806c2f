# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_environment_report."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.text import aligned
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.environments import (
    BuiltEnvironment,
    FoundEnvironments,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import (
    ENVIRONMENTS,
    Platform,
    UnreachableError,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Fleet, FleetInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.planning import read_clusters

_HEADINGS = ("environment", "build", "built", "size", "hubs", "in use by", "last used")


class ActionModule(FleetAction):
    """Tells which environments were built, and who uses them; see the module's documentation."""

    NEEDS_IMAGES = False

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Print a table of the environments of each cluster."""
        clusters = self.platforms.by_cluster(self.platforms.able(hubs, ENVIRONMENTS))

        def read(platform: Platform, members: list[Hub]) -> FoundEnvironments:
            return platform.environments(members)

        found: dict[str, Any] = {}
        for name, answer in read_clusters(clusters, read).items():
            if isinstance(answer, UnreachableError):
                display.warning(f"{name}: its environments are not told: {answer}")
                continue
            preselected = {hub.name: hub.environments[0].name for hub in clusters[name][1] if hub.environments}
            display.display(f"{name}:")
            rows = [_row(each, answer, preselected) for each in answer.built]
            for line in aligned([_HEADINGS, *rows]):
                display.display(f"  {line}")
            found[name] = asdict(answer)
        return {"changed": False, "clusters": found}


def _row(built: BuiltEnvironment, found: FoundEnvironments, preselected: dict[str, str]) -> tuple[str, ...]:
    hubs = [*built.hubs, *(f"earlier: {hub}" for hub in built.earlier)]
    last = found.last_use(built.name, preselected)
    return (
        built.name,
        built.directory,
        built.built[:10] or "-",
        f"{built.size // 1_000_000} MB" if built.size else "-",
        ", ".join(hubs) or "-",
        ", ".join(built.users) or "-",
        f"{last.when[:10]} by {last.user}" if last else "-",
    )
