# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_environments."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common import files
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.errors import reason
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.text import aligned
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.lock import (
    lock_file,
    lock_text,
    read_pins,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.pins import Pin, RepositoryKey
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.update import update_pins
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import (
    Environment,
    Fleet,
    FleetInput,
    Hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import Problem, Problems
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import repository_cache
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
    report_problems,
)

#: The environments of hubs that use a repository.
Uses = list[tuple[Hub, Environment]]


class ActionModule(FleetAction):
    """Pins the commits that environments are built from; see the module's documentation."""

    ARGUMENTS = frozenset({"update"})
    NEEDS_PINS = False

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Read the repositories, write the lock file, and print what is pinned."""
        path = lock_file(inventory.directory, inventory.whole)
        offered = _offered(hubs)
        before = read_pins(path)
        found = update_pins(
            before,
            offered,
            inventory.directory,
            repository_cache(),
            newest=bool(self.argument("update")),
        )
        if found.problems:
            return report_problems(_problems(found.problems, offered, inventory))
        changed = found.pins != before
        pins = [asdict(found.pins[key]) for key in sorted(found.pins)]
        result: dict[str, Any] = {"changed": changed, "path": path, "repositories": pins}
        if self._task.diff and changed:
            texts = (lock_text(before) if before else "", lock_text(found.pins))
            result["diff"] = dict(zip(("before", "after"), texts), before_header=path, after_header=path)
        if changed and not self._task.check_mode:
            _write(path, lock_text(found.pins))
        self._print_summary(offered, before, found.pins, path)
        if len(hubs) == len(inventory.hosts):
            for key in sorted(found.pins.keys() - offered.keys()):
                display.display(f"no hub here needs {' '.join(filter(None, key))} in {path}; its entry can be removed")
        return result

    def _print_summary(
        self,
        offered: dict[RepositoryKey, Uses],
        before: dict[RepositoryKey, Pin],
        after: dict[RepositoryKey, Pin],
        path: str,
    ) -> None:
        rows = [_row(uses, after[key], before.get(key)) for key, uses in offered.items()]
        for line in aligned(rows) if rows else ():
            display.display(line)
        if not rows:
            display.display("no hub offers an environment that is built from a repository")
        if after != before:
            display.display(f"{path} {'would be' if self._task.check_mode else 'was'} written; commit it, and deploy")
        elif after:
            display.display(f"{path}: nothing to change")


def _offered(hubs: list[Hub]) -> dict[RepositoryKey, Uses]:
    """Return the repositories that hubs offer environments of."""
    found: dict[RepositoryKey, Uses] = {}
    for hub in hubs:
        for environment in hub.environments:
            if environment.repository:
                found.setdefault(environment.repository, []).append((hub, environment))
    return dict(sorted(found.items()))


def _problems(
    messages: dict[RepositoryKey, str], offered: dict[RepositoryKey, Uses], inventory: FleetInput
) -> list[Problem]:
    """Return what is wrong with repositories, with the places that name them."""
    problems = Problems()
    for key, message in messages.items():
        for hub, environment in offered[key]:
            place = (*environment.path, "repository")
            problems.add(place, message, inventory.hosts[hub.name].locate(place), hub.name)
    return problems.of(hub.name for uses in offered.values() for hub, _environment in uses)


def _row(uses: Uses, pin: Pin, earlier: Pin | None) -> tuple[str, ...]:
    names = ", ".join(sorted({environment.name for _hub, environment in uses}))
    news = "new" if earlier is None else "unchanged" if earlier == pin else f"was {earlier.commit[:12]}"
    place = (pin.repository, pin.ref or "(default branch)", pin.subdirectory or "(all of it)")
    return (names, *place, pin.commit[:12], pin.date[:10], news)


def _write(path: str, text: str) -> None:
    try:
        mode = os.stat(path).st_mode & 0o7777 if os.path.exists(path) else 0o644
        files.write(path, text.encode(), mode)
    except OSError as error:
        raise AnsibleActionFail(f"{path} cannot be written: {reason(error)}") from None
