# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_environments."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common import files
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.errors import reason
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.nested import path_text
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.common.text import aligned
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.admin_file import (
    ADMIN_FILE,
    AdminPin,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.images.pins import ImagePins
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.lock import (
    Lock,
    StagingPins,
    lock_file,
    lock_text,
    read_lock,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.pins import Pin, RepositoryKey
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.promotion import (
    AUTOMATIC,
    PROMOTIONS,
    PULL_REQUEST,
    Needs,
    promoted,
    renewed,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.update import update_pins
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import (
    Environment,
    Fleet,
    FleetInput,
    Hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.option import SERVER
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import Problem, Problems
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.admin_files import AdminFiles
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import repository_cache
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
    report_problems,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.image_builds import ImageBuilds, ImageUse
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.validation import validated

#: The environments of hubs that use a repository.
Uses = list[tuple[Hub, Environment]]


class ActionModule(FleetAction):
    """Pins the commits and images that environments are built from; see the module's documentation."""

    ARGUMENTS = frozenset({"update", "promotion", "promote"})
    NEEDS_LOCK_FILE = False

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Read the repositories, build images, write the lock file, and print what is pinned."""
        path = lock_file(inventory.directory, inventory.whole)
        with _only_one(path):
            return self._pin(path, fleet, hubs, inventory)

    def _pin(self, path: str, fleet: Fleet, hubs: list[Hub], inventory: FleetInput) -> dict[str, Any]:
        before, newest = read_lock(path), bool(self.argument("update"))
        admins = AdminFiles(fleet, hubs, inventory, before.admins)
        admins.read(repository_cache())
        fleet, hubs, problems = self._with_admin_settings(fleet, hubs, inventory, admins)
        for warning in admins.refused:
            display.warning(warning)
        if problems:
            return report_problems(problems)
        offered, builds = _offered(hubs), ImageBuilds(self.platforms, inventory.directory, display.display)
        begun = self._promoted(before, hubs, builds) if self.argument("promote") else before
        on_machines = {key for key, uses in offered.items() if any(hub.platform == SERVER for hub, _each in uses)}
        known = begun.of(staging=True)
        found = update_pins(
            known.repositories, offered, on_machines, inventory.directory, repository_cache(), newest=newest
        )
        if found.problems:
            return report_problems(_problems(found.problems, offered, inventory))
        bases = builds.bases(hubs, known.images.bases, newest)
        read = _needs(hubs, builds) if newest else Needs()
        first = _needs(_staging(fleet.hubs.values()), builds) if self._promotion() == PULL_REQUEST else Needs()
        lock = replace(renewed(begun, found.pins, bases, read, first), admins=admins.pins)
        others = [hub for hub in fleet.hubs.values() if hub not in hubs]
        needed = builds.needed(hubs, lock, others, before)
        images = builds.settle(needed, lock, build=not self._task.check_mode)
        if any(use.problem for use in needed):
            return report_problems(_image_problems(needed, inventory))
        replaced = builds.replaced([*hubs, *others], before, lock)
        kept = {key: pin for key, pin in images.images.items() if key not in replaced}
        after = replace(lock, images=ImagePins(images.bases, kept))
        result = {**self._write(before, after, path), "refused": admins.refused}
        self._print_summary(offered, needed, before, after, path)
        if not others:
            pinned = after.of(staging=True).repositories
            unneeded = [" ".join(filter(None, key)) for key in sorted(pinned.keys() - offered.keys())]
            unneeded += [f"{ADMIN_FILE} of {' '.join(filter(None, key))}" for key in admins.unneeded]
            unneeded += [":".join(key) for key in sorted(kept.keys() - {use.key for use in needed})]
            for name in unneeded:
                display.display(f"no hub here needs {name} in {path}; its entry can be removed")
        return result

    def _promotion(self) -> str:
        """Return when production hubs get what staging hubs have. Raises AnsibleActionFail for anything else."""
        value = self.argument("promotion") or AUTOMATIC
        if value not in PROMOTIONS:
            raise AnsibleActionFail(
                f"environments_promotion: {value!r} is not one of {', '.join(PROMOTIONS)}; nothing was changed"
            )
        return str(value)

    def _promoted(self, lock: Lock, hubs: list[Hub], builds: ImageBuilds) -> Lock:
        """Return the lock file in which all hubs have what the selected staging hubs have. Raises AnsibleActionFail."""
        staging = _staging(hubs)
        if not staging:
            raise AnsibleActionFail("no staging hub was selected, whose environments could be promoted")
        after = promoted(lock, _needs(staging, builds))
        if after == lock:
            display.display("staging hubs have nothing that the other hubs do not have")
        return after

    def _with_admin_settings(
        self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, admins: AdminFiles
    ) -> tuple[Fleet, list[Hub], list[Problem]]:
        """Return fleet and hubs with what their admins have set, since they may offer other environments then.

        What does not fit to a hub is refused: first the new settings, then those of the lock file.
        """
        if not admins.pins:
            return fleet, hubs, []
        names = [hub.name for hub in hubs]
        for _attempt in ("the new ones", "those of the lock file", "none"):
            inventory.admins = admins.pins
            found = validated(inventory, names, self.platforms)
            messages = {
                name: f"{path_text(problem.path)} {problem.message}"
                for problem in found.problems
                for name in problem.hubs
            }
            if not any(map(admins.concern, messages)):
                break
            admins.refuse(messages)
        return found.fleet, [found.fleet.hubs[name] for name in names if name in found.fleet.hubs], found.problems

    def _write(self, before: Lock, after: Lock, path: str) -> dict[str, Any]:
        """Write the lock file if it differs; return the result of the task."""
        changed = after != before
        result: dict[str, Any] = {
            "changed": changed,
            "path": path,
            "repositories": [asdict(after.repositories[key]) for key in sorted(after.repositories)],
            "images": [asdict(after.images.images[key]) for key in sorted(after.images.images)],
            "staging": [asdict(after.staging.repositories[key]) for key in sorted(after.staging.repositories)],
            "admins": [asdict(after.admins[key]) for key in sorted(after.admins)],
        }
        if self._task.diff and changed:
            texts = (lock_text(before) if before != Lock() else "", lock_text(after))
            result["diff"] = dict(zip(("before", "after"), texts), before_header=path, after_header=path)
        if changed and not self._task.check_mode:
            _write(path, lock_text(after))
        return result

    def _print_summary(
        self, offered: dict[RepositoryKey, Uses], needed: list[ImageUse], before: Lock, after: Lock, path: str
    ) -> None:
        rows = [_row(uses, after.repositories[key], before.repositories.get(key)) for key, uses in offered.items()]
        for key, pin in sorted(after.staging.repositories.items()):
            rows += (
                [_row(offered[key], pin, before.of(staging=True).repositories[key], " on staging")]
                if key in offered
                else []
            )
        admins = [_admin_row(pin, before.admins.get(key)) for key, pin in sorted(after.admins.items())]
        for table in (rows, [_image_row(use) for use in needed], admins):
            for line in aligned(table) if table else ():
                display.display(line)
        if not rows and not needed and not admins:
            display.display("no hub offers an environment that is built from a repository, or into an image")
        if after != before:
            display.display(f"{path} {'would be' if self._task.check_mode else 'was'} written; commit it, and deploy")
            if after.staging != before.staging and after.staging != StagingPins():
                display.display(
                    "staging hubs get it first; once they are deployed, run this with -e environments_promote=true"
                )
        elif after != Lock():
            display.display(f"{path}: nothing to change")


def _staging(hubs: Iterable[Hub]) -> list[Hub]:
    return [hub for hub in hubs if hub.is_staging]


def _needs(hubs: list[Hub], builds: ImageBuilds) -> Needs:
    return Needs(_offered(hubs), builds.base_names(hubs))


def _offered(hubs: list[Hub]) -> dict[RepositoryKey, Uses]:
    """Return the repositories that hubs offer environments of."""
    found: dict[RepositoryKey, Uses] = {}
    for hub in hubs:
        for environment in hub.offered_environments:
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


def _image_problems(needed: list[ImageUse], inventory: FleetInput) -> list[Problem]:
    """Return why images could not be built, with the places of their environments."""
    problems = Problems()
    for use in needed:
        for hub, environment in use.uses if use.problem else ():
            place = inventory.hosts[hub.name].locate(environment.path)
            problems.add(environment.path, use.problem, place, hub.name)
    return problems.of(hub.name for use in needed for hub, _environment in use.uses)


def _image_row(use: ImageUse) -> tuple[str, ...]:
    names = ", ".join(sorted({environment.name for _hub, environment in use.uses}))
    return (names, use.wanted.address.name, use.wanted.key, use.pin.digest[:19] if use.pin else "-", use.outcome)


def _row(uses: Uses, pin: Pin, earlier: Pin | None, where: str = "") -> tuple[str, ...]:
    names = ", ".join(sorted({environment.name for _hub, environment in uses})) + where
    place = (pin.repository, pin.ref or "(default branch)", pin.subdirectory or "(all of it)")
    return (names, *place, pin.short_commit, pin.date[:10], _news(pin, earlier))


def _admin_row(pin: AdminPin, earlier: AdminPin | None) -> tuple[str, ...]:
    place = (pin.repository, pin.ref or "(default branch)")
    return (ADMIN_FILE, *place, pin.short_commit, pin.date[:10], pin.author, _news(pin, earlier))


def _news(pin: Pin | AdminPin, earlier: Pin | AdminPin | None) -> str:
    return "new" if earlier is None else "unchanged" if earlier == pin else f"was {earlier.short_commit}"


def _write(path: str, text: str) -> None:
    try:
        mode = os.stat(path).st_mode & 0o7777 if os.path.exists(path) else 0o644
        files.write(path, text.encode(), mode)
    except OSError as error:
        raise AnsibleActionFail(f"{path} cannot be written: {reason(error)}") from None


@contextmanager
def _only_one(path: str) -> Iterator[None]:
    """Wait for other playbooks that write the same lock file: each would lose what the other one has pinned."""
    cache = repository_cache()
    os.makedirs(cache, mode=0o700, exist_ok=True)
    name = hashlib.sha256(os.path.realpath(path).encode()).hexdigest()[:16]
    with open(os.path.join(cache, f"{name}.pins.lock"), "a", encoding="ascii") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            display.display(f"another playbook writes {path}; waiting for it")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
