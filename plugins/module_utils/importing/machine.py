# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert the configuration of one hub to the variables of a hub on a machine; what TLJH and JupyterHub share."""

from __future__ import annotations

from typing import Any

from ..platform.kubernetes.values.layers import Values, assign, leaves
from ..schema.authenticators import BY_NAME as AUTHENTICATORS
from ..schema.authenticators import RULE_TRAITS, Authenticator
from ..schema.units import format_duration, format_memory, parse_memory
from .infer import Variables
from .option_values import MISSING, accepts, chart_value, suboption

DEFAULT_CLUSTER = "machine"
#: Neither TLJH nor JupyterHub has a default limit; a hub on a machine needs one.
_MEMORY = "2G"
FIRST_USE = "FirstUseAuthenticator"


class MachineConversion:
    """Converts a configuration into variables and keeps track of the values that were used.

    Paths are keys with dots between them.
    """

    def __init__(self, config: Values, notes: list[str]) -> None:
        """Take the configuration, and a list that takes sentences for the report."""
        self.config = config
        self.notes = notes
        self.variables: Variables = {"cluster_platform": "server"}
        self._used: set[tuple[Any, ...]] = set()

    @property
    def option_count(self) -> int:
        """How many values of the configuration were used."""
        return sum(1 for path, _value in leaves(self.config) if self._is_used(path)) if self.config else 0

    def unused(self) -> Values:
        """Return the values that were not used."""
        found: Values = {}
        for path, value in leaves(self.config) if self.config else ():
            if not self._is_used(path):
                assign(found, path, value)
        return found

    def _is_used(self, path: tuple[Any, ...]) -> bool:
        return any(path[: len(used)] == used for used in self._used)

    def get(self, path: str, unset: Any = None) -> Any:
        """Return a value, or ``unset`` where there is none."""
        value = chart_value(self.config, path)
        return unset if value is MISSING or value is None else value

    def set(self, option: str, value: Any, *paths: str) -> bool:
        """Set an option to the value of ``paths`` if it is valid; return whether it is."""
        if not accepts(option, value):
            return False
        self.variables[option] = value
        self.use(*paths)
        return True

    def use(self, *paths: str) -> None:
        """Count values as imported."""
        self._used.update(tuple(path.split(".")) for path in paths)

    def choose_authenticator(self, chosen: str, sections: str, *paths: str) -> None:
        """Import an authenticator, given by an entry point or a dotted path, and its settings.

        sections: what stands before the names of classes in paths, such as ``auth.``. paths: of the choice itself.
        """
        # A dotted path, or one of JupyterHub's entry points in any case.
        short = {each.entry_point: each.config_class for each in AUTHENTICATORS.values()}
        class_name = short.get(chosen.lower(), chosen.rpartition(".")[2])
        # The Local... classes add system accounts, which hubs on a machine create anyway.
        known = class_name[len("Local") :] if class_name.startswith("Local") else class_name
        authenticator = next((each for each in AUTHENTICATORS.values() if each.config_class == known), None)
        if class_name == FIRST_USE:
            self.notes.append(
                "hub_authenticator: FirstUseAuthenticator is not available; native is the nearest: users sign up"
                " with their own password"
            )
            self.use(*paths)
            authenticator = AUTHENTICATORS["native"]
        if authenticator is None:
            self.notes.append(f"hub_authenticator: {class_name} is not available; choose another authenticator")
            return
        if self._shares_password(authenticator, sections):
            authenticator = AUTHENTICATORS["shared-password"]
        self.set("hub_authenticator", authenticator.name)
        self.use(*paths)
        if authenticator.demonstration:
            self.set("hub_demonstration", True)
        self._settings(authenticator, f"{sections}{class_name}")

    def _shares_password(self, authenticator: Authenticator, sections: str) -> bool:
        """Tell whether everybody logs in with one password, which DummyAuthenticator can have."""
        if authenticator.name != "dummy" or not self.get(f"{sections}DummyAuthenticator.password"):
            return False
        self.notes.append(
            "hub_authenticator: DummyAuthenticator had a password for everybody; shared-password is the nearest."
            " The password was not imported: the hub generates one for users and another for admins"
        )
        return True

    def _settings(self, authenticator: Authenticator, section: str) -> None:
        """Import the settings of the authenticator that have options."""
        traits = self.get(section)
        rules = {trait: option for option, trait in RULE_TRAITS.get(authenticator.name, {}).items()}
        known = {setting.name: setting for setting in authenticator.settings}
        settings = {}
        for trait, value in traits.items() if isinstance(traits, dict) else ():
            path = f"{section}.{trait}"
            if trait in rules and value:
                self.set(rules[trait], value, path)
            elif trait in known and accepts(known[trait], value):
                settings[trait] = value
                self.use(path)
            elif trait == "allow_all" and value is True:
                self.set("hub_allow_everyone", True, path)
            elif trait == "oauth_callback_url":
                self.use(path)  # made from the hub's address
        if settings:
            self.variables["hub_authenticator_settings"] = settings

    def size(self, memory: str, cpu: str) -> Values:
        """Return the size that servers had; memory, cpu: the paths of their limits."""
        size: Values = {"name": "standard", "title": "Standard", "memory": self._memory(memory)}
        cores = self.get(cpu)
        if cores is not None and accepts(suboption("hub_size_catalogue", "cpu"), cores):
            size["cpu"] = cores
            self.use(cpu)
        return size

    def _memory(self, path: str) -> str | float:
        """Return the memory limit; a hub on a machine needs one."""
        given = self.get(path)
        if given is None:
            self.notes.append(
                f"hub_sizes: servers had no memory limit; it was set to {_MEMORY}, since a limit is required"
            )
            return _MEMORY
        try:
            amount = parse_memory(given)
        except ValueError:
            self.notes.append(f"hub_sizes: {path} is not an amount of memory; the limit was set to {_MEMORY}")
            return _MEMORY
        option = suboption("hub_size_catalogue", "memory")
        allowed = min(max(amount, int(option.minimum or 0)), int(option.maximum or amount))
        self.use(path)
        if allowed != amount:
            self.notes.append(
                f"hub_sizes: the memory limit was {format_memory(amount)}; {format_memory(allowed)} is the nearest"
                " that is allowed here"
            )
        return amount.specification if allowed == amount else format_memory(allowed)

    def set_duration(self, option: str, seconds: Any, *paths: str) -> None:
        """Set an option to a number of seconds."""
        if isinstance(seconds, int) and not isinstance(seconds, bool) and seconds >= 0:
            self.variables[option] = format_duration(seconds)
            self.use(*paths)

    def note_local_address(self, before: str) -> None:
        """Note that a hub without a certificate listens on localhost only, unlike ``before``."""
        self.notes.append(
            f"hub_bind: {before}; a hub without a certificate listens on localhost only, behind a reverse proxy with a"
            " certificate (cluster_reverse_proxy, or hub_tls_certificate and hub_tls_key)"
        )
