# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an inventory to a fleet, or to the list of everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..common.nested import leaves, outside_lists, path_text
from ..redaction.places import holds_credentials
from . import cross_checks, kubernetes_checks
from . import reverse_proxy_checks as reverse_proxy_checks
from .catalogue import Offers
from .catalogue_options import NAME_PATTERN, NAME_TEXT
from .cluster_options import CLUSTER_OPTIONS
from .hub_options import HUB_OPTIONS
from .model import TIERS, Cluster, Fleet, FleetInput, HostInput, Hub, ValuePath
from .option import KUBERNETES, PLATFORMS, SERVER, Option
from .problems import Problems, nearest
from .secrets import is_secret, redactor
from .values import check_value, shown

OPTIONS = {option.name: option for option in (*HUB_OPTIONS, *CLUSTER_OPTIONS)}
PREFIXES = ("hub_", "cluster_", "fleet_")


def validate(inventory: FleetInput) -> tuple[Fleet, Problems]:
    """Return the fleet and its problems.

    The fleet holds only hubs whose own values are sound enough to build them; a hub with
    problems must not be deployed even if it is there.
    """
    problems = Problems()
    fleet = Fleet({}, {})
    seen = _Seen()
    _check_groups(inventory, problems)
    for cluster_name, members in inventory.clusters.items():
        checks = [_HostCheck(inventory.hosts[host_name], inventory, problems, seen) for host_name in members]
        for check in checks:
            hub = check.hub(cluster_name, fleet)
            if hub is not None:
                fleet.hubs.setdefault(hub.name, hub)
        _check_cluster(cluster_name, checks)
    cross_checks.check_fleet(fleet, inventory, problems)
    reverse_proxy_checks.check_fleet(fleet, inventory, problems)
    kubernetes_checks.check_fleet(fleet, inventory, problems)
    return fleet, problems


def _check_groups(inventory: FleetInput, problems: Problems) -> None:
    """Every hub is in one cluster and one tier; names are usable for files and services."""
    cluster_of: dict[str, list[str]] = {name: [] for name in inventory.hosts}
    for cluster, members in inventory.clusters.items():
        if not re.fullmatch(NAME_PATTERN.replace("-a-z0-9", "-_a-z0-9"), cluster):
            problems.add((), f"cluster {cluster!r}: the name of a cluster must be {NAME_TEXT} or '_'")
        for member in members:
            cluster_of[member].append(cluster)
    for name, host in inventory.hosts.items():
        if not cluster_of[name]:
            problems.add((), "is not in a cluster; add it to a child group of the group clusters", hub=name)
            continue
        if not re.fullmatch(NAME_PATTERN, name):
            problems.add((), f"the name of a hub must be {NAME_TEXT}, at most 32 characters", hub=name)
        if len(cluster_of[name]) > 1:
            problems.add(
                (),
                f"is in several clusters ({', '.join(sorted(cluster_of[name]))}); a hub must be in exactly one",
                hub=name,
            )
        tiers = [tier for tier in TIERS if tier in host.groups]
        if len(tiers) != 1:
            problems.add(
                (),
                f"is in {' and '.join(tiers) or 'no tier'}; add it to exactly one of the groups {' or '.join(TIERS)}",
                hub=name,
            )


def _check_cluster(cluster: str, checks: list[_HostCheck]) -> None:
    """A cluster's settings are the same for all its hubs; the odd ones out are reported, and stop all of them."""
    everyone = [check.host.name for check in checks]
    for option in CLUSTER_OPTIONS:
        sound = [check for check in checks if option.name not in check.broken]
        values = [check.cluster_options[option.name] for check in sound]
        unset = [value for value, check in zip(values, sound) if option.name not in check.host.variables]
        if all(value is values[0] or value == values[0] for value in values):
            continue
        # Where none is in the majority, what stands in host_vars is the odd one.
        shared = [value for value, check in zip(values, sound) if "host_vars/" not in check.host.locate((option.name,))]
        usual = max(values, key=lambda value: (values.count(value), value in unset, value in shared), default=None)
        for check, value in zip(sound, values):
            if value != usual:
                check.report(
                    (option.name,),
                    f"is {shown(option, value)} here and {shown(option, usual)} for other hubs of cluster {cluster}; "
                    f"set it once, in group_vars/{cluster}.yml",
                    everyone,
                )


class _Seen:
    """What was found out about values that many hubs share: a catalogue is checked once, not once per hub."""

    def __init__(self) -> None:
        self._checked: dict[tuple[str, int], tuple[Any, Any, list[tuple[ValuePath, str]]]] = {}
        self._secrets: dict[int, tuple[Any, list[tuple[ValuePath, str]]]] = {}

    def checked(self, option: Option, value: Any) -> tuple[Any, list[tuple[ValuePath, str]]]:
        """Return a value as the engine wants it, and its problems: (path inside it, message)."""
        key = (option.name, id(value))
        if key not in self._checked:
            found: list[tuple[ValuePath, str]] = []
            result = check_value(option, value, lambda path, message: found.append((path, message)))
            self._checked[key] = (value, result, found)  # keeps the value, so that its id stays its own
        return self._checked[key][1:]

    def secrets(self, value: Any, variable: str) -> list[tuple[ValuePath, str]]:
        """Return the places inside a value that hold secrets, each with what is to be said of it."""
        if id(value) not in self._secrets:
            found = []
            for path, leaf in leaves(value, (variable,)):
                if leaf in (None, "", {}, []):
                    continue
                if is_secret(path):
                    found.append((path, "is a secret"))
                elif holds_credentials(leaf):
                    found.append((path, "contains a password"))
            self._secrets[id(value)] = (value, found)
        return self._secrets[id(value)][1]


class _HostCheck:
    """Checks the variables of one host."""

    def __init__(self, host: HostInput, inventory: FleetInput, problems: Problems, seen: _Seen):
        self.host = host
        self.inventory = inventory
        self.problems = problems
        self.seen = seen
        self.broken: set[str] = set(host.failures)
        self.reported: set[ValuePath] = set()
        named = host.variables.get("hub_ignored_problems")
        self.ignored: list[Any] = named if isinstance(named, list) else []
        self.cluster_options: dict[str, Any] = {}
        #: What to judge by, or "": a word that is no platform is reported, and nothing that depends on it.
        platform = host.variables.get("cluster_platform") or SERVER
        self.platform: str = platform if platform in PLATFORMS else ""

    def hub(self, cluster_name: str, fleet: Fleet) -> Hub | None:
        """Return the hub, or None where it cannot be built; its cluster is added to ``fleet``."""
        self._unknown_variables()
        options = {option.name: self._value(option) for option in HUB_OPTIONS}
        self.cluster_options = {option.name: self._value(option) for option in CLUSTER_OPTIONS}
        check_login = {
            SERVER: cross_checks.check_authenticator,
            KUBERNETES: kubernetes_checks.check_settings,
        }.get(self.platform)
        if check_login:
            options["hub_authenticator_settings"] = check_login(options, self.report, self.broken)
        self._plain_secrets()
        if not check_login:
            return None
        cluster = fleet.clusters.setdefault(cluster_name, Cluster(cluster_name, self.cluster_options))
        if cluster["cluster_platform"] != self.platform:
            return None  # the hubs of the cluster disagree, which is told of the cluster
        offers = Offers(self.host.variables, options, self.platform, self.inventory.directory, self.report, self.broken)
        environments, sizes, profiles = offers.environments(), offers.sizes(), offers.profiles()
        tier = next((tier for tier in TIERS if tier in self.host.groups), "")
        explicit = frozenset(name for name in self.host.variables if name in OPTIONS)
        hub = Hub(self.host.name, cluster, tier, options, environments, sizes, profiles, explicit)
        hub.redactor = redactor(self.host.secret_texts)
        if self.platform == KUBERNETES:
            kubernetes_checks.check_hub(hub, self.report, self.broken)
            return None if self.broken else hub
        hub.private_lines = self.host.private_lines()
        cross_checks.check_hub(hub, self.report, self.broken)
        reverse_proxy_checks.check_hub(hub, self.report, self.broken)
        return None if "hub_port" in self.broken or options["hub_port"] is None else hub

    def report(self, path: ValuePath, message: str, stops: Iterable[str] = (), ignorable_as: str = "") -> None:
        """Record a problem at ``path``: (variable, *keys and indexes inside it). For the others see Problem."""
        ignored = bool(ignorable_as) and ignorable_as in self.ignored
        if not ignored:
            self.broken.add(path[0])
        self.reported.add(path)
        self.problems.add(path, message, self.host.locate(path), self.host.name, stops, ignorable_as, ignored)

    def _unknown_variables(self) -> None:
        for variable, message in self.host.failures.items():
            self.report((variable,), message)
        for variable in self.host.variables:
            if variable not in OPTIONS:
                prefix = variable.split("_", 1)[0] + "_"
                every = {name: option for name, option in OPTIONS.items() if name.startswith(prefix)}
                known = [name for name, option in every.items() if option.applies_to(self.platform)]
                hint = nearest(variable, known, prefix=prefix, elsewhere=every)
                self.report((variable,), f"unknown variable{hint}")

    def _value(self, option: Option) -> Any:
        value = self.host.variables.get(option.name)
        needed = option.needed_on(self.platform)
        if value is not None and self.platform and not option.applies_to(self.platform):
            where = " and ".join(option.platforms)
            self.report(
                (option.name,), f"is only valid on the platform {where}; this cluster's platform is {self.platform}"
            )
            return _copied(option.default)
        if value is None or (needed and value == ""):
            if needed and option.name not in self.broken:
                self.report((option.name,), f"is not set ({option.summary})")
            return _copied(option.default)
        checked, found = self.seen.checked(option, value)
        for path, message in found:
            # Values of the chart are what imports carry over as they are.
            ignorable_as = path_text(path) if option.kind == "values" else ""
            self.report((option.name, *path), message, ignorable_as=ignorable_as)
        return _copied(option.default) if checked is None else checked

    def _plain_secrets(self) -> None:
        for variable, value in self.host.variables.items():
            if variable not in OPTIONS:
                continue
            for path, what in self.seen.secrets(value, variable):
                if {path, outside_lists(path)} & self.reported:
                    continue
                copied = self.host.copied_from(path)
                if copied or not self.host.protected(path):
                    where = f", copied from {copied}" if copied else ""
                    self.report(
                        path,
                        f"{what} in plain text{where}; encrypt it with 'ansible-vault encrypt_string', or use a lookup",
                    )


def _copied(default: Any) -> Any:
    """Defaults are shared constants: hand out lists and mappings of their own."""
    if isinstance(default, tuple):
        return list(default)
    return dict(default) if isinstance(default, dict) else default
