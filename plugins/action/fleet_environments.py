# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of the module fleet_environments."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
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
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.pins import (
    Pin,
    RepositoryKey,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.promotion import AUTOMATIC, PROMOTIONS
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.environments.update import update_pins
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.model import (
    Environment,
    Fleet,
    FleetInput,
    Hub,
)
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.option import SERVER
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.problems import Problem, Problems
from ansible_collections.hubfleet.jupyterhub.plugins.module_utils.schema.repositories import container_problems
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.admin_files import AdminFiles
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.assets import repository_cache
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.fleet_action import (
    FleetAction,
    display,
    report_problems,
)
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.image_builds import ImageBuilds, ImageUse
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.promotion import Promotion, Uses, offered_repositories
from ansible_collections.hubfleet.jupyterhub.plugins.plugin_utils.validation import validated


class ActionModule(FleetAction):
    """Pins the commits and images that environments are built from; see the module's documentation."""

    ARGUMENTS = frozenset({"update", "promotion", "promotable", "promote"})
    NEEDS_LOCK_FILE = False

    def work(self, fleet: Fleet, hubs: list[Hub], inventory: FleetInput, task_vars: Any) -> dict[str, Any]:
        """Read the repositories, build images, write the lock file, and print what is pinned."""
        path = lock_file(inventory.directory, inventory.whole)
        # The playbook gives the variable of its first host.
        variables = {str(task_vars["hostvars"][hub.name].get("environments_promotion", "")) for hub in hubs}
        if len(variables) > 1:
            raise AnsibleActionFail(
                "environments_promotion is not the same for all hubs; set it in group_vars/all.yml; nothing was changed"
            )
        with _only_one(path):
            return self._pin(path, fleet, hubs, inventory)

    def _pin(self, path: str, fleet: Fleet, hubs: list[Hub], inventory: FleetInput) -> dict[str, Any]:
        before, newest, checked = read_lock(path), bool(self.argument("update")), str(self.argument("promote") or "")
        builds = ImageBuilds(self.platforms, inventory.directory, display.display)
        only_tell = bool(self.argument("promotable"))
        admins = AdminFiles(fleet, hubs, inventory, before.admins)
        # What staging hubs were checked with is promoted, not what their admins have pushed since.
        if not checked and not only_tell:
            admins.read(repository_cache())
        fleet, hubs, problems = self._with_admin_settings(fleet, hubs, inventory, admins)
        for warning in admins.refused:
            display.warning(warning)
        if problems:
            return report_problems(problems)
        promotion = Promotion(fleet, hubs, inventory, builds)
        if only_tell:
            return {"changed": False, **promotion.promotable(before)}
        begun = promotion.promoted(before, checked) if checked else before
        offered, known = offered_repositories(hubs), begun.of(staging=True)
        found = update_pins(
            known.repositories,
            offered,
            promotion.on_machines,
            inventory.directory,
            repository_cache(),
            newest=newest,
        )
        if found.problems:
            return report_problems(_problems(found.problems, offered, promotion.on_machines, inventory))
        bases = builds.bases(hubs, found.pins, known.images.bases, newest)
        lock = replace(promotion.renewed(begun, found.pins, bases, newest, self._promotion()), admins=admins.pins)
        problems = _container_problems(offered, lock, inventory)
        if problems:
            return report_problems(problems)
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
            unneeded = [" ".join(filter(None, key)) for key in sorted(after.repositories.keys() - offered.keys())]
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
            "staging_bases": after.staging.bases,
            "admins": [asdict(after.admins[key]) for key in sorted(after.admins)],
        }
        if self._task.diff and changed:
            texts = (lock_text(before) if before != Lock() else "", lock_text(after))
            result["diff"] = dict(zip(("before", "after"), texts), before_header=path, after_header=path)
        if changed and not self._task.check_mode:
            _write(path, lock_text(after))
        return result

    def _print_summary(self, offered: Uses, needed: list[ImageUse], before: Lock, after: Lock, path: str) -> None:
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


def _container_problems(offered: Uses, lock: Lock, inventory: FleetInput) -> list[Problem]:
    """Return what hubs cannot do with environments that need a container engine, before their images are built."""
    problems = Problems()
    for key, uses in offered.items():
        for hub, environment in uses:
            pin = lock.of(hub.is_staging).repositories[key]
            has_command = environment.program is not None
            for option, message in container_problems(pin, hub.platform == SERVER, has_command):
                place = (*environment.path, option)
                problems.add(place, message, inventory.hosts[hub.name].locate(place), hub.name)
    return problems.of(hub.name for uses in offered.values() for hub, _environment in uses)


def _problems(
    messages: dict[RepositoryKey, str],
    offered: Uses,
    on_machines: dict[RepositoryKey, list[str]],
    inventory: FleetInput,
) -> list[Problem]:
    """Return what is wrong with repositories, with the places that name them. on_machines: names of hubs there."""
    problems = Problems()
    for key, message in messages.items():
        for hub, environment in offered[key]:
            place = (*environment.path, "repository")
            elsewhere = on_machines.get(key, []) if hub.platform != SERVER else []
            told = f"{message} ({elsewhere[0]}, on a machine, offers it, too)" if elsewhere else message
            problems.add(place, told, inventory.hosts[hub.name].locate(place), hub.name)
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


def _row(uses: list[tuple[Hub, Environment]], pin: Pin, earlier: Pin | None, where: str = "") -> tuple[str, ...]:
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
