# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_recap."""

from __future__ import annotations

from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.fleet.model import (
    Fleet,
    FleetInput,
    Hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.platforms import platforms

_DONE = {"create": "created", "update": "updated", "unchanged": "unchanged"}


class ActionModule(FleetAction):
    """Tells what a deploy did; see the module's documentation."""

    ARGUMENTS = frozenset({"changes"})

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Print one line per hub, and how to log in where the hub itself made the passwords."""
        done = {change["hub"]: _DONE[change["action"]] for change in self.argument("changes", [])}
        fine = {hub.name for hub in hubs}
        everyone = [fleet.hubs[name] for name in map(str, task_vars["ansible_play_hosts_all"]) if name in fleet.hubs]
        rows = [(hub.name, done.get(hub.name, "") if hub.name in fine else "FAILED", hub.url) for hub in everyone]
        widths = [max(len(row[column]) for row in rows) for column in range(2)]
        for name, what, url in rows:
            display.display(f"{name.ljust(widths[0])}  {what.ljust(widths[1])}  {url}")
        found = platforms(hubs, inventory.directory)
        for hub in hubs:
            if hub["hub_authenticator"] == "shared-password" and done.get(hub.name) == "created":
                secrets = found[hub.cluster.name].setup.layout.hub(hub.name).path("secrets")
                display.display(f"{hub.name}: passwords are in {secrets}: user_password, admin_password")
        return {
            "changed": False,
            "hubs": {name: {"result": what, "url": url} for name, what, url in rows},
        }
