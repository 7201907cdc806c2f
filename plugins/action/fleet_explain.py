# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_explain."""

from __future__ import annotations

from typing import Any

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.platform.base import RENDER
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Fleet, FleetInput, Hub
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.options import PREFIXES
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.explain import (
    Place,
    UnknownName,
    explain_all,
    explain_chart,
    explain_option,
    format_lines,
    format_table,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
)


class ActionModule(FleetAction):
    """Prints where a value comes from; see the module's documentation."""

    ARGUMENTS = frozenset({"option"})
    NEEDS_IMAGES = False

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Print, for every hub, the value and the places that set it; without an option, all values."""
        option = str(self.argument("option", "") or "")
        if not option:
            return {"changed": False, "hubs": {hub.name: self._explain_all(hub, inventory, task_vars) for hub in hubs}}
        results = {}
        for hub in hubs:
            try:
                value, places = self._explain(hub, option, inventory, task_vars)
            except UnknownName as error:
                return {"failed": True, "msg": f"{hub.name}: {error}"}
            # Mappings of the chart are merged from several places; variables replace one another.
            merged = isinstance(value, dict) and not option.startswith(PREFIXES)
            for line in format_lines(f"{hub.name}: {option}", value, places, merged):
                display.display(line)
            results[hub.name] = {"value": value, "places": [vars(place) for place in places]}
        return {"changed": False, "hubs": results}

    def _explain_all(self, hub: Hub, inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Print a table of a hub's options; return them as explained one by one."""
        found = explain_all(hub.platform, inventory.hosts[hub.name], task_vars["hostvars"])
        for name, value in hub.admin_values.items():
            found[name] = (value, [Place(hub.admin_file, name, value), *found.get(name, (None, []))[1]])
        display.display(f"{hub.name}:")
        for line in format_table(found):
            display.display(line)
        values = {
            name: {"value": value, "places": [vars(place) for place in places]}
            for name, (value, places) in found.items()
        }
        return {"values": values}

    def _explain(self, hub: Hub, option: str, inventory: FleetInput, task_vars: Any) -> tuple[Any, list[Place]]:
        host = inventory.hosts[hub.name]
        if option.startswith(PREFIXES):
            value, places = explain_option(option, host, task_vars["hostvars"])
            if option in hub.admin_values:
                value = hub.admin_values[option]
                places.insert(0, Place(hub.admin_file, option, value))
            return value, places
        if RENDER not in self.platforms.of(hub).capabilities:
            raise UnknownName(f"{option!r} is not an option, and hubs on this platform have no chart with such a key")
        facts = self.platforms.charts.of(hub)
        values = self.platforms.values(hub)
        _path, value, places = explain_chart(option, values, facts, host, task_vars["hostvars"])
        return value, places
