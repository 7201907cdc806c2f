# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an inventory to a fleet, or to the list of everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..fleet.model import TIERS, Cluster, Environment, Fleet, FleetInput, HostInput, Hub, Size, ValuePath
from . import cross_checks
from .authenticators import AUTHENTICATORS
from .catalogue_options import NAME_PATTERN, NAME_TEXT
from .cluster_options import CLUSTER_OPTIONS
from .hub_options import HUB_OPTIONS
from .option import Option
from .problems import Problems, nearest
from .values import check_value, holds_credentials, is_name, shown

OPTIONS = {option.name: option for option in (*HUB_OPTIONS, *CLUSTER_OPTIONS)}
PREFIXES = ("hub_", "cluster_")


def validate(inventory: FleetInput) -> tuple[Fleet, Problems]:
    """Return the fleet and its problems.

    The fleet holds only hubs whose own values are sound enough to build them; a hub with
    problems must not be deployed even if it is there.
    """
    problems = Problems()
    fleet = Fleet({}, {})
    _check_groups(inventory, problems)
    for cluster_name, members in inventory.clusters.items():
        checks = [_HostCheck(inventory.hosts[host_name], inventory, problems) for host_name in members]
        for check in checks:
            hub = check.hub(cluster_name, fleet)
            if hub is not None:
                fleet.hubs.setdefault(hub.name, hub)
        _check_cluster(cluster_name, checks)
    cross_checks.check_fleet(fleet, inventory, problems)
    return fleet, problems


def is_secret(path: ValuePath) -> bool:
    """Tell whether the place (variable, *path inside it) is a secret by the schema."""
    return path[-1] in _SECRET_KEYS


def _secret_keys(options: Iterable[Option]) -> set[str]:
    found = set()
    for option in options:
        if option.secret:
            found.add(option.name)
        found |= _secret_keys(option.options)
        if option.elements:
            found |= _secret_keys((option.elements,))
    return found


_SECRET_KEYS = _secret_keys(HUB_OPTIONS) | _secret_keys(
    setting for authenticator in AUTHENTICATORS for setting in authenticator.settings
)


def _check_groups(inventory: FleetInput, problems: Problems) -> None:
    """Every hub is in one cluster and one tier; names are usable for files and services."""
    cluster_of: dict[str, list[str]] = {name: [] for name in inventory.hosts}
    for cluster, members in inventory.clusters.items():
        if not re.fullmatch(NAME_PATTERN.replace("-a-z0-9", "-_a-z0-9"), cluster):
            problems.add("", f"cluster {cluster!r}: the name of a cluster is {NAME_TEXT} or '_'")
        for member in members:
            cluster_of[member].append(cluster)
    for name, host in inventory.hosts.items():
        if not cluster_of[name]:
            problems.add("", "is in no cluster; put it into a child group of clusters", hub=name)
            continue
        if not re.fullmatch(NAME_PATTERN, name):
            problems.add("", f"the name of a hub is {NAME_TEXT}, at most 32 of them", hub=name)
        if len(cluster_of[name]) > 1:
            problems.add(
                "",
                f"is in several clusters ({', '.join(sorted(cluster_of[name]))}); a hub is in one",
                hub=name,
            )
        tiers = [tier for tier in TIERS if tier in host.groups]
        if len(tiers) != 1:
            problems.add(
                "",
                f"is in {' and '.join(tiers) or 'no tier'}; put it into one of the groups {' or '.join(TIERS)}",
                hub=name,
            )


def _check_cluster(cluster: str, checks: list[_HostCheck]) -> None:
    """A cluster's settings are the same for all its hubs; the odd ones out are reported, and stop all of them."""
    everyone = [check.host.name for check in checks]
    for option in CLUSTER_OPTIONS:
        sound = [check for check in checks if option.name not in check.broken]
        values = [check.cluster_options[option.name] for check in sound]
        unset = [value for value, check in zip(values, sound) if option.name not in check.host.variables]
        usual = max(values, key=lambda value: (values.count(value), value in unset), default=None)
        for check, value in zip(sound, values):
            if value != usual:
                check.report(
                    (option.name,),
                    f"{shown(option, value)} here, {shown(option, usual)} for other hubs of cluster {cluster}; "
                    f"set it once, in group_vars/{cluster}.yml",
                    everyone,
                )


class _HostCheck:
    """Checks the variables of one host."""

    def __init__(self, host: HostInput, inventory: FleetInput, problems: Problems):
        self.host = host
        self.inventory = inventory
        self.problems = problems
        self.broken: set[str] = set(host.failures)
        self.reported: set[ValuePath] = set()
        self.cluster_options: dict[str, Any] = {}

    def hub(self, cluster_name: str, fleet: Fleet) -> Hub | None:
        """Return the hub, or None where it cannot be built; its cluster is added to ``fleet``."""
        self._unknown_variables()
        options = {option.name: self._value(option) for option in HUB_OPTIONS}
        self.cluster_options = {option.name: self._value(option) for option in CLUSTER_OPTIONS}
        cluster = fleet.clusters.setdefault(cluster_name, Cluster(cluster_name, self.cluster_options))
        settings = cross_checks.check_authenticator(options, self.report, self.broken)
        options["hub_authenticator_settings"] = settings
        self._plain_secrets()
        environments = self._offered(options, "hub_environments", self._environment)
        sizes = self._offered(options, "hub_sizes", self._size)
        tier = next((tier for tier in TIERS if tier in self.host.groups), "")
        hub = Hub(self.host.name, cluster, tier, options, environments, sizes)
        cross_checks.check_hub(hub, self.report, self.broken)
        return None if "hub_port" in self.broken or options["hub_port"] is None else hub

    def report(self, path: ValuePath, message: str, stops: Iterable[str] = ()) -> None:
        """Record a problem at ``path``: (variable, *keys and indexes inside it). ``stops``: see Problem."""
        self.broken.add(path[0])
        self.reported.add(path)
        self.problems.add(_dotted(path), message, self.host.locate(path), self.host.name, stops)

    def _unknown_variables(self) -> None:
        for variable, message in self.host.failures.items():
            self.report((variable,), message)
        for variable in self.host.variables:
            if variable not in OPTIONS:
                prefix = variable.split("_", 1)[0] + "_"
                known = [name for name in OPTIONS if name.startswith(prefix)]
                self.report((variable,), f"unknown variable{nearest(variable, known, prefix=prefix)}")

    def _value(self, option: Option) -> Any:
        value = self.host.variables.get(option.name)
        if value is None or (option.required and value == ""):
            if option.required and option.name not in self.broken:
                self.report((option.name,), f"is not set ({option.summary})")
            return _copied(option.default)
        checked = check_value(option, value, lambda path, message: self.report((option.name, *path), message))
        return _copied(option.default) if checked is None else checked

    def _plain_secrets(self) -> None:
        for variable, value in self.host.variables.items():
            if variable not in OPTIONS:
                continue
            for path, leaf in _leaves(value, (variable,)):
                secret = "is a secret" if is_secret(path) else "holds a password" if holds_credentials(leaf) else ""
                if secret and path not in self.reported and not self.host.protected(path):
                    self.report(
                        path,
                        f"{secret} in plain text; encrypt it with 'ansible-vault encrypt_string', or look it up",
                    )

    def _offered(self, options: dict[str, Any], variable: str, build: Callable[..., Any]) -> list[Any]:
        """Return the entries that the list ``variable`` names or holds, in its order."""
        catalogue_name = str(OPTIONS[variable].by_name)
        catalogue = options[catalogue_name] or {}
        given, listed = self.host.variables.get(variable), self.host.variables.get(catalogue_name)
        # An entry of the catalogue that is broken itself is there all the same.
        present = listed if isinstance(listed, dict) else {}
        catalogue_known = isinstance(listed, dict) or catalogue_name not in self.broken
        sound = variable not in self.broken
        found = []
        for index, item in enumerate(given if isinstance(given, list) else ()):
            if is_name(item):
                name = str(item)
                if name in catalogue:
                    found.append(build(name, catalogue[name], (catalogue_name, name)))
                elif catalogue_known and name not in present:
                    self.report((variable, index), f"{name!r} is not in {catalogue_name}{nearest(name, present)}")
            elif sound:
                entry = options[variable][index]
                found.append(build(entry["name"], entry, (variable, index)))
        named = [entry.name for entry in found if entry]
        for name in sorted({name for name in named if sound and named.count(name) > 1}):
            self.report((variable,), f"{name!r} is offered twice")
        if given == []:
            self.report((variable,), "is empty; a hub offers at least one")
        return [entry for entry in found if entry]

    def _environment(self, name: str, entry: dict[str, Any], path: ValuePath) -> Environment | None:
        text = cross_checks.check_environment(entry, path, self.inventory.directory, self.report)
        return Environment(
            name=name,
            title=entry["title"] or name,
            description=entry["description"],
            packages=tuple(entry["packages"] or ()),
            requirements=text,
            interface=entry["interface"],
            variables=tuple(sorted((entry["variables"] or {}).items())),
            check_code=entry["check_code"],
            check_output=entry["check_output"],
        )

    def _size(self, name: str, entry: dict[str, Any], path: ValuePath) -> Size | None:
        if entry["memory"] is None:
            return None
        for guarantee, limit in (("memory_guarantee", "memory"), ("cpu_guarantee", "cpu")):
            if entry[guarantee] and entry[limit] and entry[guarantee] > entry[limit]:
                self.report((*path, guarantee), f"is more than {limit}")
        values = {key: value for key, value in entry.items() if key not in ("name", "title")}
        return Size(name=name, title=entry["title"] or name, **values)


def _copied(default: Any) -> Any:
    """Defaults are shared constants: hand out lists and mappings of their own."""
    if isinstance(default, tuple):
        return list(default)
    return dict(default) if isinstance(default, dict) else default


def _leaves(value: Any, path: ValuePath) -> Iterator[tuple[ValuePath, Any]]:
    """Yield path and value of every scalar inside ``value``."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    elif value not in (None, ""):
        yield path, value


def _dotted(path: ValuePath) -> str:
    """Write a path as people do: ('hub_sizes', 1, 'memory') -> hub_sizes[1].memory."""
    text = str(path[0])
    for part in path[1:]:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text
