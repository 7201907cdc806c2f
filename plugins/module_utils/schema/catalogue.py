# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look up the environments, sizes and profiles of a hub in the catalogues."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ..common.nested import value_at
from ..environments.pins import Pin, RepositoryKey
from .access_checks import check_allowed_groups
from .icons import read_icon
from .model import Environment, Profile, Size, ValuePath
from .option import KUBERNETES, SERVER
from .problems import nearest
from .programs import read_program
from .repositories import check_repository
from .requirements import check_packages, check_requirements
from .values import is_name

ENVIRONMENTS, SIZES = "hub_environments", "hub_sizes"
#: List -> the catalogue of its names; the options have it as well, as ``by_name``.
CATALOGUES = {ENVIRONMENTS: "hub_environment_catalogue", SIZES: "hub_size_catalogue"}

Report = Callable[[ValuePath, str], None]


class Offers:
    """Environments, sizes and profiles of one hub; reports what is wrong with them.

    given: the hub's variables as they stand in the inventory.
    options: the same, checked, defaults filled in.
    broken: variables that are known to be wrong.
    pins: commits of repositories; None where they do not matter.
    builds: environments are built; otherwise each needs an image.
    """

    def __init__(
        self,
        given: dict[str, Any],
        options: dict[str, Any],
        platform: str,
        directory: str,
        report: Report,
        broken: set[str],
        pins: dict[RepositoryKey, Pin] | None,
        builds: bool = True,
    ):
        self.given = given
        self.options = options
        self.platform = platform
        self.directory = directory
        self.report = report
        self.broken = broken
        self.pins = pins
        self.builds = builds
        self._build: dict[str, Callable[..., Any]] = {ENVIRONMENTS: self._environment, SIZES: self._size}

    def environments(self) -> list[Environment]:
        """Return the environments of ``hub_environments``, in its order."""
        found: list[Environment] = self._offered(ENVIRONMENTS)
        return found

    def sizes(self) -> list[Size]:
        """Return the sizes of ``hub_sizes``, in its order."""
        found: list[Size] = self._offered(SIZES)
        return found

    def profiles(self) -> list[Profile]:
        """Return ``hub_profiles`` with their environments and sizes looked up."""
        variable = "hub_profiles"
        if variable in self.broken:
            return []
        found = []
        for index, entry in enumerate(self.options[variable] or ()):
            self._check_groups(entry, (variable, index))
            if entry["unlisted_image"]:
                self._check_groups(entry["unlisted_image"], (variable, index, "unlisted_image"))
            parts = {}
            for key, offered in (("environments", ENVIRONMENTS), ("sizes", SIZES)):
                names = [(name, (variable, index, key, place)) for place, name in enumerate(entry[key] or ())]
                built = [self._named(offered, name, path) for name, path in names]
                parts[key] = tuple(item for item in built if item is not None)
            for key, listed in (("default_environment", "environments"), ("default_size", "sizes")):
                names_of_profile = entry[listed] or ()
                if entry[key] and entry[key] not in names_of_profile:
                    hint = nearest(entry[key], names_of_profile)
                    self.report((variable, index, key), f"{entry[key]!r} is not one of the profile's {listed}{hint}")
            found.append(Profile(entry, **parts))
        return found

    def check_admin_limits(self) -> None:
        """Report names in hub_admin_limits that are in no catalogue, or whose entries cannot be used."""
        limits = self.options["hub_admin_limits"] or {}
        pins, self.pins = self.pins, None  # those that are not offered need no commits yet
        for key, variable in (("environments", ENVIRONMENTS), ("sizes", SIZES)):
            listed = self.given.get(variable)
            entries = listed if isinstance(listed, list) else []
            own = [entry.get("name") for entry in entries if isinstance(entry, dict)]
            for index, name in enumerate(limits.get(key) or ()):
                if name not in own:
                    self._named(variable, name, ("hub_admin_limits", key, index))
        self.pins = pins

    def _offered(self, variable: str) -> list[Any]:
        given = self.given.get(variable)
        sound = variable not in self.broken
        found = []
        for index, item in enumerate(given if isinstance(given, list) else ()):
            if is_name(item):
                found.append(self._named(variable, str(item), (variable, index)))
            elif sound:
                entry = self.options[variable][index]
                found.append(self._build[variable](entry["name"], entry, (variable, index), (variable, index)))
        named = [entry.name for entry in found if entry]
        for name in sorted({name for name in named if sound and named.count(name) > 1}):
            self.report((variable,), f"{name!r} is listed twice")
        if given == []:
            self.report((variable,), "is empty; a hub needs at least one")
        return [entry for entry in found if entry]

    def _named(self, variable: str, name: str, place: ValuePath) -> Any:
        """Return an entry of a catalogue, or None if it is missing or broken; ``place`` is where its name is used."""
        catalogue_name = CATALOGUES[variable]
        catalogue, listed = self.options[catalogue_name] or {}, self.given.get(catalogue_name)
        if name in catalogue:
            return self._build[variable](name, catalogue[name], (catalogue_name, name), place)
        # An entry that is broken exists, too.
        present = listed if isinstance(listed, dict) else {}
        if (isinstance(listed, dict) or catalogue_name not in self.broken) and name not in present:
            self.report(place, f"{name!r} is not in {catalogue_name}{nearest(name, present)}")
        return None

    def _given(self, path: ValuePath) -> dict[str, Any]:
        """Return an entry as it is in the inventory, if it is a mapping."""
        value = value_at(self.given, path)
        return value if isinstance(value, dict) else {}

    def _environment(self, name: str, entry: dict[str, Any], path: ValuePath, place: ValuePath) -> Environment | None:
        text, repository = "", None
        self._check_groups(entry, path)
        program = read_program(name, entry, self.platform, partial(self.report, (*path, "interface")))
        if self.platform == KUBERNETES and entry["image"] is None and not self.builds:
            # Reported where the hub uses it: for hubs on a machine, the entry itself is valid.
            if not self.broken & {path[0], place[0]}:
                why = f"{name!r} has no image, which the platform {KUBERNETES} requires"
                self.report(place, f"{why}; set it, or cluster_image_registry, so that one is built")
            return None
        if self.platform == SERVER or entry["image"] is None:
            check_packages(entry, path, self.report)
            text = check_requirements(entry, path, self.directory, self.report)
            pins = None if self.broken & {path[0], place[0]} else self.pins
            repository = check_repository(entry, path, pins, self.platform == SERVER, self.report)
        return Environment(
            name=name,
            title=entry["title"] or name,
            path=path,
            description=entry["description"],
            link=entry["link"] or "",
            icon=read_icon(entry["icon"], self.directory, partial(self.report, (*path, "icon"))),
            packages=tuple(entry["packages"] or ()),
            requirements=text,
            repository=repository,
            pin=(self.pins or {}).get(repository) if repository else None,
            interface=f"/{program.path}/" if program else entry["interface"],
            program=program,
            variables=tuple(sorted((entry["variables"] or {}).items())),
            check_code=entry["check_code"],
            check_output=entry["check_output"],
            image=entry["image"] or "",
            builds_image=self.platform == KUBERNETES and entry["image"] is None,
            **{key: entry[key] for key in ("image_pull_policy", "working_directory")},
            **_choice(entry),
        )

    def _check_groups(self, entry: dict[str, Any], path: ValuePath) -> None:
        if "hub_groups" not in self.broken:
            check_allowed_groups(self.options, entry["allowed_groups"], (*path, "allowed_groups"), self.report)

    def _size(self, name: str, entry: dict[str, Any], path: ValuePath, place: ValuePath) -> Size | None:
        self._check_groups(entry, path)
        if entry["memory"] is None and self.platform == SERVER:
            if self._given(path).get("memory") is None:
                self.report(path, "memory is missing (memory limit of a session; required on a server)")
            return None
        for guarantee, limit in (("memory_guarantee", "memory"), ("cpu_guarantee", "cpu")):
            if entry[guarantee] and entry[limit] and entry[guarantee] > entry[limit]:
                self.report((*path, guarantee), f"is larger than {limit}")
        keys = ("description", "memory", "memory_guarantee", "cpu", "cpu_guarantee", "gpu", "node_selector")
        return Size(name=name, title=entry["title"] or name, **{key: entry[key] for key in keys}, **_choice(entry))


def _choice(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: entry[key] for key in ("choice", "allowed_groups", "override", "extra")}
