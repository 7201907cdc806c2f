# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_environments."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common import files
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.errors import reason
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.text import aligned, plural
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.lock import (
    lock_file,
    lock_text,
    read_pins,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.pins import LOCK_FILE, Pin, Source
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.recipe import RepositoryError
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.repository import Repository
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import (
    Environment,
    Fleet,
    FleetInput,
    Hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import Problems
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import repository_cache
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
    report_problems,
)

#: Repositories that are read at the same time.
AT_ONCE = 8


class ActionModule(FleetAction):
    """Pins the commits that environments are built from; see the module's documentation."""

    ARGUMENTS = frozenset({"update"})
    NEEDS_PINS = False

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Read the repositories, write the lock file, and print what is pinned."""
        path = lock_file(inventory.directory)
        before = read_pins(path)
        offered = _offered(hubs)
        wanted = [source for source in offered if self.argument("update") or source not in before]
        found, problems = _read(wanted, inventory.directory)
        if problems:
            told = Problems()
            for source, message in problems.items():
                for hub, environment in offered[source]:
                    place = (*environment.path, "repository")
                    told.add(place, message, inventory.hosts[hub.name].locate(place), hub.name)
            return report_problems(told.of([hub.name for hub in hubs]))
        kept = before if len(hubs) < len(inventory.hosts) else {}
        after = {**kept, **{source: before[source] for source in offered if source in before}, **found}
        changed = after != before
        result: dict[str, Any] = {
            "changed": changed,
            "path": path,
            "repositories": [vars(after[each]) for each in sorted(after)],
        }
        if self._task.diff and changed:
            texts = (lock_text(before) if before else "", lock_text(after))
            result["diff"] = dict(zip(("before", "after"), texts), before_header=path, after_header=path)
        if changed and not self._task.check_mode:
            _write(path, lock_text(after))
        self._tell(offered, before, after, path)
        return result

    def _tell(
        self,
        offered: dict[Source, list[tuple[Hub, Environment]]],
        before: dict[Source, Pin],
        after: dict[Source, Pin],
        path: str,
    ) -> None:
        rows = []
        for source, uses in offered.items():
            names = ", ".join(sorted({environment.name for _hub, environment in uses}))
            earlier, pin = before.get(source), after[source]
            news = "new" if earlier is None else "unchanged" if earlier == pin else f"was {earlier.commit[:12]}"
            rows.append((names, pin.repository, pin.ref or "(default branch)", pin.commit[:12], pin.date[:10], news))
        for line in aligned(rows) if rows else ():
            display.display(line)
        left = plural(len(before.keys() - after.keys()), "repository")
        if before.keys() - after.keys():
            display.display(f"{left} that no hub uses any more: removed")
        if not offered:
            display.display("no hub offers an environment that is built from a repository")
        if after != before:
            display.display(f"{path} {'would be' if self._task.check_mode else 'was'} written; commit it, and deploy")
        elif after:
            display.display(f"{LOCK_FILE}: nothing to change")


def _offered(hubs: list[Hub]) -> dict[Source, list[tuple[Hub, Environment]]]:
    """Return the repositories that hubs offer environments of, each with these."""
    found: dict[Source, list[tuple[Hub, Environment]]] = {}
    for hub in hubs:
        for environment in hub.environments:
            if environment.source:
                found.setdefault(environment.source, []).append((hub, environment))
    return dict(sorted(found.items()))


def _read(sources: list[Source], directory: str) -> tuple[dict[Source, Pin], dict[Source, str]]:
    """Return the newest commits of repositories, and what is wrong with the others."""

    def read(source: Source) -> Pin | RepositoryError:
        repository, ref, subdirectory = source
        try:
            found = Repository(repository, directory, repository_cache())
            return found.pin(ref, subdirectory, found.commit_of(ref))
        except RepositoryError as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = dict(zip(sources, pool.map(read, sources)))
    pins = {source: result for source, result in results.items() if isinstance(result, Pin)}
    return pins, {source: str(result) for source, result in results.items() if source not in pins}


def _write(path: str, text: str) -> None:
    try:
        mode = os.stat(path).st_mode & 0o7777 if os.path.exists(path) else 0o644
        files.write(path, text.encode(), mode)
    except OSError as error:
        raise AnsibleActionFail(f"{path} cannot be written: {reason(error)}") from None
