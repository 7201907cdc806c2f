# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what admins of hubs have set in their repositories, and keep what their hubs allow."""

from __future__ import annotations

from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.admin_file import AdminKey, AdminPin
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.update import read_admin_files
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.admin_settings import AdminRules
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import Fleet, FleetInput, Hub


class AdminFiles:
    """The files of a fleet's admins.

    hubs: those whose files are read. before: what the lock file has.
    pins: what the lock file should have. refused: why files are not used, a line for each; what they said before stays,
    as long as it is allowed, since one community's mistake must not keep others from their changes.
    """

    def __init__(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, before: dict[AdminKey, AdminPin]):
        self._rules = {
            hub.name: AdminRules(hub.options, inventory.hosts[hub.name].variables) for hub in fleet.hubs.values()
        }
        self._read = {rules.key for hub in hubs if (rules := self._rules[hub.name]).key}
        self._invalid = {
            (host.variables.get("hub_admin_repository"), host.variables.get("hub_admin_ref") or ""): name
            for name, host in inventory.hosts.items()
            if name not in fleet.hubs
        }
        self._directory = inventory.directory
        self._before = before
        self.pins = dict(before)
        self.refused: list[str] = []

    @property
    def unneeded(self) -> list[AdminKey]:
        """What the lock file has of repositories that no hub names."""
        return sorted(self.pins.keys() - {rules.key for rules in self._rules.values()})

    def read(self, cache: str) -> None:
        """Read the files at the newest commits of their refs. cache: the directory of repositories."""
        keys = sorted(key for key in self._read if key)
        found, unusable = read_admin_files(keys, self._directory, cache)
        for key in keys:
            names = ", ".join(name for name, rules in self._rules.items() if rules.key == key)
            kept = self.pins.pop(key, None)
            if kept and not self._problems(kept):
                self.pins[key] = kept
            problems = [unusable[key]] if key in unusable else self._problems(found[key])
            if key in self._invalid:
                problems.append(f"{self._invalid[key]}, which shares the file, is not valid")
            if not problems:
                self.pins[key] = found[key]
            else:
                who = "" if key in unusable else f"{found[key].shown}: "
                rest = f"; what {kept.short_commit} says stays" if key in self.pins and kept else ""
                self.refused.append(f"{names}: {who}{problems[0]}{rest}")

    def concern(self, hub: str) -> bool:
        """Tell whether the admins of a hub have set something."""
        return hub in self._rules and self._rules[hub].key in self.pins

    def refuse(self, messages: dict[str, str]) -> None:
        """Go back to what the lock file had of hubs, or to nothing if that is what they have.

        messages: hub -> why what its admins have set does not fit.
        """
        for key in {self._rules[name].key for name in messages if name in self._rules}:
            pin = self.pins.pop(key, None) if key else None
            if not key or not pin:
                continue
            if key in self._before and self._before[key] != pin:
                self.pins[key] = self._before[key]
            known = ((name, text) for name, text in messages.items() if name in self._rules)
            name, message = next((name, text) for name, text in known if self._rules[name].key == key)
            rest = "; what it said before stays" if key in self.pins else ""
            self.refused.append(f"{name}: {pin.shown}: {message}{rest}")

    def _problems(self, pin: AdminPin) -> list[str]:
        """Return what hubs do not allow; they share a file only if all allow what it says."""
        every = [rules for rules in self._rules.values() if rules.key == pin.key]
        return [message for rules in every for message in rules.problems(pin.settings)]
