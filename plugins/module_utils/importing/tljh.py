# Copyright: (c) 2026, Hubfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import the ``config.yaml`` of The Littlest JupyterHub (TLJH) as a hub on a machine.

Source of its keys: TLJH's documentation of tljh-config, its ``configurer.py``, and its ``yaml.py``: YAML 1.2.
"""

from __future__ import annotations

import os
from typing import Any

from ..platform.kubernetes.values.layers import Values, assign, leaves
from ..schema.authenticators import BY_NAME as AUTHENTICATORS
from ..schema.authenticators import RULE_TRAITS, Authenticator
from ..schema.units import format_duration, format_memory, parse_memory
from .errors import FleetImportError
from .helm_yaml import resolve_yaml_1_2
from .infer import Variables
from .option_values import MISSING, accepts, chart_value, suboption
from .sources import Source, SourceFleet, ValuesReader
from .z2jh import name_of, tier_of

DEFAULT_CLUSTER = "machine"
#: Defaults of TLJH.
_IDLE_TIMEOUT = 600
_PORT, _TLS_PORT = 80, 443
#: Port of a hub whose reverse proxy has TLJH's ports.
_BEHIND_REVERSE_PROXY = 8000
#: TLJH has no default limit; a hub on a machine needs one.
_MEMORY = "2G"

_INTERFACES = {"jupyterlab": "lab", "classic": "notebook"}
_FIRST_USE = "FirstUseAuthenticator"


def read_tljh(paths: list[str], hub: str, cluster: str, tier: str) -> SourceFleet:
    """Return the hub of a ``config.yaml``; raises FleetImportError. See read_z2jh for the other parameters."""
    if len(paths) != 1:
        raise FleetImportError("source: The Littlest JupyterHub has a single config.yaml; name one file")
    path = os.path.abspath(paths[0])
    files = ValuesReader(os.path.dirname(path), resolve_yaml_1_2).files([path])
    if not files.read:
        raise FleetImportError(f"{paths[0]}: is encrypted")
    name = hub or name_of(path)
    source = Source(cluster or DEFAULT_CLUSTER, name, tier or tier_of(name), {}, files)
    conversion = _Conversion(files.values, source.notes)
    source.variables = conversion.variables
    source.not_imported = conversion.unused()
    source.option_count = conversion.option_count
    return SourceFleet([source])


class _Conversion:
    """Converts the configuration into variables and keeps track of the values that were used."""

    def __init__(self, config: Values, notes: list[str]) -> None:
        self.config = config
        self.notes = notes
        self.variables: Variables = {"cluster_platform": "server"}
        self._used: set[tuple[Any, ...]] = set()
        self._people()
        self._login()
        self._software()
        self._culling()
        self._address()

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

    def _get(self, path: str, unset: Any = None) -> Any:
        """Return a value, or ``unset`` where there is none."""
        value = chart_value(self.config, path)
        return unset if value is MISSING or value is None else value

    def _set(self, option: str, value: Any, *paths: str) -> bool:
        """Set an option to the value of ``paths`` if it is valid; return whether it is."""
        if not accepts(option, value):
            return False
        self.variables[option] = value
        self._used.update(tuple(path.split(".")) for path in paths)
        return True

    def _people(self) -> None:
        for key, option in (
            ("allowed", "hub_allowed_users"),
            ("banned", "hub_blocked_users"),
            ("admin", "hub_admins"),
        ):
            people = self._get(f"users.{key}")
            if isinstance(people, list) and people:
                self._set(option, self._names(people, f"users.{key}"), f"users.{key}")
        admins, allowed = self.variables.get("hub_admins"), self.variables.get("hub_allowed_users")
        if admins and not allowed:
            # TLJH always allows admins; here an allow rule must.
            self._set("hub_allowed_users", admins)

    def _names(self, people: list[Any], path: str) -> list[str]:
        """Return user names, each once; a number is the name of nobody."""
        numbers = [str(name) for name in people if isinstance(name, (int, float))]
        if numbers:
            self.notes.append(
                f"{path}: {', '.join(numbers)} without quotes are numbers in YAML, which are nobody's name; left out"
            )
        return list(dict.fromkeys(name for name in people if str(name) not in numbers))

    def _login(self) -> None:
        entry_point = str(self._get("auth.type", _FIRST_USE))
        # A dotted path, or one of JupyterHub's entry points in any case.
        short = {each.entry_point: each.config_class for each in AUTHENTICATORS.values()}
        class_name = short.get(entry_point.lower(), entry_point.rpartition(".")[2])
        # The Local... classes add system accounts, which hubs on a machine create anyway.
        known = class_name[len("Local") :] if class_name.startswith("Local") else class_name
        authenticator = next((each for each in AUTHENTICATORS.values() if each.config_class == known), None)
        if class_name == _FIRST_USE:
            self.notes.append(
                "hub_authenticator: FirstUseAuthenticator is not available; native is the nearest: users sign up"
                " with their own password"
            )
            self._used.add(("auth", "type"))
            authenticator = AUTHENTICATORS["native"]
        if authenticator is None:
            self.notes.append(f"hub_authenticator: {class_name} is not available; choose another authenticator")
            return
        if self._shares_password(authenticator):
            authenticator = AUTHENTICATORS["shared-password"]
        self._set("hub_authenticator", authenticator.name)
        self._used.add(("auth", "type"))
        if authenticator.demonstration:
            self._set("hub_demonstration", True)
        self._settings(authenticator, f"auth.{class_name}")

    def _shares_password(self, authenticator: Authenticator) -> bool:
        """Tell whether everybody logs in with one password, which DummyAuthenticator can have."""
        if authenticator.name != "dummy" or not self._get("auth.DummyAuthenticator.password"):
            return False
        self.notes.append(
            "hub_authenticator: DummyAuthenticator had a password for everybody; shared-password is the nearest."
            " The password was not imported: the hub generates one for users and another for admins"
        )
        return True

    def _settings(self, authenticator: Authenticator, section: str) -> None:
        """Import the settings of the authenticator that have options."""
        traits = self._get(section)
        rules = {trait: option for option, trait in RULE_TRAITS.get(authenticator.name, {}).items()}
        known = {setting.name: setting for setting in authenticator.settings}
        settings = {}
        for trait, value in traits.items() if isinstance(traits, dict) else ():
            path = f"{section}.{trait}"
            if trait in rules and value:
                self._set(rules[trait], value, path)
            elif trait in known and accepts(known[trait], value):
                settings[trait] = value
                self._used.add(tuple(path.split(".")))
            elif trait == "allow_all" and value is True:
                self._set("hub_allow_everyone", True, path)
            elif trait == "oauth_callback_url":
                self._used.add(tuple(path.split(".")))  # made from the hub's address
        if settings:
            self.variables["hub_authenticator_settings"] = settings

    def _software(self) -> None:
        app = self._get("user_environment.default_app")
        if app in _INTERFACES:
            self._set("hub_interface", _INTERFACES[app], "user_environment.default_app")
        size: Values = {"name": "standard", "title": "Standard", "memory": self._memory()}
        cpu = self._get("limits.cpu")
        if cpu is not None and accepts(suboption("hub_size_catalogue", "cpu"), cpu):
            size["cpu"] = cpu
            self._used.add(("limits", "cpu"))
        self.variables["hub_sizes"] = [size]
        self.variables["hub_environments"] = [{"name": "python", "title": "Python"}]
        self.notes.append(
            "hub_environments: TLJH's configuration does not contain the packages of its user environment; list them"
            " with 'sudo -E /opt/tljh/user/bin/pip list' and add the required ones to packages"
        )

    def _memory(self) -> str | float:
        """Return the memory limit; a hub on a machine needs one."""
        path, given = "limits.memory", self._get("limits.memory")
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
        self._used.add(tuple(path.split(".")))
        if allowed != amount:
            self.notes.append(
                f"hub_sizes: the memory limit was {format_memory(amount)}; {format_memory(allowed)} is the nearest"
                " that is allowed here"
            )
        return amount.specification if allowed == amount else format_memory(allowed)

    def _culling(self) -> None:
        timeout = self._get("services.cull.timeout", _IDLE_TIMEOUT)
        if self._get("services.cull.enabled", True) is False:
            self._set_duration("hub_idle_timeout", 0, "services.cull.enabled", "services.cull.timeout")
        else:
            self._set_duration("hub_idle_timeout", timeout, "services.cull.enabled", "services.cull.timeout")
        age = self._get("services.cull.max_age")
        if age is not None:
            self._set_duration("hub_maximum_age", age, "services.cull.max_age")

    def _set_duration(self, option: str, seconds: Any, *paths: str) -> None:
        if isinstance(seconds, int) and not isinstance(seconds, bool) and seconds >= 0:
            self.variables[option] = format_duration(seconds)
            self._used.update(tuple(path.split(".")) for path in paths)

    def _address(self) -> None:
        encrypted = self._get("https.enabled") is True
        certificate, key = self._get("https.tls.cert"), self._get("https.tls.key")
        domains = self._get("https.letsencrypt.domains")
        domain = domains[0] if isinstance(domains, list) and domains and isinstance(domains[0], str) else None
        if encrypted and certificate and key:
            self._set("hub_tls_certificate", certificate, "https.tls.cert", "https.enabled")
            self._set("hub_tls_key", key, "https.tls.key")
            self._set("hub_port", self._get("https.port", _TLS_PORT), "https.port")
            self._set("hub_bind", self._get("https.address", "0.0.0.0"), "https.address")
        elif encrypted and domain:
            self._lets_encrypt(domain, domains)
        else:
            self._set("hub_port", self._get("http.port", _PORT), "http.port")
            self.notes.append(
                "hub_bind: TLJH listens on every address; a hub without a certificate listens on localhost only, behind"
                " a reverse proxy with a certificate (cluster_reverse_proxy, or hub_tls_certificate and hub_tls_key)"
            )
        path = self._get("base_url", "/")
        if domain and isinstance(path, str) and path.strip("/"):
            self._set("hub_url", f"https://{domain}/{path.strip('/')}/", "base_url", "https.letsencrypt.domains")
        elif domain:
            self._set("hub_domain", domain, "https.letsencrypt.domains")

    def _lets_encrypt(self, domain: str, domains: list[Any]) -> None:
        """Let the machine's reverse proxy request the certificate, as TLJH's does."""
        self.variables["cluster_reverse_proxy"] = "caddy"
        self._used.add(("https", "enabled"))
        for path, option in (("http.port", "cluster_http_port"), ("https.port", "cluster_https_port")):
            if self._get(path) is not None:
                self._set(option, self._get(path), path)
        if self._get("https.address") is not None:
            self._set("cluster_bind", self._get("https.address"), "https.address")
        self.variables["hub_port"] = _BEHIND_REVERSE_PROXY
        self.notes.append(
            "cluster_reverse_proxy: Caddy requests certificates of Let's Encrypt, as TLJH's own proxy did; no address"
            f" for Let's Encrypt's mails is passed on, and the hub itself listens on port {_BEHIND_REVERSE_PROXY}"
        )
        if len(domains) > 1:
            self.notes.append(f"hub_domain: a hub has one domain; only {domain} was imported")
