# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hubs a pin is for: all, or those of staging until it is promoted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.lock import Lock
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.pins import Pin, RepositoryKey
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.promotion import (
    PULL_REQUEST,
    Needs,
    promoted,
    renewed,
    staging_digest,
    without_unneeded,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import (
    STAGING,
    Environment,
    Fleet,
    FleetInput,
    Hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.option import SERVER
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import display
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.image_builds import ImageBuilds

#: Repositories, and the environments of hubs that are built from them.
Uses = dict[RepositoryKey, list[tuple[Hub, Environment]]]


class Promotion:
    """What the hubs of a fleet need pins of, by their tiers. hubs: those that were selected."""

    def __init__(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, builds: ImageBuilds):
        self._fleet, self._hubs, self._inventory, self._builds = fleet, hubs, inventory, builds
        #: Repositories that machines must be able to build -> names of hubs there that offer them.
        self.on_machines = {
            key: [hub.name for hub, _environment in uses]
            for key, uses in offered_repositories(hub for hub in fleet.hubs.values() if hub.platform == SERVER).items()
        }

    def promotable(self, lock: Lock) -> dict[str, Any]:
        """Tell what the selected staging hubs would promote; return what the module documents.

        Raises AnsibleActionFail if no staging hub was selected.
        """
        selected = self._staging(self._hubs)
        if not selected:
            raise AnsibleActionFail("no staging hub was selected, whose environments could be promoted")
        chosen = self._chosen(lock)
        for name in self._unchecked(selected, chosen):
            display.warning(f"{name} is for groups only, so that the check does not start it; try it yourself")
        if not chosen.repositories and not chosen.bases:
            display.display("staging hubs have nothing to promote that the other hubs do not have")
            return {"digest": "", "bases": []}
        return {"digest": staging_digest(lock), "bases": sorted(chosen.bases)}

    def promoted(self, lock: Lock, checked: str) -> Lock:
        """Return the lock file in which all hubs have what the selected staging hubs have.

        checked: digest of what they were checked with. Raises AnsibleActionFail if that is no longer what they have.
        """
        if checked != staging_digest(lock):
            raise AnsibleActionFail(
                "the lock file changed since the staging hubs were checked; run it again; nothing was changed"
            )
        return promoted(lock, self._chosen(lock))

    def renewed(
        self, lock: Lock, pins: Mapping[RepositoryKey, Pin], bases: Mapping[str, str], newest: bool, promotion: str
    ) -> Lock:
        """Return the lock file with the pins that were found, for the hubs that they are for."""
        staging = self._staging(self._fleet.hubs.values())
        read = self._needs(self._hubs, pins) if newest else Needs()
        first = Needs()
        if promotion == PULL_REQUEST and newest:
            self._require_staging()
            first = self._needs(staging, pins)
            self._tell_direct(lock, pins, bases, first)
        after = renewed(lock, pins, bases, read, first)
        if len(self._hubs) < len(self._inventory.hosts):
            return after
        return without_unneeded(after, self._needs(staging, pins))

    def _chosen(self, lock: Lock) -> Needs:
        """Return what is promoted: of base images, those of which no other staging hub has something to check."""
        pins, selected = lock.of(staging=True).repositories, self._staging(self._hubs)
        unselected = [hub for hub in self._staging(self._fleet.hubs.values()) if hub not in selected]
        withheld = self._builds.base_names(unselected, pins) & lock.staging.bases.keys()
        if withheld:
            names = ", ".join(hub.name for hub in unselected)
            display.warning(
                f"not promoted, since {names} may use it and was not selected: {', '.join(sorted(withheld))}"
            )
        needs = self._needs(selected, pins)
        return Needs(
            needs.repositories & lock.staging.repositories.keys(), (needs.bases & lock.staging.bases.keys()) - withheld
        )

    def _needs(self, hubs: list[Hub], pins: Mapping[RepositoryKey, Pin]) -> Needs:
        return Needs(set(offered_repositories(hubs)), self._builds.base_names(hubs, pins))

    def _staging(self, hubs: Iterable[Hub]) -> list[Hub]:
        return [hub for hub in hubs if hub.is_staging]

    def _require_staging(self) -> None:
        """Check that all staging hubs are known: what they offer is not for the others yet."""
        hosts = self._inventory.hosts
        unknown = [name for name in hosts if STAGING in hosts[name].groups and name not in self._fleet.hubs]
        if unknown:
            raise AnsibleActionFail(
                f"staging hub {unknown[0]} is not valid, so that nothing can be pinned for staging hubs first; the"
                " playbook validate says why; nothing was changed"
            )

    def _unchecked(self, selected: list[Hub], chosen: Needs) -> list[str]:
        """Return the environments that are promoted although the check starts them on no selected hub."""
        changed: dict[str, list[Environment]] = {}
        for hub in selected:
            for each in hub.offered_environments:
                if each.repository in chosen.repositories or (each.builds_image and chosen.bases):
                    changed.setdefault(each.name, []).append(each)
        return sorted(name for name, uses in changed.items() if all(each.allowed_groups for each in uses))

    def _tell_direct(
        self, lock: Lock, pins: Mapping[RepositoryKey, Pin], bases: Mapping[str, str], first: Needs
    ) -> None:
        for base in sorted(self._builds.base_names(self._hubs, pins) - first.bases):
            if base in lock.images.bases and bases[base] != lock.images.bases[base]:
                display.display(f"no staging hub is built on {base}: all hubs get the newest with the next deploy")
        for key, uses in offered_repositories(self._hubs).items():
            known = lock.repositories.get(key)
            if known and key not in first.repositories and pins[key] != known:
                names = ", ".join(sorted({environment.name for _hub, environment in uses}))
                display.display(f"no staging hub offers {names}: all hubs get its new commit with the next deploy")


def offered_repositories(hubs: Iterable[Hub]) -> Uses:
    """Return the repositories that hubs offer environments of."""
    found: Uses = {}
    for hub in hubs:
        for environment in hub.offered_environments:
            if environment.repository:
                found.setdefault(environment.repository, []).append((hub, environment))
    return dict(sorted(found.items()))
