# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the variables of one host of the inventory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..common.nested import leaves, outside_lists, path_text
from ..redaction.places import holds_credentials
from . import cross_checks, kubernetes_checks, reverse_proxy_checks
from .admin_settings import ADMIN_OPTIONS, AdminRules, admin_values, check_rules
from .catalogue import Offers
from .cluster_options import CLUSTER_OPTIONS
from .hub_options import HUB_OPTIONS
from .model import STAGING, TIERS, Cluster, Fleet, FleetInput, HostInput, Hub, ValuePath
from .option import KUBERNETES, PLATFORMS, SERVER, Option
from .options import OPTIONS
from .problems import Problems, nearest
from .repositories import PASSWORD_IN_REPOSITORY, is_repository
from .secrets import is_secret, redactor
from .values import check_value
from .written import Misreading


class SharedValues:
    """Results of checks of values that many hubs share: a catalogue is checked once, not once per hub."""

    def __init__(self) -> None:
        self._checked: dict[tuple[str, int], tuple[Any, Any, list[tuple[ValuePath, str]]]] = {}
        self._secrets: dict[int, tuple[Any, list[tuple[ValuePath, str]]]] = {}

    def checked(self, option: Option, value: Any) -> tuple[Any, list[tuple[ValuePath, str]]]:
        """Return a value as the engine wants it, and its problems: (path inside it, message)."""
        key = (option.name, id(value))
        if key not in self._checked:
            found: list[tuple[ValuePath, str]] = []
            result = check_value(option, value, lambda path, message: found.append((path, message)))
            self._checked[key] = (value, result, found)  # keeps the value alive, so that its id stays unique
        return self._checked[key][1:]

    def secrets(self, value: Any, variable: str) -> list[tuple[ValuePath, str]]:
        """Return the places inside a value that hold secrets, each with the start of a message."""
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


class HostCheck:
    """Checks the variables of one host, and makes a hub of them."""

    def __init__(self, host: HostInput, inventory: FleetInput, problems: Problems, shared: SharedValues):
        self.host = host
        self.inventory = inventory
        self.problems = problems
        self.shared = shared
        self.broken: set[str] = set(host.failures)
        self.reported: set[ValuePath] = set()
        named = host.variables.get("hub_ignored_problems")
        self.ignored: list[Any] = named if isinstance(named, list) else []
        #: Those of the inventory, with what admins of the hub have set.
        self.variables: dict[str, Any] = host.variables
        self.by_admins: dict[str, Any] = {}
        self.admin_file = ""
        self.cluster_options: dict[str, Any] = {}
        #: "" where the value is not a platform: then only that is reported, and nothing that depends on it.
        platform = host.variables.get("cluster_platform") or SERVER
        self.platform: str = platform if platform in PLATFORMS else ""

    def hub(self, cluster_name: str, fleet: Fleet) -> Hub | None:
        """Return the hub, or None where it cannot be built; its cluster is added to ``fleet``."""
        self._unknown_variables()
        self.by_admins, self.admin_file = self._admin_settings()
        self.variables = {**self.host.variables, **self.by_admins}
        options = {option.name: self._value(option) for option in HUB_OPTIONS}
        self.cluster_options = {option.name: self._value(option) for option in CLUSTER_OPTIONS}
        check_login = {
            SERVER: cross_checks.check_authenticator,
            KUBERNETES: kubernetes_checks.check_settings,
        }.get(self.platform)
        if check_login:
            options["hub_authenticator_settings"] = check_login(options, self.report, self.broken)
        self._plain_secrets()
        self._plain_kubeconfig()
        if not check_login:
            return None
        cluster = fleet.clusters.setdefault(cluster_name, Cluster(cluster_name, self.cluster_options))
        if cluster["cluster_platform"] != self.platform:
            return None  # the hubs of the cluster differ, which is reported for the cluster
        given, place, lock = self.variables, self.inventory.directory, self.inventory.lock
        tier = next((tier for tier in TIERS if tier in self.host.groups), "")
        pins = lock.of(tier == STAGING).repositories if lock else None
        builds = self.platform == SERVER or bool(self.cluster_options["cluster_image_registry"])
        offers = Offers(given, options, self.platform, place, self.report, self.broken, pins, builds)
        environments, sizes, profiles = offers.environments(), offers.sizes(), offers.profiles()
        offers.check_admin_limits()
        explicit = frozenset(name for name in self.variables if name in OPTIONS)
        hub = Hub(self.host.name, cluster, tier, options, environments, sizes, profiles, explicit)
        hub.admin_values, hub.admin_file = self.by_admins, self.admin_file
        hub.redactor = redactor(self.host.secret_texts)
        if self.platform == KUBERNETES:
            kubernetes_checks.check_hub(hub, self.report, self.broken)
            return None if self.broken else hub
        hub.private_lines = self.host.private_lines()
        cross_checks.check_hub(hub, self.report, self.broken)
        reverse_proxy_checks.check_hub(hub, self.report, self.broken)
        return None if "hub_port" in self.broken or options["hub_port"] is None else hub

    def report(self, path: ValuePath, message: str, stops: Iterable[str] = (), ignorable_as: str = "") -> None:
        """Record a problem at ``path``; see Problem for the other arguments."""
        if isinstance(message, Misreading):
            written = self.host.written(path, message.is_key)
            message = message.problem(written, secret=bool(written) and self.host.protected(path))
            if not message:
                return
        ignored = bool(ignorable_as) and ignorable_as in self.ignored
        if not ignored:
            self.broken.add(path[0])
        self.reported.add(path)
        place = path
        if path[0] in self.by_admins:
            message, place = f"{message} ({self.admin_file})", ("hub_admin_repository",)
        self.problems.add(path, message, self.host.locate(place), self.host.name, stops, ignorable_as, ignored)

    def _admin_settings(self) -> tuple[dict[str, Any], str]:
        """Return the variables that admins of the hub have set, and the commit and author."""
        options = {option.name: self._value(option) for option in ADMIN_OPTIONS}
        if not any(options.values()):
            return {}, ""
        check_rules(options, self.host.variables, self.report)
        return admin_values(AdminRules(options, self.host.variables), self.inventory.admins, self.report)

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
        value = self.variables.get(option.name)
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
        checked, found = self.shared.checked(option, value)
        for path, message in found:
            if (option.name, *path) not in self.reported:
                # Imports copy values of the chart as they are.
                ignorable_as = path_text(path) if option.kind == "values" else ""
                self.report((option.name, *path), message, ignorable_as=ignorable_as)
        return _copied(option.default) if checked is None else checked

    def _plain_secrets(self) -> None:
        for variable, value in self.host.variables.items():
            if variable not in OPTIONS:
                continue
            for path, what in self.shared.secrets(value, variable):
                if {path, outside_lists(path)} & self.reported:
                    continue
                copied = self.host.copied_from(path)
                if copied or not self.host.protected(path):
                    where = f", copied from {copied}" if copied else ""
                    hint = "encrypt it with 'ansible-vault encrypt_string', or use a lookup"
                    message = f"{what} in plain text{where}; {hint}"
                    # An encrypted password would still be in the lock file.
                    self.report(path, PASSWORD_IN_REPOSITORY if is_repository(path) else message)

    def _plain_kubeconfig(self) -> None:
        """Report the content of a kubeconfig that is not encrypted; a path is no secret."""
        variable = "cluster_kubeconfig"
        value = self.host.variables.get(variable)
        is_content = isinstance(value, str) and "\n" in value
        if is_content and variable not in self.broken and not self.host.protected((variable,)):
            self.report((variable,), "contains credentials in plain text; encrypt it with ansible-vault, or use a path")


def _copied(default: Any) -> Any:
    """Return a copy of a default, since defaults are shared constants."""
    if isinstance(default, tuple):
        return list(default)
    return dict(default) if isinstance(default, dict) else default
